"""What the kernel and libfuse agreed upon in INIT, and whether the lane's encoding fits that.

The kernel offers a version and flags; pyfuse3 (libfuse) answers with the version and the flags that
will be used. Only the answer counts for the shape of messages.
"""

from struct import Struct
from typing import NamedTuple

from isomount.fs.lane.wire import Request

# struct fuse_init_in: major, minor, max_readahead, flags.
_INIT_IN = Struct("=IIII")
# struct fuse_out_header, then of struct fuse_init_out: major, minor, max_readahead, flags,
# max_background, congestion_threshold, max_write, time_gran, max_pages, map_alignment, flags2.
_INIT_OUT = Struct("=IiQIIIIHHIIHHI")
# Before 7.23 (Linux 3.15) the answer ended with max_write.
_OLDEST = (7, 23)

# Flags that change nothing of what the lane reads and writes. FUSE_INIT_EXT says that flags2 is
# there. What is not listed might: splicing into the device, say, is fine, io_uring is not.
_ASYNC_READ = 1 << 0
_ATOMIC_O_TRUNC = 1 << 3
_EXPORT_SUPPORT = 1 << 4
_BIG_WRITES = 1 << 5
_DONT_MASK = 1 << 6
_SPLICE = 1 << 7 | 1 << 8 | 1 << 9
_FLOCK_LOCKS = 1 << 10
_IOCTL_DIR = 1 << 11
_AUTO_INVAL_DATA = 1 << 12
_DO_READDIRPLUS = 1 << 13
_READDIRPLUS_AUTO = 1 << 14
_ASYNC_DIO = 1 << 15
_PARALLEL_DIROPS = 1 << 18
_HANDLE_KILLPRIV = 1 << 19
_ABORT_ERROR = 1 << 21
_MAX_PAGES = 1 << 22
_CACHE_SYMLINKS = 1 << 23
_NO_OPENDIR_SUPPORT = 1 << 24
_NO_OPEN_SUPPORT = 1 << 17
_INIT_EXT = 1 << 30
_HARMLESS = (
    _ASYNC_READ
    | _ATOMIC_O_TRUNC
    | _EXPORT_SUPPORT
    | _BIG_WRITES
    | _DONT_MASK
    | _SPLICE
    | _FLOCK_LOCKS
    | _IOCTL_DIR
    | _AUTO_INVAL_DATA
    | _DO_READDIRPLUS
    | _READDIRPLUS_AUTO
    | _ASYNC_DIO
    | _PARALLEL_DIROPS
    | _HANDLE_KILLPRIV
    | _ABORT_ERROR
    | _MAX_PAGES
    | _CACHE_SYMLINKS
    | _NO_OPENDIR_SUPPORT
    | _NO_OPEN_SUPPORT
    | _INIT_EXT
)


class Negotiated(NamedTuple):
    """The answer to INIT. ``max_write`` is in bytes; ``error`` is 0 or a negative errno."""

    error: int
    version: tuple[int, int]
    flags: int
    flags2: int
    max_write: int

    @property
    def obstacle(self) -> str:
        """Why the lane cannot be used, "" when it can."""
        if self.error:
            return f"INIT was answered with error {-self.error}"
        if self.version[0] != _OLDEST[0] or self.version < _OLDEST:
            return "the protocol's version is {}.{}".format(*self.version)
        if not self.flags & _DO_READDIRPLUS:
            return "directories are not read with READDIRPLUS"
        unknown = self.flags & ~_HARMLESS | self.flags2 << 32
        return f"unknown flags {unknown:#x} were negotiated" if unknown else ""


def negotiated(reply: bytes) -> Negotiated:
    """What the answer to INIT says; what a short one does not reach is 0."""
    fields = _INIT_OUT.unpack_from(reply.ljust(_INIT_OUT.size, b"\0"))
    _, error, _, major, minor, _, flags, _, _, max_write, *_, flags2 = fields
    return Negotiated(error, (major, minor), flags, flags2, max_write)


def offers_to_open_directories(init: Request) -> bool:
    """Whether the kernel (5.1 on) opens directories by itself where OPENDIR is unknown.

    It says so in its flags, and no answer is expected.
    """
    *_, flags = _INIT_IN.unpack_from(init.body.ljust(_INIT_IN.size, b"\0"))
    return bool(flags & _NO_OPENDIR_SUPPORT)
