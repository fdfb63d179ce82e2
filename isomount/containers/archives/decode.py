"""Members that have to be decoded from their beginning: in memory if they are small."""

from contextlib import suppress

from isomount.containers.base import Surroundings
from isomount.containers.copy import Chunks, decoded_copy
from isomount.errors import IsomountError
from isomount.sources import FileRange, Source

# A sheet, or the like: nobody need be told that it is decoded.
SMALL = 256 << 10


def decoded(
    name: str, size: int, key: str | None, chunks: Chunks, surroundings: Surroundings
) -> Source:
    """As ``decoded_copy``, without a copy where that is not worth it."""
    if size <= SMALL:
        with suppress(IsomountError, OSError, EOFError):  # the copy has what comes before it
            return Memory(name, _all(chunks, size))
    return decoded_copy(name, size, key, chunks, surroundings)


def _all(chunks: Chunks, size: int) -> bytes:
    """The ``size`` bytes. Raises EOFError if they are fewer."""
    data = bytearray()
    pieces = chunks()
    while len(data) < size:
        piece = next(pieces, None)
        if piece is None:
            raise EOFError("it is cut off")
        data += piece
    return bytes(data[:size])


class Memory:
    """Bytes as a source."""

    block_size = None  # it is all in memory

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.size = len(data)
        self._data = data

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short at the end."""
        return self._data[offset : offset + length]

    def read_resident(self, offset: int, length: int) -> bytes:
        """The same."""
        return self.read_at(offset, length)

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """It stands in no file."""
        return None

    def close(self) -> None:
        """Nothing is open."""
