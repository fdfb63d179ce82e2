"""Rounds: each peer in turn, each on a fresh mount."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.benchmarks import images, places
from tests.benchmarks.mounts import Mounted, Usage, mounted
from tests.benchmarks.peers import Peer
from tests.benchmarks.programs import MeasurementError
from tests.benchmarks.results import Results, Row
from tests.benchmarks.targets import duration
from tests.benchmarks.workloads import Measures, State, Workload


@dataclass(frozen=True, slots=True)
class Runner:
    """Fills ``results``; ``limit`` is in seconds."""

    results: Results
    rounds: int
    limit: float  # for one mount or one pass, and no further round for who has used so much
    say: Callable[[str], None]

    def run(self, workload: Workload, peers: Sequence[Peer]) -> None:
        """All rounds of ``workload``."""
        self._add_rows(workload)
        fit = [peer for peer in peers if not self._is_out(workload, peer)]
        for turn in range(self.rounds):
            first = turn % len(fit) if fit else 0  # nobody is always the one after a pause
            for peer in (*fit[first:], *fit[:first]):
                if self._has_time(workload, peer):
                    self._measure(workload, peer, turn)

    def _add_rows(self, workload: Workload) -> None:
        for state in workload.states:
            for measure, key in zip(workload.measures, workload.keys(state), strict=True):
                words = [workload.title, measure, "" if len(workload.states) == 1 else state]
                self.results.rows[key] = Row(", ".join(filter(None, words)))

    def _is_out(self, workload: Workload, peer: Peer) -> bool:
        missing = peer.missing()
        reason = missing or workload.unfit(peer)
        if reason and (missing or not peer.ceiling):  # an absent ceiling needs no excuse
            self._note(workload, peer, reason)
        return reason is not None

    def _has_time(self, workload: Workload, peer: Peer) -> bool:
        cells = [self.results.cell(key, peer.name) for key in _all_keys(workload)]
        if any(cell.reason for cell in cells):
            return False  # it failed before
        if sum(sum(cell.seconds) for cell in cells) < self.limit:
            return True
        rounds = len(cells[0].seconds)
        self._note(workload, peer, f"too slow for every round: the median of {rounds}")
        return False

    def _measure(self, workload: Workload, peer: Peer, turn: int) -> None:
        where = f"{workload.name} {turn + 1}/{self.rounds} {peer.name}"
        try:
            if State.DROPPED in workload.states:
                self._pass_on_a_mount(workload, peer, [State.DROPPED])
            others = [state for state in workload.states if state is not State.DROPPED]
            self._pass_on_a_mount(workload, peer, others)
        except MeasurementError as failed:
            self._note(workload, peer, str(failed))
            self.say(f"{where}: {failed}")
        else:
            self.say(f"{where}: {self._last(workload, peer)}")

    def _pass_on_a_mount(self, workload: Workload, peer: Peer, states: Iterable[State]) -> None:
        _prepare(workload, peer, dropped=State.DROPPED in states)
        with mounted(
            peer, workload.image, limit=self.limit, readahead=_readahead(workload, peer)
        ) as mount:
            for state in states:
                measures = workload.do(mount, self.limit)
                self._record(workload, state, mount, measures)

    def _record(self, workload: Workload, state: State, mount: Mounted, measures: Measures) -> None:
        usage: Usage | None = mount.usage()
        for measure, key in zip(workload.measures, workload.keys(state), strict=True):
            cell = self.results.cell(key, mount.peer.name)
            cell.seconds.append(measures[measure])
            if usage:
                cell.peak_kib.append(usage.peak_kib)
                cell.cpu_seconds.append(usage.cpu_seconds)

    def _note(self, workload: Workload, peer: Peer, reason: str) -> None:
        """Say ``reason`` in every row of ``workload`` that lacks figures for it."""
        for key in _all_keys(workload):
            cell = self.results.cell(key, peer.name)
            if len(cell.seconds) < self.rounds:
                cell.reason = reason

    def _last(self, workload: Workload, peer: Peer) -> str:
        cells = (self.results.cell(key, peer.name) for key in _all_keys(workload))
        return ", ".join(duration(cell.seconds[-1]) for cell in cells)


def _all_keys(workload: Workload) -> list[str]:
    return [key for state in workload.states for key in workload.keys(state)]


def _readahead(workload: Workload, peer: Peer) -> int | None:
    # A ceiling is what it is: only a FUSE mount's readahead is in question.
    return None if peer.ceiling else workload.readahead


def _prepare(workload: Workload, peer: Peer, *, dropped: bool) -> None:
    file = peer.file(workload.image)
    if file is not None:
        (images.drop if dropped else images.load)(file)
        places.claim_memory(2 * file.stat().st_size)
