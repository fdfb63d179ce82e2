"""`make bench`: measure, print the report, keep it in bench-results/, docs/ and README."""

import argparse
import fcntl
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.benchmarks import chart, containers, images, mounts, table
from tests.benchmarks.kinds import KINDS
from tests.benchmarks.peers import Peer, peers, peers_of_kinds
from tests.benchmarks.places import CHECKOUT, PAGE, README, RESULTS, cache_folder
from tests.benchmarks.results import Results
from tests.benchmarks.runner import Runner
from tests.benchmarks.workloads import WORKLOADS, Workload


def main() -> None:
    """Do what the command line says."""
    asked = _arguments()
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    if asked.show:
        print(table.render(Results.load(asked.show)))
        return
    whole = not asked.only
    chosen = _chosen(asked.only)
    everybody = _peers(chosen, asked.before)
    with _alone():
        mounts.sweep()
        files = {file for each in chosen for peer in everybody if (file := peer.file(each.image))}
        images.make(files, _say)
        containers.make(files, _say)
        results = _new_results(asked.rounds, everybody)
        runner = Runner(results, asked.rounds, asked.limit, _say)
        for workload in chosen:
            runner.run(workload, everybody)
            _keep(results, whole)  # what is measured stays measured, whatever comes
    _report(results, whole)


def _stop(number: int, _frame: FrameType | None) -> None:
    """End in order: every mount is taken down, and a second signal does not disturb that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + number)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument(
        "--only", default="", help="workloads, separated by commas; kinds: all of containers"
    )
    parser.add_argument("--limit", type=float, default=60, help="seconds for one pass")
    parser.add_argument("--before", type=_checkout, help="another checkout to compare with")
    parser.add_argument("--show", type=Path, help="print the report of an earlier results.json")
    return parser.parse_args()


def _checkout(word: str) -> Path | None:
    return Path(word).absolute() if word else None  # make says "" for none


def _chosen(only: str) -> tuple[Workload, ...]:
    names = {name.strip() for name in only.split(",") if name.strip()}
    if not names:
        return WORKLOADS
    if "kinds" in names:
        names |= {workload.name for workload in KINDS}
    known = {workload.name: workload for workload in (*WORKLOADS, *KINDS)}
    if unknown := names - set(known) - {"kinds"}:
        raise SystemExit(f"no workload {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return tuple(workload for name, workload in known.items() if name in names)


def _peers(chosen: Sequence[Workload], before: Path | None) -> tuple[Peer, ...]:
    """Those of whole runs; of what is only about containers, those that read some."""
    return peers_of_kinds(before) if set(chosen) <= set(KINDS) else peers(before)


@contextmanager
def _alone() -> Iterator[None]:
    """No two runs at once: they would measure each other."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with open(cache_folder() / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("another benchmark is running") from None
        yield


def _new_results(rounds: int, everybody: Sequence[Peer]) -> Results:
    here = [peer for peer in everybody if not peer.missing()]
    return Results(
        facts=_facts(rounds),
        versions={peer.name: peer.version() if peer in here else "(absent)" for peer in everybody},
        ceilings=[peer.name for peer in everybody if peer.ceiling],
        variants=[peer.name for peer in everybody if peer.variant],
    )


def _facts(rounds: int) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {
        time.strftime("%Y-%m-%d", time.gmtime()): "",
        f"{len(os.sched_getaffinity(0))} cores,": _processor(),
        f"{memory:.0f} GiB,": f"Linux {platform.release()}",
        "Python": platform.python_version(),
        "medians of": f"{rounds} round{'s' if rounds > 1 else ''}",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _keep(results: Results, whole: bool) -> Path:
    """Write the results into a folder: that of whole runs, or that of runs of a few workloads."""
    folder = RESULTS / ("whole" if whole else "part")
    folder.mkdir(parents=True, exist_ok=True)
    results.save(folder / "results.json")
    (folder / "table.md").write_text(table.render(results))
    (folder / "chart.svg").write_text(chart.draw(results))
    return folder


def _report(results: Results, whole: bool) -> None:
    folder = _keep(results, whole)
    print(table.render(results))
    _say(f"kept in {folder.relative_to(CHECKOUT)}/: table.md, chart.svg, results.json")
    if whole:
        table.put_into(PAGE, table.for_page(results))
        table.put_into(README, table.for_readme(results))
        _say("docs/benchmark.md shows these tables, and README five rows")


def _say(words: str) -> None:
    print(f"==> bench: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
