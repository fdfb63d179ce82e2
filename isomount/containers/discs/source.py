"""The data of a disc as a source of 2048-byte sectors, counted from LBA 0."""

import errno
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property

from isomount.containers.discs.disc import Disc
from isomount.containers.discs.sectors import DESCRIPTOR, FORM2, IDENTIFIERS, SECTOR
from isomount.containers.discs.settle import DataRun, settle
from isomount.containers.discs.sieve import Sieve
from isomount.errors import DamagedDataError, IsomountError, NotAnImageError
from isomount.sources import FileRange, LocalSource, Source

# The high-density area of a GD-ROM begins here; it is a session of its own, whatever a sheet says.
_HIGH_DENSITY = 45000


class DiscSource:
    """The data tracks of ``disc``, each sector at its LBA. Thread-safe.

    Reading what no data track has (audio, gaps between sessions) raises OSError: no program gets
    zeros that are on no disc.
    """

    # The files of the disc are in the page cache or, if they are decoded, kept in aligned blocks.
    block_size = None

    def __init__(self, disc: Disc, name: str, cached: Callable[[Source], Source]) -> None:
        """``cached`` makes of a file of the disc one to read from again and again.

        Raises NotAnImageError if there is no data track.
        """
        self.name = name
        self.disc, self._runs = settle(disc, cached)
        if not self._runs:
            raise NotAnImageError(
                f"{name}: is an audio disc without a data track, so there is nothing to mount"
            )
        self.size = max(0, self._runs[-1].end) * SECTOR
        self._starts = [run.lba for run in self._runs]
        self._sieves: dict[int, Sieve] = {}

    @property
    def runs(self) -> tuple[DataRun, ...]:
        """Where the sectors of the data tracks are stored."""
        return tuple(self._runs)

    @cached_property
    def sessions(self) -> dict[int, int]:
        """The first sectors of sessions that have volumes, by their numbers; none if unknown.

        A disc of one session with data from LBA 0 on tells nothing: there may be sessions in it.
        """
        starts: dict[tuple[int, bool], int] = {}
        for track in self.disc.tracks:
            key = track.session, track.start >= _HIGH_DENSITY
            if key not in starts and self._has_volume(track.start):
                starts[key] = track.start
        numbered: dict[int, int] = {}
        for (session, _), start in sorted(starts.items(), key=lambda each: each[1]):
            numbered[max(session, max(numbered, default=0) + 1)] = start
        return {} if list(numbered.values()) == [0] else numbered

    def _has_volume(self, start: int) -> bool:
        try:
            data = self.read_at((start + DESCRIPTOR) * SECTOR + 1, len(IDENTIFIERS[0]))
        except (IsomountError, OSError):
            return False
        return data in IDENTIFIERS

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short at the end. Raises OSError or DamagedDataError."""
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        first, end = offset // SECTOR, -(-(offset + length) // SECTOR)
        pieces = [self.data(run, start, count) for run, start, count in self.parts(first, end)]
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if len(data) == length:
            return data
        start = offset - first * SECTOR
        return data[start : start + length]

    def data(self, run: DataRun, start: int, count: int) -> bytes:
        """The user data of ``count`` sectors of ``run`` from ``start`` on."""
        return self.picked(run, start, count, SECTOR)

    def picked(self, run: DataRun, start: int, count: int, size: int) -> bytes:
        """``size`` bytes from where user data begins in each of these sectors."""
        stride = run.layout.stride
        wanted = (count - 1) * stride + size
        stored = run.file.read_at(run.place(start) + run.layout.data_at, wanted)
        if len(stored) < wanted:
            raise DamagedDataError(
                f"{run.file.name}: has become shorter since it was opened, or lacks the end of "
                f"sector {start + count - 1}"
            )
        return stored if stride == size else _columns(stored, stride, size)

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """As ``read_at``, but None wherever that would have to wait, or to fail."""
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        first, last = offset // SECTOR, (offset + length - 1) // SECTOR
        run = self._run_at(first)
        if run is None or last >= run.end:
            return None
        data = self._resident(run, first, last + 1 - first)
        if data is None or len(data) == length:
            return data
        start = offset - first * SECTOR
        return data[start : start + length]

    def _resident(self, run: DataRun, start: int, count: int) -> bytes | memoryview | None:
        """The user data of these sectors if all of it is in memory."""
        place, stride = run.place(start) + run.layout.data_at, run.layout.stride
        if isinstance(run.file, LocalSource) and stride > SECTOR and count <= Sieve.AT_MOST:
            sieve = self._sieves.get(stride)
            if sieve is None:
                sieve = self._sieves[stride] = Sieve(stride)
            return sieve.read(run.file, place, count)
        wanted = (count - 1) * stride + SECTOR
        stored = run.file.read_resident(place, wanted)
        if stored is None or len(stored) < wanted:
            return None
        return stored if stride == SECTOR else _columns(stored, stride, SECTOR)

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """Where the bytes of that range stand, if they do so side by side and are in memory."""
        run = self._run_at(offset // SECTOR)
        if run is None or run.layout.stride != SECTOR or offset + length > run.end * SECTOR:
            return None
        return run.file.resident_range(run.place(0) + offset, length)

    def has_form2(self, lba: int) -> bool:
        """Whether all 2324 bytes of form 2 are stored of the sector ``lba`` and its neighbours."""
        run = self._run_at(lba)
        return run is not None and run.layout.has_form2

    def form2(self, start: int, count: int) -> bytes:
        """The 2324 bytes behind the subheader of each of these sectors, whatever their form.

        Raises OSError or DamagedDataError.
        """
        parts = self.parts(start, start + count)
        return b"".join(self.picked(run, at, number, FORM2) for run, at, number in parts)

    def parts(self, first: int, end: int) -> Iterator[tuple[DataRun, int, int]]:
        """Runs with sectors ``first`` to ``end``: each with the first of them and their count.

        Raises OSError where a sector is in none.
        """
        while first < end:
            run = self._run_at(first)
            if run is None:
                raise OSError(errno.EIO, self._missing(first))
            count = min(end, run.end) - first
            yield run, first, count
            first += count

    def _run_at(self, lba: int) -> DataRun | None:
        index = bisect_right(self._starts, lba) - 1
        if index < 0 or lba >= self._runs[index].end:
            return None
        return self._runs[index]

    def _missing(self, lba: int) -> str:
        """Why there is no data at the sector ``lba``."""
        for track in self.disc.tracks:
            if track.start <= lba < track.start + track.length:
                return f"sector {lba} is in track {track.number} ({track.mode.value}): no data"
        return f"sector {lba} is in no track: nothing of it is stored"

    def close(self) -> None:
        """Close the disc's files."""
        self.disc.close()


def _columns(stored: bytes | memoryview, stride: int, size: int) -> bytes:
    """The first ``size`` bytes of every ``stride``."""
    view = memoryview(stored)
    return b"".join([view[at : at + size] for at in range(0, len(view), stride)])
