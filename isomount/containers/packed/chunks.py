"""Chunks of one size that may be larger than what is kept of decoded bytes at a time."""

import threading
from functools import partial

from isomount.blocks import Store
from isomount.containers.decoded import BlockwiseSource
from isomount.errors import DamagedDataError
from isomount.sources import Source

# The most that a chunk may have: with what it is decoded from it is in memory at once.
CHUNK_AT_MOST = 8 << 20
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
        if chunk_size > _KEPT_ELSEWHERE:
            self.reads_at_once = 0

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, out of as many chunks as it touches."""
        if self.block_length <= _KEPT_ELSEWHERE:
            return super().read_at(offset, length)
        end = offset + max(0, min(length, self.size - offset))
        pieces: list[bytes] = []
        while offset < end:
            number, within = divmod(offset, self.block_length)
            chunk = self._store.get((self, number), partial(self._one, number))
            pieces.append(chunk[within : within + end - offset])
            offset += len(pieces[-1])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

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
