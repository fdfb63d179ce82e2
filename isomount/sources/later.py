"""A later session of a disc that was stored alone: addresses count from what is not there."""

import errno
import math

from isomount.sources.base import FileRange, Source, reads_at_once


class LaterPart:
    """The disc of which ``source`` is the part from byte ``start`` on, as a Source.

    Reading what comes before raises OSError: these bytes are on the disc, and not zeros.
    """

    def __init__(self, source: Source, start: int) -> None:
        self.name = source.name
        self.size = start + source.size
        self.block_size = source.block_size and math.gcd(source.block_size, start)
        self.reads_at_once = reads_at_once(source)
        self._source = source
        self._start = start

    def measure(self) -> int:
        """How large the disc is now, as far as the part reaches."""
        self.size = self._start + self._source.measure()
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range; short only at the end."""
        if offset < self._start:
            raise OSError(errno.EIO, "it lies in an earlier session, which is not in the image")
        return self._source.read_at(offset - self._start, length)

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """As ``read_at``, but None wherever that would have to wait, or to fail."""
        if offset < self._start:
            return None
        return self._source.read_resident(offset - self._start, length)

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """Where the bytes of that range stand, if all are there and in memory."""
        if offset < self._start:
            return None
        return self._source.resident_range(offset - self._start, length)

    def close(self) -> None:
        """Close the part."""
        self._source.close()
