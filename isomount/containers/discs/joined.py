"""Files that were cut out of one, as one again."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from isomount.sources import FileRange, Source


class JoinedSource:
    """``parts`` one after the other, as a source. There is at least one.

    They are read through caches of their own where they need one, and closed with it.
    """

    block_size = None

    def __init__(self, parts: Sequence[Source]) -> None:
        self.name = parts[0].name
        self._parts = parts
        self._starts = [0, *accumulate(part.size for part in parts)]
        self.size = self._starts[-1]

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, out of as many parts as it touches; short at the end."""
        end = min(offset + length, self.size)
        pieces: list[bytes] = []
        while offset < end:
            number, within = self._place(offset)
            wanted = min(end, self._starts[number + 1]) - offset
            piece = self._parts[number].read_at(within, wanted)
            pieces.append(piece)
            if len(piece) < wanted:
                break
            offset += wanted
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """As the part does that has all of the range."""
        number, within = self._place(offset)
        if number >= len(self._parts) or offset + length > self._starts[number + 1]:
            return None
        return self._parts[number].read_resident(within, length)

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """As the part does that has all of the range."""
        number, within = self._place(offset)
        if number >= len(self._parts) or offset + length > self._starts[number + 1]:
            return None
        return self._parts[number].resident_range(within, length)

    def close(self) -> None:
        """Close the parts."""
        for part in self._parts:
            part.close()

    def _place(self, offset: int) -> tuple[int, int]:
        """The number of the part that has the byte ``offset``, and where in it."""
        number = bisect_right(self._starts, offset) - 1
        return number, offset - self._starts[number]
