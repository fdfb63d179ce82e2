"""How far to read ahead: only for who reads in order, and the farther the longer they do."""

import threading
from collections import OrderedDict

# Streams remembered: as many files may be read at the same time.
_STREAMS_AT_MOST = 16


class ReadAhead:
    """Remembers where loads ended: one that begins there goes on with a stream. Thread-safe."""

    def __init__(self, at_most: int) -> None:
        """``at_most`` is the largest number of blocks to load ahead."""
        self._at_most = at_most
        self._lock = threading.Lock()
        # The block after each latest load, and how many to load ahead when that is asked for.
        self._streams: OrderedDict[int, int] = OrderedDict()

    def beyond(self, load: range) -> int:
        """How many blocks after the blocks of ``load`` are worth loading with them.

        None for a first load, as many again for the next one, and twice as many each time.
        """
        with self._lock:
            ahead = min(self._streams.pop(load.start, 0), self._at_most)
            self._streams[load.stop + ahead] = max(2 * ahead, len(load))
            if len(self._streams) > _STREAMS_AT_MOST:
                self._streams.popitem(last=False)
            return ahead
