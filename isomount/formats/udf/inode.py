"""Nodes from file entries (ECMA-167 4/14.6, 4/14.9), with the view's options applied."""

import stat

from isomount.blocks import BytesContent, Content, Reader
from isomount.errors import DamagedDataError
from isomount.formats.node import Node
from isomount.formats.options import ViewOptions
from isomount.formats.udf import symlink
from isomount.formats.udf.attributes import device_number
from isomount.formats.udf.directory import DIRECTORY_TYPE
from isomount.formats.udf.icb import Icb, content_of
from isomount.formats.udf.space import Space
from isomount.formats.udf.times import nanoseconds

_FILE_TYPES = {
    # Not specified, byte sequence, virtual allocation table, real-time file, metadata files.
    **dict.fromkeys((0, 5, 248, 249, 250, 251, 252), stat.S_IFREG),
    DIRECTORY_TYPE: stat.S_IFDIR,
    6: stat.S_IFBLK,
    7: stat.S_IFCHR,
    9: stat.S_IFIFO,
    10: stat.S_IFSOCK,
    12: stat.S_IFLNK,
}
_DEVICES = (stat.S_IFBLK, stat.S_IFCHR)
_ABSENT, _NOBODY = 0xFFFFFFFF, 65534
# ICB flags and the corresponding mode bits (4/14.6.8).
_FLAG_BITS = ((0x40, stat.S_ISUID), (0x80, stat.S_ISGID), (0x100, stat.S_ISVTX))
_ANY_FLAG = 0x1C0
# The longest path for readlink, and a limit for the size of its components on the disc.
_PATH_MAX = 4095
_COMPONENTS_MAX = 64 << 10


class NodeMaker:
    """Makes nodes, with the owners and modes that the options set."""

    def __init__(self, space: Space, options: ViewOptions) -> None:
        self._space = space
        self._uid = options.uid
        self._gid = options.gid
        self._mode = options.mode
        self._dmode = options.dmode
        self._keep = 0o7777 & ~options.umask
        self._charset = options.charset
        self._undelete = options.undelete

    def node(self, reader: Reader, ino: int, icb: Icb) -> Node:
        """The node of ``icb``. Raises DamagedDataError if it cannot be shown."""
        entry = icb.entry
        kind = _FILE_TYPES.get(entry.file_type)
        if kind is None:
            raise DamagedDataError(
                f"the file entry at byte {icb.offset} is of no type that is shown "
                f"({entry.file_type})"
            )
        links = entry.link_count
        if links == 0 and not self._undelete:
            raise DamagedDataError(f"the file entry at byte {icb.offset} is of a deleted file")
        size, rdev, path, content = entry.information_length, 0, None, None
        if kind == stat.S_IFREG:
            content = content_of(reader, self._space, icb)
        elif kind == stat.S_IFDIR:
            links += 1
        elif kind == stat.S_IFLNK:
            path = self._target(reader, icb)
            size = len(path)
        elif kind in _DEVICES:
            rdev = _device(icb)
        uid, gid = self._uid, self._gid
        if uid is None:
            uid = _NOBODY if entry.uid == _ABSENT else entry.uid
        if gid is None:
            gid = _NOBODY if entry.gid == _ABSENT else entry.gid
        return Node(
            ino,
            kind | self._permissions(kind, entry.permissions, entry.flags),
            uid,
            gid,
            links,
            size,
            nanoseconds(entry.access_time),
            nanoseconds(entry.modification_time),
            nanoseconds(entry.attribute_time),
            rdev,
            path,
            content,
        )

    def faulty(self, ino: int, reason: str) -> Node:
        """A node that is listed but cannot be read."""
        return Node(ino, stat.S_IFREG, self._uid or 0, self._gid or 0, 1, 0, 0, 0, 0, fault=reason)

    def _permissions(self, kind: int, bits: int, flags: int) -> int:
        """The mode bits. UDF has five permissions per class, Linux three of them (4/14.9.5)."""
        if kind == stat.S_IFLNK:
            return 0o777
        forced = self._dmode if kind == stat.S_IFDIR else self._mode
        if forced is not None:
            return forced & self._keep
        mode = bits & 0o7 | bits >> 2 & 0o70 | bits >> 4 & 0o700
        if flags & _ANY_FLAG:
            for flag, bit in _FLAG_BITS:
                if flags & flag:
                    mode |= bit
        return mode & self._keep

    def _target(self, reader: Reader, icb: Icb) -> bytes:
        if icb.entry.information_length > _COMPONENTS_MAX:
            raise DamagedDataError(f"the link at byte {icb.offset} is longer than any path")
        content = content_of(reader, self._space, icb)
        path = symlink.target(whole(reader, content), self._charset)
        if len(path) > _PATH_MAX:
            raise DamagedDataError(f"the link at byte {icb.offset} is longer than any path")
        return path


def _device(icb: Icb) -> int:
    number = device_number(icb.attributes)
    if number is None:
        raise DamagedDataError(f"the device at byte {icb.offset} has no number")
    return number


def whole(reader: Reader, content: Content) -> bytes:
    """All bytes of a small content. Raises DamagedDataError if some cannot be read."""
    if isinstance(content, BytesContent):
        return content.data
    data = content.read(reader, 0, content.size)
    while len(data) < content.size:
        data += content.read(reader, len(data), content.size - len(data))
    return data
