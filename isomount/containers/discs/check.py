"""Reading a disc with its checksums verified (``-o check=edc``), and counting what fails."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

from isomount.containers.discs.disc import Track
from isomount.containers.discs.edc import is_right, part
from isomount.containers.discs.sectors import DESCRIPTOR, MODE_AT, RAW, SYNC
from isomount.containers.discs.settle import DataRun
from isomount.containers.discs.source import DiscSource
from isomount.errors import DamagedDataError, IsomountError, UsageError
from isomount.sources import FileRange

# Sectors that are read at once to be counted; about 1 MiB.
_AT_ONCE = 448
# What a sector of mode 1 or form 1 ends with, to correct it (ECC; ECMA-130 annex A).
_ECC = 276


class Verdict(Enum):
    """What a sector's EDC says of it."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"  # it has none: an empty sector, or one of form 2


class CheckedDiscSource(DiscSource):
    """A DiscSource that reads no sector whose EDC is wrong."""

    def __init__(self, plain: DiscSource) -> None:
        self.name, self.size, self.disc = plain.name, plain.size, plain.disc
        self._runs, self._starts = list(plain.runs), [run.lba for run in plain.runs]
        self._sieves = {}
        self._checked = {run.lba for run in self._runs if _is_recorded(run)}
        if not self._checked:
            raise UsageError(
                f"check=edc: {self.name} has its sectors stored without checksums (EDC), "
                "so there is nothing to check; leave the option out"
            )

    def picked(self, run: DataRun, start: int, count: int, size: int) -> bytes:
        """As DiscSource does; DamagedDataError names the first sector that is wrong."""
        if run.lba not in self._checked:
            return super().picked(run, start, count, size)
        data_at = run.layout.data_at
        pieces: list[memoryview] = []
        for number, sector in enumerate(_stored(run, start, count), start):
            if _verdict(sector) is Verdict.BAD:
                raise DamagedDataError(f"sector {number} is damaged: its checksum (EDC) is wrong")
            pieces.append(sector[data_at : data_at + size])
        return b"".join(pieces)

    def read_resident(self, offset: int, length: int) -> None:
        """Never: checking takes its time."""

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """Never, for what is handed on is not looked at."""
        return None


class Count(NamedTuple):
    """What is wrong in a track of ``sectors`` stored sectors.

    ``bad`` fail, the first of them at LBA ``first``; ``unchecked`` have no checksum.
    """

    track: Track
    sectors: int
    bad: int
    unchecked: int
    first: int | None


def count_bad(tracks: DiscSource) -> Iterator[Count]:
    """For each data track how many of its sectors fail. Reads all of them.

    Raises OSError or DamagedDataError where a file cannot be read.
    """
    for track in tracks.disc.tracks:
        verdicts: Counter[Verdict] = Counter()
        first = None
        for run in tracks.runs:
            part_of = range(max(run.lba, track.start), min(run.end, track.start + track.length))
            if part_of and not _is_recorded(run):
                verdicts[Verdict.UNKNOWN] += len(part_of)
                continue
            for number, verdict in _verdicts(run, part_of):
                verdicts[verdict] += 1
                if verdict is Verdict.BAD and first is None:
                    first = number
        if verdicts:
            bad, unknown = verdicts[Verdict.BAD], verdicts[Verdict.UNKNOWN]
            yield Count(track, verdicts.total(), bad, unknown, first)


def _verdicts(run: DataRun, sectors: range) -> Iterator[tuple[int, Verdict]]:
    """Each of these sectors of ``run`` and what its EDC says.

    Sectors without a sync that are the last ones are audio, in a file whose tracks nobody knows.
    """
    pending = range(0)
    for start in sectors[::_AT_ONCE]:
        count = min(_AT_ONCE, sectors.stop - start)
        for number, sector in enumerate(_stored(run, start, count), start):
            if len(sector) == RAW and sector[: len(SYNC)] != SYNC:
                pending = range(pending.start if pending else number, number + 1)
                continue
            yield from ((each, Verdict.BAD) for each in pending)
            pending = range(0)
            yield number, _verdict(sector)
    yield from ((each, Verdict.UNKNOWN) for each in pending)


def _stored(run: DataRun, start: int, count: int) -> list[memoryview]:
    """That many sectors of ``run`` as they are stored, without their subchannel."""
    size, stride = run.layout.size, run.layout.stride
    wanted = (count - 1) * stride + size
    data = memoryview(run.file.read_at(run.place(start), wanted))
    if len(data) < wanted:
        raise DamagedDataError(f"{run.file.name}: ends within sector {start + count - 1}")
    return [data[at : at + size] for at in range(0, wanted, stride)]


def _verdict(sector: memoryview) -> Verdict:
    """What the EDC of a sector says; it is stored whole, or from its subheader on."""
    if len(sector) == RAW and sector[: len(SYNC)] != SYNC:
        return Verdict.BAD
    missing = RAW - len(sector)  # sync and header, which the EDC of mode 2 is not about
    covered = part(sector, missing)
    if covered is None:
        # An empty sector is all zeros (ECMA-130 14.2); any other mode is none.
        is_damaged = not missing and sector[MODE_AT] != 2 and any(sector[MODE_AT:])
        return Verdict.BAD if is_damaged else Verdict.UNKNOWN
    right = is_right(sector[covered.start - missing : covered.stop - missing])
    return Verdict.GOOD if right else Verdict.BAD


def _is_recorded(run: DataRun) -> bool:
    """Whether EDCs are stored in ``run``: some tools leave them out, to be made anew.

    Then there are zeros, where the EDC of a sector that is not empty cannot be 0.
    """
    if not run.layout.has_edc:
        return False
    sectors: list[memoryview] = []
    for lba in (run.lba, run.lba + DESCRIPTOR):
        if lba < run.end:
            with suppress(IsomountError, OSError):  # who reads it is told
                sectors += _stored(run, lba, 1)
    told = [any(each[-_ECC:]) for each in sectors if any(each[run.layout.data_at :])]
    return any(told) or not told
