"""What sources have in common whose bytes are decoded from those of another."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from isomount.sources import FileRange, Source, reads_at_once
from isomount.workers import WORKERS

# Smaller blocks are decoded and kept several together: each by itself would cost more than that.
_KEPT_AT_LEAST = 32 << 10


class DecodedSource(ABC):
    """The base of a source that is decoded from ``file``, which it closes.

    Whoever reads from it keeps aligned blocks of ``block_size`` bytes.
    """

    def __init__(self, file: Source, size: int, block_size: int) -> None:
        self.name = file.name
        self.size = size
        self.block_size: int | None = block_size
        # Ahead of who reads it, if the file can be read then. One after the other: what is decoded
        # in order would be decoded again by who comes second.
        self.reads_at_once = min(1, reads_at_once(file))
        self._file = file

    @abstractmethod
    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short only at the end. Raises DamagedDataError or OSError."""

    def pieces(self, offset: int, length: int) -> Iterator[bytes]:
        """That range in pieces of the block size (see ``InPieces``)."""
        size = self.block_size or length
        for at in range(offset, offset + length, size):
            yield self.read_at(at, min(size, offset + length - at))

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_resident(self, offset: int, length: int) -> bytes | None:
        """Never asked, as blocks are kept elsewhere."""
        return None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """Never asked, as what is decoded stands in no file."""
        return None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class BlockwiseSource(DecodedSource):
    """A decoded source made of blocks of one size, each decoded alone; the last may be shorter.

    They are decoded by several threads ahead of who reads in order.
    """

    def __init__(self, file: Source, size: int, block_size: int) -> None:
        super().__init__(file, size, block_size * max(1, _KEPT_AT_LEAST // block_size))
        self.block_length = block_size
        self.reads_at_once = min(WORKERS.at_most, reads_at_once(file))

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return -(-self.size // self.block_length)

    def length_of(self, number: int) -> int:
        """How many bytes the block ``number``, from 0 on, has."""
        return min(self.block_length, self.size - number * self.block_length)

    @abstractmethod
    def block(self, number: int) -> bytes:
        """The block ``number``, of exactly its length. Raises DamagedDataError or OSError."""

    def blocks(self, numbers: range) -> Iterable[bytes]:
        """The blocks of these numbers, in order. A kind whose blocks are stored one behind the
        other reads them at once here."""
        return map(self.block, numbers)

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, out of as many blocks as it touches."""
        length = max(0, min(length, self.size - offset))
        first, end = offset // self.block_length, -(-(offset + length) // self.block_length)
        data = b"".join(self.blocks(range(first, end)))
        skipped = offset - first * self.block_length
        return data if len(data) == length else data[skipped : skipped + length]
