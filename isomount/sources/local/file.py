"""A local file or block device as the source of an image."""

import errno
import os
import stat
import threading
from contextlib import suppress

from isomount.errors import (
    ClosedError,
    DirectoryAsImageError,
    ForbiddenImageError,
    ImageUnreadableError,
    MissingImageError,
)
from isomount.sources.base import FileRange
from isomount.sources.local.residence import RANGE_AT_MOST, Residence
from isomount.sources.local.streams import Streams

# The size of the kernel's READ requests unless readahead is raised.
_USUAL_READ = 128 << 10
# Reads of at least this size may be part of a sequential stream; this much more is then fetched
# ahead. The kernel's own readahead does not recognise a stream that is partly read from the cache.
_LARGE = 128 << 10
_AHEAD = 4 << 20
# Reads under way for what is decoded ahead: a disk orders them, and more would gain nothing.
_READS_AT_ONCE = 8


class _Descriptor:
    """An open file, closed when the last reference is dropped.

    A read in another thread holds a reference, so the descriptor cannot be reused for another file
    in the meantime.
    """

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


class LocalSource:
    """A regular file or a block device, read with pread.

    ``os.preadv`` with ``RWF_NOWAIT`` reads only what the page cache holds. On file systems that do
    not support the flag, ``read_resident`` always returns None, except on tmpfs and ramfs.
    """

    block_size = None  # the kernel's page cache keeps what was read
    reads_at_once = _READS_AT_ONCE

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open ``path``. Raises ImageUnreadableError with the reason and the remedy."""
        self.name = os.fspath(path)
        # The flag that keeps preadv from blocking; None if the file system does not support it.
        self._flag: int | None = os.RWF_NOWAIT
        self._streams = Streams(_AHEAD)
        self._buffer = memoryview(bytearray(_USUAL_READ))
        try:
            # O_NONBLOCK: opening a FIFO or a drive that spins up must not block.
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
            number = os.open(self.name, flags)
        except OSError as error:
            raise _unreadable(self.name, error) from error
        try:
            self.size = self._measure(number)
            # When it was last changed, in nanoseconds: another one means another content.
            self.modified = os.fstat(number).st_mtime_ns
        except BaseException:  # the caller has no source to close
            os.close(number)
            raise
        self._descriptor: _Descriptor | None = _Descriptor(number)
        self._residence: Residence | None = None
        self._closing = threading.Lock()
        with suppress(OSError):  # without it, nothing is spliced
            self._residence = Residence(number, self.size)

    def _measure(self, descriptor: int) -> int:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise DirectoryAsImageError(
                errno.EISDIR, self.name, "is a folder; name the image file to mount, not a folder"
            )
        if stat.S_ISFIFO(mode):
            raise ImageUnreadableError(
                f"{self.name}: is a pipe, and an image is read in any order; save what comes "
                "through it to a file first"
            )
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            raise ImageUnreadableError(
                f"{self.name}: is neither a file nor a disc drive, so it cannot be read as an image"
            )
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            if stat.S_ISBLK(mode):
                os.pread(descriptor, 1, 0)
        except OSError as error:
            raise _unreadable(self.name, error) from error
        if stat.S_ISBLK(mode) and size == 0:
            raise ImageUnreadableError(f"{self.name}: there is no disc in the drive")
        return size

    def measure(self) -> int:
        """The size now, if it has grown: a download, say."""
        descriptor = self._descriptor
        if descriptor is not None:
            self.size = max(self.size, os.fstat(descriptor.number).st_size)
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Read with pread until ``length`` bytes or the end. Raises ClosedError after ``close``."""
        descriptor = self._descriptor
        if descriptor is None:
            raise ClosedError(f"{self.name}: the image is closed")
        try:
            return self._read(descriptor.number, offset, length)
        finally:
            del descriptor  # else the traceback of an error would keep the file open

    def _read(self, descriptor: int, offset: int, length: int) -> bytes:
        if length >= _LARGE and self._streams.goes_on(offset, length):
            _fetch(descriptor, offset, length + _AHEAD)
        data = os.pread(descriptor, length, offset)
        if len(data) == length or not data:
            return data
        pieces = [data]
        got = len(data)
        while got < length:
            data = os.pread(descriptor, length - got, offset + got)
            if not data:
                break
            pieces.append(data)
            got += len(data)
        return b"".join(pieces)

    def read_resident(self, offset: int, length: int) -> memoryview | None:
        """The range if the page cache holds all of it, else None.

        The returned buffer is reused by the next call: allocating one costs more than the read.
        """
        descriptor = self._descriptor
        if self._flag is None or descriptor is None:
            return None
        wanted = min(length, self.size - offset)
        if wanted <= 0:
            return self._buffer[:0]
        if wanted > len(self._buffer):
            self._buffer = memoryview(bytearray(wanted))
        buffer = self._buffer[:wanted]
        return buffer if self.scatter_resident(offset, [buffer]) == wanted else None

    def scatter_resident(self, offset: int, buffers: list[memoryview]) -> int:
        """Fill ``buffers``, one after the other, from ``offset`` on with what the page cache holds.

        Returns how many bytes that were: 0 if it would have to wait. There are at most 1024.
        """
        descriptor = self._descriptor
        if self._flag is None or descriptor is None:
            return 0
        try:
            return os.preadv(descriptor.number, buffers, offset, self._flag)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                return 0
            self._flag = 0 if _is_memory(descriptor.number) else None
            return self.scatter_resident(offset, buffers)

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """The file range of at most 1 MiB, if all of it is in memory."""
        # File systems without RWF_NOWAIT may have to contact a server even for cached pages.
        if self._residence is None or self._flag is None or self._descriptor is None:
            return None
        if length > RANGE_AT_MOST or not self._residence.holds(offset, length):
            return None
        return FileRange(self._descriptor.number, offset, length)

    def close(self) -> None:
        """Close the file as soon as no read in another thread uses it. Idempotent."""
        with self._closing:
            if self._residence is not None:
                self._residence.close()
            self._residence = self._descriptor = None


def _fetch(descriptor: int, offset: int, length: int) -> None:
    """Start reading a range into the page cache, without waiting for it."""
    with suppress(OSError):  # not supported by every file system
        os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_WILLNEED)


def _is_memory(descriptor: int) -> bool:
    """Whether the file is on tmpfs or ramfs, where reads do not block."""
    number = os.fstat(descriptor).st_dev
    device = f"{os.major(number)}:{os.minor(number)}".encode()
    try:
        with open("/proc/self/mountinfo", "rb") as mounts:
            lines = [line.split() for line in mounts]
    except OSError:
        return False
    return any(
        line[2] == device and line[line.index(b"-") + 1] in (b"tmpfs", b"ramfs") for line in lines
    )


def _unreadable(name: str, error: OSError) -> ImageUnreadableError:
    if error.errno == errno.ENOMEDIUM:
        return ImageUnreadableError(f"{name}: there is no disc in the drive")
    if error.errno == errno.EACCES:
        reason = "no permission to read it; ask its owner for read access"
        return ForbiddenImageError(error.errno, name, reason)
    if error.errno == errno.ENOENT and os.path.islink(name):
        reason = f"is a link to {os.readlink(name)}, which is missing"
        return MissingImageError(error.errno, name, reason)
    if error.errno == errno.ENOENT:
        return MissingImageError(error.errno, name, "there is no such file")
    return ImageUnreadableError(f"{name}: cannot be read: {error.strerror}")
