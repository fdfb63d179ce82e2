"""Detecting sequential reads of a source by their offsets."""

import threading
from collections import deque

# Streams remembered: so many files can be read at the same time.
_STREAMS_AT_MOST = 16
# Requests of one reader may arrive out of order by about this much.
_DISORDER = 256 << 10


class Streams:
    """Remembers the latest reads and how far ahead of them was fetched. Thread-safe."""

    def __init__(self, ahead: int) -> None:
        """``ahead`` is how many bytes after a read are fetched when it is part of a stream."""
        self._ahead = ahead
        self._lock = threading.Lock()
        # For each stream, the range in which its next read is expected.
        self._expected: deque[range] = deque(maxlen=_STREAMS_AT_MOST)

    def goes_on(self, offset: int, length: int) -> bool:
        """Whether a read of ``length`` bytes at ``offset`` continues an earlier one."""
        start, end = offset - _DISORDER, offset + length + _DISORDER
        with self._lock:
            stream = next((known for known in self._expected if offset in known), None)
            if stream is None:
                self._expected.append(range(start, end))
                return False
            self._expected.remove(stream)
            self._expected.append(range(start, end + self._ahead))
            return True
