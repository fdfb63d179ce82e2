"""Contents: what the bytes of a file are. Frozen values; the reader comes with each call."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from isomount.blocks.reader import Reader
from isomount.errors import DamagedDataError


class Extent(NamedTuple):
    """One run of a file: ``length`` bytes at image byte ``offset``.

    ``recorded`` is False where the format itself says that nothing was written; only such a run
    reads as zeros.
    """

    offset: int
    length: int
    recorded: bool = True


class Content(Protocol):
    """The bytes of one file."""

    @property
    def size(self) -> int:
        """The number of bytes."""

    @property
    def end(self) -> int:
        """The image byte after the last one needed: beyond the image's size means damage."""

    def read(self, reader: Reader, offset: int, length: int) -> bytes:
        """That range: short at the end, or where the next bytes are lost (asked for again from
        there it raises DamagedDataError). Never more than ``length``."""


class BytesContent(NamedTuple):
    """Bytes that are in memory already."""

    data: bytes

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.data)

    @property
    def end(self) -> int:
        """Nothing of the image is needed."""
        return 0

    def read(self, reader: Reader, offset: int, length: int) -> bytes:
        """A slice."""
        return self.data[offset : offset + length]


class ZeroContent(NamedTuple):
    """Zeros, where the format says so."""

    size: int

    @property
    def end(self) -> int:
        """Nothing of the image is needed."""
        return 0

    def read(self, reader: Reader, offset: int, length: int) -> bytes:
        """Zeros."""
        return bytes(max(0, min(length, self.size - offset)))


class SingleExtent(NamedTuple):
    """A file in one run, as nearly all are."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The image byte after the run."""
        return self.start + self.size

    def read(self, reader: Reader, offset: int, length: int) -> bytes:
        """That part of the run."""
        return _read_run(reader, self.start + offset, min(length, self.size - offset))


class Concatenation:
    """Several contents one after the other."""

    __slots__ = ("_parts", "_starts", "end", "size")

    def __init__(self, parts: Sequence[Content]) -> None:
        self._parts = [part for part in parts if part.size]
        self._starts: list[int] = []
        self.size = 0
        for part in self._parts:
            self._starts.append(self.size)
            self.size += part.size
        self.end = max((part.end for part in self._parts), default=0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Concatenation) and self._parts == other._parts

    def __hash__(self) -> int:
        # Enough to tell files apart; all of thousands of parts would take long.
        return hash((self.size, self.end, *self._parts[:1]))

    def read(self, reader: Reader, offset: int, length: int) -> bytes:
        """That range, across as many parts as it touches."""
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        index = bisect_right(self._starts, offset) - 1
        within = offset - self._starts[index]
        pieces: list[bytes] = []
        while length > 0:
            wanted = min(length, self._parts[index].size - within)
            try:
                piece = self._parts[index].read(reader, within, wanted)
            except DamagedDataError:
                if pieces:
                    break
                raise
            pieces.append(piece)
            if len(piece) < wanted:
                break
            length -= wanted
            index, within = index + 1, 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def extent_content(extents: Sequence[Extent]) -> Content:
    """The content of a file that lies in ``extents``, in that order."""
    if len(extents) == 1 and extents[0].recorded:
        return SingleExtent(extents[0].offset, extents[0].length)
    return Concatenation(
        [
            SingleExtent(run.offset, run.length) if run.recorded else ZeroContent(run.length)
            for run in extents
        ]
    )


def _read_run(reader: Reader, offset: int, length: int) -> bytes:
    if length <= 0:
        return b""
    data = reader.read(offset, length)
    if not data:
        raise DamagedDataError(
            f"byte {offset} lies past the end of the image ({reader.size} bytes)"
        )
    return data
