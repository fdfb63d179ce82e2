"""The one way up from a source: checked reads, and blocks kept within a budget."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from isomount.blocks.aligned import AlignedBlocks
from isomount.blocks.coded import CodedSource
from isomount.blocks.reader import Coded, ResidentReader
from isomount.blocks.store import Store
from isomount.errors import DamagedDataError
from isomount.sources import Source, is_end_near, reads_at_once
from isomount.workers import WORKERS

# Compressed files of which blocks are kept.
_DECODERS_AT_MOST = 64


class BlockCache:
    """Reads of one source. Thread-safe.

    Where the kernel's page cache holds a source's bytes already, a range passes straight through: a
    copy here would only double it. Those of other sources are kept in aligned blocks, as is what
    costs work to make (decompressed blocks); least recently used out first, and each brought once
    however many ask for it at the same time.
    """

    def __init__(self, source: Source, store: Store | None = None) -> None:
        """``store`` is shared by all that read the image; without one it has its own."""
        self.source = source
        self.size = source.size
        self._store = Store() if store is None else store
        self._bytes: Source = source
        if source.block_size is not None:
            self._bytes = AlignedBlocks(source, self._store, source.block_size)
        self._reads_at_once = min(WORKERS.at_most, reads_at_once(self._bytes))
        self._decoders: OrderedDict[Coded, AlignedBlocks] = OrderedDict()
        self._lock = threading.Lock()
        self.resident = ResidentReader(self._bytes, self._decoder)
        self._is_closed = False
        # Called when there is more of the image: what was made of less of it is out of date.
        self.on_growth: Callable[[], None] = lambda: None

    def read(self, offset: int, length: int) -> bytes:
        """That range, short only where the image ends; it is measured again by who asks for more.

        Raises DamagedDataError or OSError.
        """
        while offset + length > self.size and self.has_grown():
            continue  # a source that is decoded learns of more only step by step
        wanted = min(length, self.size - offset)
        if wanted <= 0 or offset < 0:
            return b""
        data = self._bytes.read_at(offset, wanted)
        if len(data) < wanted and offset + len(data) < self._measure():
            raise DamagedDataError(
                f"{self.source.name}: has become shorter since it was opened "
                f"(no data at byte {offset + len(data)})"
            )
        return data

    @property
    def is_end_known(self) -> bool:
        """As of the source: whether reading its end needs no long wait."""
        return is_end_near(self._bytes)

    def has_grown(self) -> bool:
        """Whether the image is longer than was known: a download, say, that goes on. May wait."""
        before = self.size
        if self._measure() <= before:
            return False
        self.on_growth()
        return True

    def _measure(self) -> int:
        self.size = self.resident.size = self._bytes.measure()
        return self.size

    def decoded(self, coded: Coded, offset: int, length: int) -> bytes:
        """That range of what ``coded`` decodes, each block once for all who ask."""
        return self._decoder(coded).read_at(offset, max(0, length))

    def _decoder(self, coded: Coded) -> AlignedBlocks:
        with self._lock:
            decoder = self._decoders.get(coded)
            if decoder is None:
                source = CodedSource(coded, self, self._reads_at_once)
                decoder = AlignedBlocks(source, self._store, coded.block_size)
                self._decoders[coded] = decoder
                if len(self._decoders) > _DECODERS_AT_MOST:
                    self._decoders.popitem(last=False)
            else:
                self._decoders.move_to_end(coded)
            return decoder

    def close(self) -> None:
        """Forget every block and close the source. Closing again does nothing."""
        if not self._is_closed:
            self._is_closed = True
            with self._lock:
                for decoder in self._decoders.values():
                    decoder.close()
                self._decoders.clear()
            self._store.close()
            self._bytes.close()  # and with it the source: nothing begins ahead any more
