"""The data of a disc as a source of 2048-byte sectors, counted from LBA 0."""

import errno
from bisect import bisect_right

from isomount.containers.discs.disc import Disc, Mode, Run
from isomount.errors import NotAnImageError
from isomount.sources import FileRange

SECTOR = 2048
# Where user data begins in a sector, by the bytes stored of it (ECMA-130 14); of 2352 bytes in
# mode 1, in mode 2 it is behind the subheader.
_DATA_AT = {2048: 0, 2056: 8, 2324: 0, 2332: 8, 2336: 8, 2352: 16}
_MODE2_DATA_AT = 24


class DiscSource:
    """The data tracks of ``disc``, each sector at its LBA.

    Reading what no data track has (audio, gaps between sessions) raises OSError: no program gets
    zeros that are on no disc.
    """

    def __init__(self, disc: Disc, name: str) -> None:
        """Raises NotAnImageError if there is no data track."""
        self._runs = [run for run in disc.runs if run.mode is not Mode.AUDIO]
        if not self._runs:
            raise NotAnImageError(
                f"{name}: is an audio disc without a data track, so there is nothing to mount"
            )
        self.name = name
        self.size = self._runs[-1].end * SECTOR
        self.block_size = None
        self._disc = disc
        self._starts = [run.lba for run in self._runs]

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short at the end."""
        length = max(0, min(length, self.size - offset))
        first, end = offset // SECTOR, -(-(offset + length) // SECTOR)
        data = b"".join(self._sector(lba) for lba in range(first, end))
        return data[offset - first * SECTOR :][:length]

    def _sector(self, lba: int) -> bytes:
        index = bisect_right(self._starts, lba) - 1
        run = self._runs[index] if index >= 0 else None
        if run is None or lba >= run.end:
            raise OSError(errno.EIO, f"sector {lba} is in no data track")
        start = run.offset + (lba - run.lba) * run.stride + _data_at(run)
        return run.file.read_at(start, SECTOR)

    def read_resident(self, offset: int, length: int) -> bytes | None:
        """Not known."""
        return None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """The bytes stand in no file side by side."""
        return None

    def close(self) -> None:
        """Close the disc's files."""
        self._disc.close()


def _data_at(run: Run) -> int:
    return _MODE2_DATA_AT if run.size == 2352 and run.mode is Mode.MODE2 else _DATA_AT[run.size]
