"""Sending pages of a file to the kernel without copying them (splice(2))."""

import errno
import fcntl
import mmap
import os
from contextlib import suppress

from isomount.sources import FileRange

# The limit for unprivileged users (pipe-max-size). A READ of 1 MiB, as with raised readahead, does
# not fit together with its header; such reads are few, and copying them costs little.
_CAPACITY = 1 << 20


class UnspliceableError(Exception):
    """The file range cannot be spliced; nothing was sent."""


class Splice:
    """A pipe through which replies are spliced to ``device``."""

    def __init__(self, device: int) -> None:
        self._device = device
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        with suppress(OSError):  # EPERM above pipe-user-pages-soft: keep the smaller pipe
            fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, _CAPACITY)
        # A partly used page takes a whole slot of the pipe: one slot for the header, and one more
        # as the range may not be page-aligned.
        size = fcntl.fcntl(self._writer, fcntl.F_GETPIPE_SZ)
        self.at_most = max(0, size - 2 * mmap.PAGESIZE)

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._reader)
        os.close(self._writer)

    def send(self, header: bytes, data: FileRange) -> None:
        """Send a reply of at most ``at_most`` bytes.

        Raises UnspliceableError if the file range cannot be spliced into the pipe, and OSError if
        the device rejects the reply. Blocks if a page of the range is not in memory.
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
        """Discard what is left in the pipe, so that it does not precede the next reply."""
        with suppress(BlockingIOError):
            while os.read(self._reader, _CAPACITY):
                pass
