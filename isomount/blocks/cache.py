"""The one way up from a source: checked reads, and decoded blocks kept within a budget."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Protocol

from isomount.errors import DamagedDataError
from isomount.sources import FileRange, Source

# Decoded (decompressed) blocks that are kept, in bytes.
DECODED_BUDGET = 16 << 20


class NotResidentError(Exception):
    """The answer would have to wait for a disk or a decoder: ask again from a worker thread."""


class Reader(Protocol):
    """What formats and contents read an image through."""

    @property
    def size(self) -> int:
        """The image's size in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """That range, short only where the image ends. Raises DamagedDataError or OSError."""

    def decoded(self, key: Hashable, decode: Callable[[], bytes]) -> bytes:
        """What ``decode`` makes of a stored block, remembered under ``key``."""


class BlockCache:
    """Reads of one source. Thread-safe.

    A local range passes straight through: the kernel's page cache holds it already and a copy here
    would only double it. What costs work to make (decompressed blocks) is kept, least recently used
    out first, and made once however many ask for it at the same time.
    """

    def __init__(self, source: Source, budget: int = DECODED_BUDGET) -> None:
        self.source = source
        self.size = source.size
        self.resident = ResidentReader(self)
        self._budget = budget
        self._held = 0
        self._blocks: OrderedDict[Hashable, bytes] = OrderedDict()
        self._loading: dict[Hashable, Future[bytes]] = {}
        self._lock = threading.Lock()

    def read(self, offset: int, length: int) -> bytes:
        """That range, short only where the image ended when it was opened."""
        wanted = min(length, self.size - offset)
        if wanted <= 0 or offset < 0:
            return b""
        data = self.source.read_at(offset, wanted)
        if len(data) < wanted:
            raise DamagedDataError(
                f"{self.source.name}: has become shorter since it was opened "
                f"(no data at byte {offset + len(data)})"
            )
        return data

    def decoded(self, key: Hashable, decode: Callable[[], bytes]) -> bytes:
        """The block under ``key``, made by ``decode`` if it is not held, once for all who ask."""
        with self._lock:
            held = self._held_block(key)
            if held is not None:
                return held
            future = self._loading.get(key)
            mine = future is None
            if future is None:
                future = self._loading[key] = Future()
        if not mine:
            return future.result()
        try:
            block = decode()
        except BaseException as error:
            future.set_exception(error)
            del future  # else it and the error's traceback would hold each other
            with self._lock:
                del self._loading[key]
            raise
        future.set_result(block)
        with self._lock:
            del self._loading[key]
            self._keep(key, block)
        return block

    def held(self, key: Hashable) -> bytes | None:
        """The decoded block under ``key`` if it is held."""
        with self._lock:
            return self._held_block(key)

    def close(self) -> None:
        """Forget every block and close the source."""
        with self._lock:
            self._blocks.clear()
            self._held = 0
        self.source.close()

    def _held_block(self, key: Hashable) -> bytes | None:
        block = self._blocks.get(key)
        if block is not None:
            self._blocks.move_to_end(key)
        return block

    def _keep(self, key: Hashable, block: bytes) -> None:
        self._blocks[key] = block
        self._held += len(block)
        while self._held > self._budget and self._blocks:
            _, oldest = self._blocks.popitem(last=False)
            self._held -= len(oldest)


class ResidentReader:
    """The same image, read without ever waiting: NotResidentError where that is impossible.

    For one thread alone, the one that must not wait.
    """

    def __init__(self, blocks: BlockCache) -> None:
        self._blocks = blocks
        self.size = blocks.size

    def read(self, offset: int, length: int) -> bytes:
        """That range out of memory, or NotResidentError."""
        return bytes(self.read_data(offset, length))

    def read_data(self, offset: int, length: int) -> bytes | memoryview:
        """As ``read``, without a copy of what the source gave: good until the next read."""
        wanted = min(length, self.size - offset)
        if wanted <= 0 or offset < 0:
            return b""
        data = self._blocks.source.read_resident(offset, wanted)
        # A short answer means that the image shrank: the waiting reader finds the words for it.
        if data is None or len(data) < wanted:
            raise NotResidentError
        return data

    def range(self, offset: int, length: int) -> FileRange | None:
        """Where that range stands, if it can be handed on unread."""
        return self._blocks.source.resident_range(offset, length) if offset >= 0 else None

    def decoded(self, key: Hashable, decode: Callable[[], bytes]) -> bytes:
        """A block that is held already, or NotResidentError: decoding belongs to a worker."""
        block = self._blocks.held(key)
        if block is None:
            raise NotResidentError
        return block
