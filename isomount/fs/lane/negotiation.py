"""The result of FUSE_INIT, and whether the lane's encoding is valid for it.

The kernel offers a version and flags; pyfuse3 (libfuse) replies with the version and the flags to
use. Only the reply determines the format of messages.
"""

from struct import Struct
from typing import NamedTuple

from isomount.fs.lane.wire import Request

# struct fuse_init_in: major, minor, max_readahead, flags.
_INIT_IN = Struct("=IIII")
# struct fuse_out_header, then of struct fuse_init_out: major, minor, max_readahead, flags,
# max_background, congestion_threshold, max_write, time_gran, max_pages, map_alignment, flags2.
_INIT_OUT = Struct("=IiQIIIIHHIIHHI")
_MAX_BACKGROUND = 7  # the place of the first of two fields about that
# Before 7.23 (Linux 3.15) the reply ended with max_write.
_OLDEST = (7, 23)

# Flags that do not change the messages that the lane reads and writes. Any other flag may: FUSE
# over io_uring, for example. FUSE_INIT_EXT means that flags2 is present.
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
    """The reply to INIT. ``max_write`` is in bytes; ``error`` is 0 or a negative errno."""

    error: int
    version: tuple[int, int]
    flags: int
    flags2: int
    max_write: int

    @property
    def obstacle(self) -> str:
        """Why the lane cannot be used; "" if it can."""
        if self.error:
            return f"INIT was answered with error {-self.error}"
        if self.version[0] != _OLDEST[0] or self.version < _OLDEST:
            return "the protocol's version is {}.{}".format(*self.version)
        if not self.flags & _DO_READDIRPLUS:
            return "directories are not read with READDIRPLUS"
        unknown = self.flags & ~_HARMLESS | self.flags2 << 32
        return f"unknown flags {unknown:#x} were negotiated" if unknown else ""


def negotiated(reply: bytes) -> Negotiated:
    """Parse the reply to INIT; fields that a short reply lacks are 0."""
    fields = _INIT_OUT.unpack_from(reply.ljust(_INIT_OUT.size, b"\0"))
    _, error, _, major, minor, _, flags, _, _, max_write, *_, flags2 = fields
    return Negotiated(error, (major, minor), flags, flags2, max_write)


def with_background(reply: bytes, at_most: int) -> bytes:
    """``reply`` with as many requests under way at a time as nobody is blocked in the kernel for.

    The kernel's own 12 are all that stalled readers need to stop every other.
    """
    if len(reply) < _INIT_OUT.size:
        return reply
    fields = list(_INIT_OUT.unpack_from(reply))
    fields[_MAX_BACKGROUND : _MAX_BACKGROUND + 2] = at_most, at_most * 3 // 4
    return _INIT_OUT.pack(*fields) + reply[_INIT_OUT.size :]


def offers_to_open_directories(init: Request) -> bool:
    """Whether the kernel (since 5.1) opens directories by itself if OPENDIR returns ENOSYS.

    This flag is informational: the reply to INIT does not repeat it.
    """
    *_, flags = _INIT_IN.unpack_from(init.body.ljust(_INIT_IN.size, b"\0"))
    return bool(flags & _NO_OPENDIR_SUPPORT)
