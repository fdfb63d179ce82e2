"""The part of the kernel's FUSE protocol for frequent requests (<linux/fuse.h>, 7.23 and later).

Messages on /dev/fuse are structures in native byte order. Structures are only ever extended: new
fields are appended to requests, and the size of a reply depends on the protocol version.
"""

from enum import IntEnum, IntFlag
from struct import Struct
from typing import NamedTuple, TypeAlias

from isomount.formats.node import Node
from isomount.sources import FileRange

Body: TypeAlias = bytes | memoryview | FileRange

# FUSE_ROOT_ID: the kernel's number of the root.
ROOT = 1
# Validity of entries and attributes, in seconds. The image cannot change, so they never expire.
FOREVER = 1_000_000_000
_SECOND = 1_000_000_000
_PADDING = [bytes(-n & 7) for n in range(8)]
# DT_DIR.
_DIRECTORY = 4

_NOTIFY_STORE = 4
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
# Bound once, as they are used for every entry of a listing.
_DIRENTPLUS_SIZE = _DIRENTPLUS.size
_pack_direntplus = _DIRENTPLUS.pack
# struct fuse_open_out: fh, open_flags, padding.
_OPEN_OUT = Struct("=QI4x")
# struct fuse_open_in: flags. struct fuse_read_in (also for READDIRPLUS): fh, offset, size.
_OPEN_IN = Struct("=I")
_READ_IN = Struct("=QQI")
# struct fuse_release_in: fh.
_RELEASE_IN = Struct("=Q")
# struct fuse_interrupt_in: unique.
_INTERRUPT_IN = Struct("=Q")
# struct fuse_getxattr_in, also for LISTXATTR: size; a name follows. struct fuse_getxattr_out: size.
_GETXATTR_IN = Struct("=I4x")
_GETXATTR_OUT = Struct("=I4x")
# struct fuse_notify_store_out: nodeid, offset, size, padding.
_STORE_OUT = Struct("=QQI4x")


class Opcode(IntEnum):
    """enum fuse_opcode: the requests answered here, and names of others for the log."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    READLINK = 5
    SYMLINK = 6
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    LINK = 13
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    SETXATTR = 21
    GETXATTR = 22
    LISTXATTR = 23
    REMOVEXATTR = 24
    FLUSH = 25
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    GETLK = 31
    SETLK = 32
    SETLKW = 33
    ACCESS = 34
    CREATE = 35
    INTERRUPT = 36
    BMAP = 37
    DESTROY = 38
    IOCTL = 39
    POLL = 40
    NOTIFY_REPLY = 41
    BATCH_FORGET = 42
    FALLOCATE = 43
    READDIRPLUS = 44
    RENAME2 = 45
    LSEEK = 46
    COPY_FILE_RANGE = 47
    SYNCFS = 50
    TMPFILE = 51
    STATX = 52


class Opened(IntFlag):
    """FOPEN_*: how the kernel treats an open file."""

    DIRECT_IO = 1
    KEEP_CACHE = 2
    CACHE_DIR = 8


class Request(NamedTuple):
    """One request. ``node`` is the kernel's inode number (nodeid)."""

    opcode: int
    unique: int
    node: int
    uid: int
    pid: int
    body: bytes


class Message(NamedTuple):
    """A message to the kernel: a reply or a notification."""

    head: bytes
    body: Body


def request(message: memoryview) -> Request:
    """Parse a request."""
    _, opcode, unique, node, uid, _, pid = _IN_HEADER.unpack_from(message)
    return Request(opcode, unique, node, uid, pid, bytes(message[_IN_HEADER.size :]))


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
    """The size of the caller's buffer in a GETXATTR or LISTXATTR, and the attribute's name."""
    (size,) = _GETXATTR_IN.unpack_from(request.body)
    return size, request.body[_GETXATTR_IN.size : -1]


def interrupted(request: Request) -> int:
    """The ``unique`` of the request that an INTERRUPT cancels."""
    (number,) = _INTERRUPT_IN.unpack_from(request.body)
    return int(number)


def name(opcode: int) -> str:
    """The name of a request in the log, such as "lookup"."""
    try:
        return Opcode(opcode).name.lower()
    except ValueError:
        return f"opcode {opcode}"


def reply(unique: int, body: Body) -> Message:
    """A reply to the request ``unique``."""
    return Message(_OUT_HEADER.pack(_OUT_HEADER.size + len(body), 0, unique), body)


def refusal(unique: int, code: int) -> Message:
    """An error reply with that errno."""
    return Message(_OUT_HEADER.pack(_OUT_HEADER.size, -code, unique), b"")


def unique(message: Message) -> int:
    """The ``unique`` of the request that a message replies to; 0 for notifications."""
    return int(_OUT_HEADER.unpack_from(message.head)[2])


def handle_opened(opened: Body) -> int:
    """The file handle in the body of a reply to OPEN."""
    assert isinstance(opened, bytes)
    return int(_OPEN_OUT.unpack_from(opened)[0])


def store(node: int, data: Body) -> Message:
    """A FUSE_NOTIFY_STORE: ``data`` for the page cache at offset 0 of the file ``node``."""
    size = _OUT_HEADER.size + _STORE_OUT.size + len(data)
    header = _OUT_HEADER.pack(size, _NOTIFY_STORE, 0)
    return Message(header + _STORE_OUT.pack(node, 0, len(data)), data)


def entry(node: Node, number: int, block_size: int) -> bytes:
    """The body of a reply to LOOKUP: ``node`` with the inode number ``number``.

    A node with a fault must not be cached by the kernel, so that each use of it is reported.
    """
    kept = 0 if node.fault else FOREVER
    return _ENTRY_OUT.pack(number, kept, kept, *_attr(node, number, block_size))


# The body of a reply to LOOKUP for a missing name, which the kernel caches too (negative dentry).
MISSING = _ENTRY_OUT.pack(0, FOREVER, 0, *[0] * 15)


def opened(handle: int, flags: Opened) -> bytes:
    """The body of a reply to OPEN or OPENDIR."""
    return _OPEN_OUT.pack(handle, flags)


def size_of_xattr(size: int) -> bytes:
    """The body of a reply to GETXATTR or LISTXATTR with a size of 0: the size needed."""
    return _GETXATTR_OUT.pack(size)


def attributes(node: Node, number: int, block_size: int) -> bytes:
    """The body of a reply to GETATTR."""
    return _ATTR_OUT.pack(0 if node.fault else FOREVER, *_attr(node, number, block_size))


def _attr(node: Node, number: int, block_size: int) -> tuple[int, ...]:
    _, mode, uid, gid, nlink, size, atime, mtime, ctime, rdev, _, _, _ = node
    a, a_ns = divmod(atime, _SECOND)
    # Most discs record one time for all three; this function dominates the cost of a tree walk.
    m, m_ns = (a, a_ns) if mtime == atime else divmod(mtime, _SECOND)
    c, c_ns = (a, a_ns) if ctime == atime else divmod(ctime, _SECOND)
    blocks = (size + 511) // 512
    times = (a, m, c, a_ns, m_ns, c_ns)
    return number, size, blocks, *times, mode, nlink, uid, gid, rdev & 0xFFFFFFFF, block_size


class Listing:
    """Builds the body of a reply to READDIRPLUS: names with their attributes.

    ``root`` is the volume's inode number of the root, which the kernel knows as ROOT.
    """

    def __init__(self, size: int, block_size: int, root: int) -> None:
        self._room = size
        self._block_size = block_size
        self._root = root
        self._pieces: list[bytes] = []

    @property
    def entries_at_most(self) -> int:
        """An upper limit for the number of entries that fit."""
        return self._room // (_DIRENTPLUS.size + 8)

    def add_dot(self, cookie: int, name: bytes, ino: int) -> bool:
        """Add "." or "..", of which the kernel uses only number and type; False if it is full."""
        number = ROOT if ino == self._root else ino
        head = _DIRENTPLUS.pack(*[0] * 18, number, cookie, len(name), _DIRECTORY)
        self._room -= len(head) + 8
        if self._room < 0:
            return False
        self._pieces += (head, name.ljust(8, b"\0"))
        return True

    def add(self, cookie: int, name: bytes, node: Node) -> bool:
        """Add an entry; False if it does not fit."""
        length = len(name)
        padding = _PADDING[length & 7]
        self._room -= _DIRENTPLUS_SIZE + length + len(padding)
        if self._room < 0:
            return False
        number = ROOT if node.ino == self._root else node.ino
        kept = 0 if node.fault else FOREVER
        attr = _attr(node, number, self._block_size)
        head = _pack_direntplus(number, kept, kept, *attr, number, cookie, length, node.mode >> 12)
        self._pieces += (head, name, padding)
        return True

    def body(self) -> bytes:
        """The body; an empty one means the end of the directory."""
        return b"".join(self._pieces)
