"""What the project wants to reach, and whether a run did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.results import ISOMOUNT, Results


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reached`` is None where the run has no figure to tell by."""

    reached: bool | None
    figure: str

    @property
    def word(self) -> str:
        """The verdict in words."""
        return {True: "reached", False: "**not reached**", None: "not measured"}[self.reached]


Check = Callable[[Results], Verdict]
_UNKNOWN = Verdict(None, "-")


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the project's targets."""

    title: str
    wanted: str
    check: Check


def at_most(key: str, seconds: float) -> Check:
    """Isomount's median in row ``key`` is at most ``seconds``."""

    def check(results: Results) -> Verdict:
        mine = _median(results, key, ISOMOUNT)
        if mine is None:
            return _UNKNOWN
        return Verdict(mine <= seconds, duration(mine))

    return check


def no_longer_than(key: str, other: str, tolerance: float) -> Check:
    """Isomount takes in row ``key`` at most ``tolerance`` times what it takes in ``other``."""

    def check(results: Results) -> Verdict:
        mine, base = _median(results, key, ISOMOUNT), _median(results, other, ISOMOUNT)
        if mine is None or not base:
            return _UNKNOWN
        return Verdict(mine <= base * tolerance, f"{duration(mine)} and {duration(base)}")

    return check


def times_faster(factor: float, *keys: str, than: Sequence[str] = ()) -> Check:
    """In each row the fastest of ``than``, or of all rivals, takes ``factor`` times as long."""

    def check(results: Results) -> Verdict:
        found: list[tuple[float, str]] = []
        for key in keys:
            row = results.rows.get(key)
            rival = row.fastest(than or results.rivals) if row else None
            ratio = row.ratio(rival) if row and rival else None
            if ratio is None:
                return _UNKNOWN
            found.append((ratio, f"{times(ratio)} ({rival}, {key})"))
        worst, figure = min(found)
        return Verdict(worst >= factor, figure)

    return check


def times_faster_than_in(factor: float, key: str, other: str) -> Check:
    """The fastest rival takes in row ``other`` ``factor`` times what isomount takes in ``key``."""

    def check(results: Results) -> Verdict:
        mine, row = _median(results, key, ISOMOUNT), results.rows.get(other)
        rival = row.fastest(results.rivals) if row else None
        theirs = row.median(rival) if row and rival else None
        if not mine or theirs is None:
            return _UNKNOWN
        return Verdict(theirs >= factor * mine, f"{times(theirs / mine)} ({rival}, {other})")

    return check


def within(tolerance: float, key: str, peer: str) -> Check:
    """Isomount takes at most ``tolerance`` times what ``peer`` takes in row ``key``."""

    def check(results: Results) -> Verdict:
        mine, other = _median(results, key, ISOMOUNT), _median(results, key, peer)
        if mine is None or not other:
            return _UNKNOWN
        return Verdict(mine <= other * tolerance, f"{mine / other:.2f} times its time")

    return check


def memory_below(key: str, megabytes: int) -> Check:
    """Isomount's resident memory stays under ``megabytes`` (of 10^6 bytes) in row ``key``."""

    def check(results: Results) -> Verdict:
        row = results.rows.get(key)
        peak = row.cells[ISOMOUNT].peak if row and ISOMOUNT in row.cells else None
        if peak is None:
            return _UNKNOWN
        used = peak * 1024 / 1e6
        return Verdict(used < megabytes, f"{used:.0f} MB")

    return check


_WARM_WALKS = tuple(
    f"{name}.warm" for name in ("find", "find-size", "ls-lR", "folder-names", "folder-long")
)

TARGETS = (
    Target(
        "mount to first listing, 100,000 files",
        "at most 0.30 s",
        at_most("mount-100000.cold", 0.30),
    ),
    Target(
        "the same as for 1,000 files",
        "within 20 %",
        no_longer_than("mount-100000.cold", "mount-1000.cold", 1.2),
    ),
    Target("find, cold", "no slower than fuseiso", times_faster(1, "find.cold", than=["fuseiso"])),
    Target("find -size, cold", "3 times faster", times_faster(3, "find-size.cold")),
    Target("ls -lR, cold", "3 times faster", times_faster(3, "ls-lR.cold")),
    Target("every metadata walk, warm", "2 times faster", times_faster(2, *_WARM_WALKS)),
    Target("tar of small files, cold", "1.5 times faster", times_faster(1.5, "tar.cold")),
    Target("tar of small files, warm", "3 times faster", times_faster(3, "tar.warm")),
    Target("big file, cold, readahead 128 KiB", "2 times faster", times_faster(2, "big-128.cold")),
    Target(
        "big file, cold, readahead 1 MiB for all",
        "5 times faster",
        times_faster(5, "big-1024.cold"),
    ),
    Target(
        "big file, cold, readahead 4 MiB for all",
        "5 times faster",
        times_faster(5, "big-4096.cold"),
    ),
    Target(
        "big file, cold, readahead 4 MiB for isomount alone",
        "5 times faster",
        times_faster_than_in(5, "big-4096.cold", "big-128.cold"),
    ),
    Target(
        "big file, warm", "within 20 % of the page cache", within(1.2, "big-128.warm", "image file")
    ),
    Target("random 4 KiB, cold", "no slower", times_faster(1, "random.cold")),
    Target("four readers, cold", "no slower", times_faster(1, "four-readers.cold")),
    Target(
        "stat under four streams, 99th percentile", "under 20 ms", at_most("stat.p99.cold", 0.020)
    ),
    Target("memory after walking 100,000 files", "under 80 MB", memory_below("find-size.warm", 80)),
    Target(
        "memory after walking 1,000,000 files", "under 100 MB", memory_below("million.cold", 100)
    ),
)


def _median(results: Results, key: str, peer: str) -> float | None:
    row = results.rows.get(key)
    return row.median(peer) if row else None


def duration(seconds: float) -> str:
    """Three digits and a unit that suits."""
    if seconds >= 1:
        return f"{seconds:#.3g} s"
    if seconds >= 0.001:
        return f"{seconds * 1000:#.3g} ms".replace(". ", " ")
    return f"{seconds * 1e6:.0f} µs"


def times(ratio: float) -> str:
    """A ratio in as many digits as it deserves."""
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.0f}x"
