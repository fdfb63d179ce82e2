"""Chunks of one size that may be larger than what is kept of decoded bytes at a time."""

import threading
from collections.abc import Iterable
from functools import partial

from isomount.blocks import Store
from isomount.containers.decoded import BlockwiseSource
from isomount.errors import DamagedDataError
from isomount.sources import Source

# The most that a chunk may have: with what it is decoded from it is in memory at once.
CHUNK_AT_MOST = 16 << 20
# Whoever keeps decoded blocks keeps no larger ones: such chunks would be decoded piece by piece.
_KEPT_ELSEWHERE = 4 << 20
# No codec expands a chunk much.
EXPANSION_AT_MOST = 2


class ChunkedSource(BlockwiseSource):
    """A BlockwiseSource whose large blocks are decoded one at a time and kept in ``store``."""

    def __init__(self, file: Source, size: int, chunk_size: int, store: Store) -> None:
        super().__init__(file, size, chunk_size)
        self._store = store
        self._lock = threading.Lock()

    def blocks(self, numbers: range) -> Iterable[bytes]:
        """The chunks of these numbers, in order."""
        if self.block_length <= _KEPT_ELSEWHERE:
            return super().blocks(numbers)
        return (self._store.get((self, number), partial(self._one, number)) for number in numbers)

    def _one(self, number: int) -> bytes:
        with self._lock:
            return self.block(number)

    def _exactly(self, number: int, offset: int, length: int) -> bytes:
        """``length`` stored bytes of the chunk ``number``."""
        if length > EXPANSION_AT_MOST * self.block_length:
            raise DamagedDataError(
                f"chunk {number} is damaged: it is larger than any codec makes it"
            )
        stored = self._file.read_at(offset, length)
        if len(stored) < length:
            raise DamagedDataError(f"chunk {number} is cut off")
        return stored

    def _whole(self, number: int, chunk: bytes) -> bytes:
        """``chunk``, which is all of the chunk ``number``."""
        if len(chunk) < self.length_of(number):
            raise DamagedDataError(f"chunk {number} is damaged: it is too short")
        return chunk
