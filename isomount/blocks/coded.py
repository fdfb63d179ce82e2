"""What is decoded of an image, as a source itself."""

from collections.abc import Iterator
from contextlib import suppress

from isomount.blocks.reader import Coded, Reader
from isomount.errors import DamagedDataError
from isomount.sources import FileRange


def read_coded(reader: Reader, coded: Coded, offset: int, length: int) -> bytes:
    """That range of ``coded``, short where the next block is lost.

    Raises DamagedDataError or OSError if that is the first one.
    """
    size = coded.block_size
    within = offset % size
    try:
        return reader.decoded(coded, offset, length)
    except (DamagedDataError, OSError):
        if within + length <= size:
            raise
    # One after the other, as far as they can be had.
    pieces = [reader.decoded(coded, offset, size - within)]
    with suppress(DamagedDataError, OSError):
        for at in range(offset - within + size, offset + length, size):
            pieces.append(reader.decoded(coded, at, min(size, offset + length - at)))
    return b"".join(pieces)


class CodedSource:
    """The bytes that ``coded`` makes of what ``reader`` reads. Who reads from it keeps blocks."""

    name = ""

    def __init__(self, coded: Coded, reader: Reader, reads_at_once: int) -> None:
        self.size = coded.size
        self.block_size: int | None = coded.block_size
        self._length = coded.block_size
        self.reads_at_once = reads_at_once
        self._coded = coded
        self._reader = reader

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """That range out of the blocks that it touches."""
        length = min(length, self.size - offset)
        numbers = range(offset // self._length, -(-(offset + length) // self._length))
        data = b"".join(self._coded.decode(self._reader, numbers))
        skipped = offset % self._length
        return data[skipped : skipped + length]

    def pieces(self, offset: int, length: int) -> Iterator[bytes]:
        """That range block by block."""
        first = offset // self._length
        return self._coded.decode(self._reader, range(first, first + -(-length // self._length)))

    def read_resident(self, offset: int, length: int) -> bytes | None:
        """Never asked, as blocks are kept elsewhere."""
        return None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """Never asked, as what is decoded stands in no file."""
        return None

    def close(self) -> None:
        """The image is closed by who opened it."""
