"""The kernel's FUSE protocol, as far as the frequent requests need it (<linux/fuse.h>, 7.12 on).

Messages on /dev/fuse are structures in the machine's own byte order. They never change, only grow:
fields are added at the end of a request, and a reply's size is told by the protocol's version.
"""

from enum import IntEnum, IntFlag
from struct import Struct
from typing import NamedTuple, TypeAlias

from isomount.formats.node import Node
from isomount.sources import FileRange

Body: TypeAlias = bytes | memoryview | FileRange

# The number by which the kernel calls the root.
ROOT = 1
# Seconds. The image cannot change, so the kernel may keep what it was told as long as it likes.
FOREVER = 1_000_000_000
_SECOND = 1_000_000_000
_PADDING = [bytes(-n & 7) for n in range(8)]
# DT_DIR.
_DIRECTORY = 4

_NOTIFY_STORE = 4
# A flag of INIT.
_NO_OPENDIR_SUPPORT = 1 << 24

# struct fuse_in_header: len, opcode, unique, nodeid, uid, gid, pid, total_extlen, padding.
_IN_HEADER = Struct("=IIQQIII4x")
# struct fuse_out_header: len, error, unique.
_OUT_HEADER = Struct("=IiQ")
# struct fuse_attr: ino, size, blocks, atime, mtime, ctime; the three's nanoseconds, mode, nlink,
# uid, gid, rdev, blksize, flags.
_ATTR = "QQQqqqIIIIIIIII4x"
# struct fuse_attr_out: attr_valid, attr_valid_nsec, dummy, attr.
_ATTR_OUT = Struct("=Q8x" + _ATTR)
# struct fuse_entry_out: nodeid, generation, entry_valid, attr_valid, their nanoseconds, attr.
_ENTRY_OUT = Struct("=Q8xQQ8x" + _ATTR)
# struct fuse_direntplus: an entry_out, then ino, off, namelen, type of struct fuse_dirent.
_DIRENTPLUS = Struct("=Q8xQQ8x" + _ATTR + "QQII")
# Not looked up anew for each of a hundred thousand entries.
_DIRENTPLUS_SIZE = _DIRENTPLUS.size
_pack_direntplus = _DIRENTPLUS.pack
# struct fuse_open_out: fh, open_flags, padding.
_OPEN_OUT = Struct("=QI4x")
# struct fuse_open_in: flags. struct fuse_read_in (also for READDIRPLUS): fh, offset, size.
_OPEN_IN = Struct("=I")
_READ_IN = Struct("=QQI")
# struct fuse_release_in: fh.
_RELEASE_IN = Struct("=Q")
# struct fuse_getxattr_in, also for LISTXATTR: size; a name follows. struct fuse_getxattr_out: size.
_GETXATTR_IN = Struct("=I4x")
_GETXATTR_OUT = Struct("=I4x")
# struct fuse_init_in: major, minor, max_readahead, flags.
_INIT_FLAGS = Struct("=12xI")
# Of struct fuse_init_out: max_write.
_INIT_MAX_WRITE = Struct("=20xI")
# struct fuse_notify_store_out: nodeid, offset, size, padding.
_STORE_OUT = Struct("=QQI4x")


class Opcode(IntEnum):
    """enum fuse_opcode."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    READLINK = 5
    OPEN = 14
    READ = 15
    RELEASE = 18
    GETXATTR = 22
    LISTXATTR = 23
    INIT = 26
    OPENDIR = 27
    RELEASEDIR = 29
    INTERRUPT = 36
    BATCH_FORGET = 42
    READDIRPLUS = 44


class Opened(IntFlag):
    """FOPEN_*: how the kernel treats an open file."""

    DIRECT_IO = 1
    KEEP_CACHE = 2
    CACHE_DIR = 8


class Request(NamedTuple):
    """One request. ``node`` is the inode number in the kernel's words."""

    opcode: int
    unique: int
    node: int
    uid: int
    body: bytes


class Message(NamedTuple):
    """What is told to the kernel."""

    head: bytes
    body: Body


def request(message: memoryview) -> Request:
    """What the kernel asks."""
    _, opcode, unique, node, uid, _, _ = _IN_HEADER.unpack_from(message)
    return Request(opcode, unique, node, uid, bytes(message[_IN_HEADER.size :]))


def range_of(request: Request) -> tuple[int, int, int]:
    """The file handle, offset and size of a READ; a READDIRPLUS has a cookie for an offset."""
    handle, offset, size = _READ_IN.unpack_from(request.body)
    return handle, offset, size


def open_flags(request: Request) -> int:
    """The flags of an OPEN, as of open(2)."""
    (flags,) = _OPEN_IN.unpack_from(request.body)
    return int(flags)


def handle_of(request: Request) -> int:
    """The file handle of a RELEASE."""
    (handle,) = _RELEASE_IN.unpack_from(request.body)
    return int(handle)


def xattr_of(request: Request) -> tuple[int, bytes]:
    """The room for the answer to a GETXATTR or LISTXATTR, and the name that was asked for."""
    (size,) = _GETXATTR_IN.unpack_from(request.body)
    return size, request.body[_GETXATTR_IN.size : -1]


def offers_to_open_directories(request: Request) -> bool:
    """Whether an INIT is from a kernel (5.1 on) that opens directories where OPENDIR is unknown."""
    (flags,) = _INIT_FLAGS.unpack_from(request.body)
    return bool(flags & _NO_OPENDIR_SUPPORT)


def max_write(init_reply: bytes) -> int:
    """How much the kernel may write at a time, from the answer to its INIT; 0 if that is no."""
    if len(init_reply) < _OUT_HEADER.size + _INIT_MAX_WRITE.size:
        return 0
    (size,) = _INIT_MAX_WRITE.unpack_from(init_reply, _OUT_HEADER.size)
    return int(size)


def reply(unique: int, body: Body) -> Message:
    """The answer to the request of that number."""
    return Message(_OUT_HEADER.pack(_OUT_HEADER.size + len(body), 0, unique), body)


def refusal(unique: int, code: int) -> Message:
    """The answer that says no, with an errno."""
    return Message(_OUT_HEADER.pack(_OUT_HEADER.size, -code, unique), b"")


def unique(message: Message) -> int:
    """Which request is answered; 0 is none."""
    return int(_OUT_HEADER.unpack_from(message.head)[2])


def store(node: int, data: Body) -> Message:
    """Not an answer: ``data`` for the page cache, as the beginning of the file ``node``."""
    size = _OUT_HEADER.size + _STORE_OUT.size + len(data)
    header = _OUT_HEADER.pack(size, _NOTIFY_STORE, 0)
    return Message(header + _STORE_OUT.pack(node, 0, len(data)), data)


def entry(node: Node, number: int, block_size: int) -> bytes:
    """What LOOKUP answers: ``node``, which the kernel shall call ``number``.

    A node with a fault is not kept, so that whoever looks closer asks again and is told.
    """
    kept = 0 if node.fault else FOREVER
    return _ENTRY_OUT.pack(number, kept, kept, *_attr(node, number, block_size))


# What LOOKUP answers for a name that is not there, which the kernel remembers too.
MISSING = _ENTRY_OUT.pack(0, FOREVER, 0, *[0] * 15)


def opened(handle: int, flags: Opened) -> bytes:
    """What OPEN and OPENDIR answer."""
    return _OPEN_OUT.pack(handle, flags)


def size_of_xattr(size: int) -> bytes:
    """What GETXATTR and LISTXATTR answer who asks how long the answer would be."""
    return _GETXATTR_OUT.pack(size)


def attributes(node: Node, number: int, block_size: int) -> bytes:
    """What GETATTR answers."""
    return _ATTR_OUT.pack(0 if node.fault else FOREVER, *_attr(node, number, block_size))


def _attr(node: Node, number: int, block_size: int) -> tuple[int, ...]:
    _, mode, uid, gid, nlink, size, atime, mtime, ctime, rdev, _, _, _ = node
    a, a_ns = divmod(atime, _SECOND)
    # Most discs have one time for all three, and here the time goes when one is walked through.
    m, m_ns = (a, a_ns) if mtime == atime else divmod(mtime, _SECOND)
    c, c_ns = (a, a_ns) if ctime == atime else divmod(ctime, _SECOND)
    blocks = (size + 511) // 512
    times = (a, m, c, a_ns, m_ns, c_ns)
    return number, size, blocks, *times, mode, nlink, uid, gid, rdev & 0xFFFFFFFF, block_size


class Listing:
    """An answer to READDIRPLUS that is being filled: names with their attributes."""

    def __init__(self, size: int, block_size: int) -> None:
        self._room = size
        self._block_size = block_size
        self._pieces: list[bytes] = []

    def entries_at_most(self) -> int:
        """How many entries there may be room for."""
        return self._room // (_DIRENTPLUS.size + 8)

    def add_dot(self, cookie: int, name: bytes, number: int) -> bool:
        """Add "." or "..", of which the kernel takes only number and type; False without room."""
        head = _DIRENTPLUS.pack(*[0] * 18, number, cookie, len(name), _DIRECTORY)
        self._room -= len(head) + 8
        if self._room < 0:
            return False
        self._pieces += (head, name.ljust(8, b"\0"))
        return True

    def add(self, cookie: int, name: bytes, node: Node, number: int) -> bool:
        """Add ``node``, which the kernel shall call ``number``; False when there is no room for it.

        ``cookie`` is where a listing goes on after it.
        """
        length = len(name)
        padding = _PADDING[length & 7]
        self._room -= _DIRENTPLUS_SIZE + length + len(padding)
        if self._room < 0:
            return False
        kept = 0 if node.fault else FOREVER
        attr = _attr(node, number, self._block_size)
        head = _pack_direntplus(number, kept, kept, *attr, number, cookie, length, node.mode >> 12)
        self._pieces += (head, name, padding)
        return True

    def body(self) -> bytes:
        """All of it; nothing is the end of the directory."""
        return b"".join(self._pieces)
