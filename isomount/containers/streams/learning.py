"""Streams that do not say where what is in them, or how long it is: both are learnt by reading."""

from abc import abstractmethod
from contextlib import suppress

from isomount.containers.streams.cursors import CursorSource
from isomount.containers.streams.points import Point, Points
from isomount.errors import IsomountError
from isomount.sources import Source

_BLOCK = 64 << 10
# Behind any end.
_BEYOND = 1 << 62


class LearningSource(CursorSource):
    """A decoded source whose points are learnt, and whose size is a guess until the end is seen.

    The guess may be too large: reads are short then where the end turns out to be. Where it is too
    small, ``measure`` tells.
    """

    def __init__(self, file: Source, first: Point, key: str | None) -> None:
        """Decoding begins at ``first``; ``key`` is what the index is kept under."""
        super().__init__(file, 0, _BLOCK)
        self.points = Points(first, key)
        self.is_likely = False  # whether nothing is read to make sure of the size

    @property
    def stored(self) -> Source:
        """The file."""
        return self._file

    @property
    def is_end_known(self) -> bool:
        """Whether ``size`` is sure, and reading the end needs no long wait."""
        return self.points.end is not None

    @abstractmethod
    def next_guess(self) -> int | None:
        """The size, given that it is more than ``size``; None if only the end will tell."""

    def nearest(self, offset: int) -> int:
        """The last point not after ``offset``."""
        return self.points.nearest(offset)

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range. Who reads the last byte learns whether it is the last one."""
        data = super().read_at(offset, length)
        if self.points.end is None and data and offset + len(data) == self.size:
            self.is_likely = False
            with suppress(IsomountError, OSError):
                super().read_at(self.size, 1)
        return data

    def measure(self) -> int:
        """The size. Where it is not likely, all before is read to know whether there is more."""
        if self.points.end is None and not self.is_likely:
            try:
                if super().read_at(self.size, 1):
                    self.size = self.next_guess() or self.measure_all()
            except (IsomountError, OSError):
                self._give_up()
        if self.points.end is not None:
            self.size = self.points.end
        return self.size

    def measure_all(self) -> int:
        """The size, for which everything is read."""
        try:
            super().read_at(_BEYOND, 1)
        except (IsomountError, OSError):
            self._give_up()
        return self.measure()

    def _give_up(self) -> None:
        """Take the size for what is known of it: all further is damaged."""
        self.size = max(self.size, self.failed_at)
        self.is_likely = True

    def close(self) -> None:
        """Close the file, the index and every decoder."""
        super().close()
        self.points.close()
