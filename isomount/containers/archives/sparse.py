"""A member of an archive with holes, which are zeros and take no room."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from isomount.sources import FileRange, Source


class Run(NamedTuple):
    """``length`` bytes from ``offset`` of the member on, which stand at byte ``start``."""

    offset: int
    length: int
    start: int


class Sparse:
    """``size`` bytes, of which ``runs`` are in ``whole``, ascending. A source itself."""

    block_size = None  # what is stored is cached by whoever caches the whole

    def __init__(self, whole: Source, runs: Sequence[Run], size: int) -> None:
        self.name = whole.name
        self.size = size
        self._whole = whole
        self._runs = runs
        self._offsets = [run.offset for run in runs]

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short at the end, or where the whole is."""
        data = bytearray(max(0, min(length, self.size - offset)))
        for run in self._within(offset, len(data)):
            start, end = max(run.offset, offset), min(run.offset + run.length, offset + len(data))
            piece = self._whole.read_at(run.start + start - run.offset, end - start)
            data[start - offset : start - offset + len(piece)] = piece
            if len(piece) < end - start:
                return bytes(data[: start - offset + len(piece)])
        return bytes(data)

    def _within(self, offset: int, length: int) -> Iterator[Run]:
        """The runs that have bytes of that range."""
        for run in self._runs[max(0, bisect_right(self._offsets, offset) - 1) :]:
            if run.offset >= offset + length:
                return
            if run.offset + run.length > offset:
                yield run

    def read_resident(self, offset: int, length: int) -> bytes | None:
        """Not known."""
        return None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """The bytes need not stand side by side."""
        return None

    def close(self) -> None:
        """Close the whole."""
        self._whole.close()
