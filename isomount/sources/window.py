"""A part of another source: the partition of a disk, or what follows a foreign header."""

from isomount.sources.base import FileRange, Source, reads_at_once


class Window:
    """The bytes of ``whole`` from ``start`` on, at most ``length`` of them. A source itself.

    What the whole does fast is as fast here: only the offset differs.
    """

    def __init__(self, whole: Source, start: int, length: int | None = None) -> None:
        """Without ``length`` it reaches to the end. ``start`` lies within the whole."""
        self.name = whole.name
        self.block_size = whole.block_size
        self.reads_at_once = reads_at_once(whole)
        self._whole = whole
        self._start = start
        self._length = length
        self.size = self._reach(whole.size)

    def _reach(self, size: int) -> int:
        """How much of the window there is when the whole has ``size`` bytes."""
        left = max(0, size - self._start)
        return left if self._length is None else min(left, self._length)

    def measure(self) -> int:
        """How much of the window there is now."""
        self.size = self._reach(self._whole.measure())
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """That range of the window, short at its end."""
        wanted = max(0, min(length, self.size - offset))
        return self._whole.read_at(self._start + offset, wanted)

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """As the whole does."""
        wanted = max(0, min(length, self.size - offset))
        return self._whole.read_resident(self._start + offset, wanted)

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """As the whole does, if all of the range is in the window."""
        if offset + length > self.size:
            return None
        return self._whole.resident_range(self._start + offset, length)

    def close(self) -> None:
        """Close the whole."""
        self._whole.close()
