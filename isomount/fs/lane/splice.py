"""Pages of a file handed to the kernel as they are, without a copy of ours (splice(2))."""

import errno
import fcntl
import mmap
import os
from contextlib import suppress

from isomount.sources import FileRange

# What an ordinary user may have. READs of 1 MiB, which raised readahead brings, have no room beside
# their header; of those fewer are needed, and a copy costs little there.
_CAPACITY = 1 << 20


class UnspliceableError(Exception):
    """The range of a file cannot be sent as such; nothing was sent."""


class Splice:
    """A pipe through which answers go to ``device``."""

    def __init__(self, device: int) -> None:
        self._device = device
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        with suppress(OSError):  # a user with many pipes has smaller ones
            fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, _CAPACITY)
        # Each page takes a place, whatever it holds of the range: one for the header, and one more
        # as the range need not begin with a page.
        size = fcntl.fcntl(self._writer, fcntl.F_GETPIPE_SZ)
        self.at_most = max(0, size - 2 * mmap.PAGESIZE)

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._reader)
        os.close(self._writer)

    def send(self, header: bytes, data: FileRange) -> None:
        """Send an answer of not more than ``at_most`` bytes.

        Raises UnspliceableError where the range cannot be had this way, or OSError where the device
        does not take it. It waits where a page of the range is not in memory.
        """
        try:
            self._fill(header, data)
        except OSError as error:
            self._empty()
            raise UnspliceableError from error
        try:
            size = len(header) + len(data)
            if os.splice(self._reader, self._device, size) < size:
                raise OSError(errno.EIO, "the device took a part of an answer")
        except OSError:
            self._empty()
            raise

    def _fill(self, header: bytes, data: FileRange) -> None:
        os.write(self._writer, header)
        done = 0
        while done < len(data):
            count = os.splice(
                data.descriptor, self._writer, len(data) - done, offset_src=data.offset + done
            )
            if count == 0:
                raise OSError(errno.EIO, "the file has become shorter")
            done += count

    def _empty(self) -> None:
        """What is left must not get into the next answer."""
        with suppress(BlockingIOError):
            while os.read(self._reader, _CAPACITY):
                pass
