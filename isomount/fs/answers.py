"""What each request means, independent of how it is received and encoded.

Plain functions of the volume, a reader and the arguments. They return nodes, bytes or a range of
the image, or raise an error that carries an errno. The reader decides about waiting: with
``volume.blocks.resident`` NotResidentError is raised where an answer would have to wait, with
``volume.blocks`` the call waits. An inode number here is the volume's, not the kernel's.
"""

import errno
import os

from isomount.blocks import Content, NotResidentError, Reader, SingleExtent
from isomount.errors import DamagedDataError, IsomountError
from isomount.formats.node import Node, StatFs
from isomount.fs.handles import OpenFile
from isomount.sources import FileRange
from isomount.tree import Volume

# Below this a copy costs less than finding out whether one is needed, in bytes.
_RANGE_AT_LEAST = 64 << 10
# A small file is what one READ would bring, in bytes.
SMALL_AT_MOST = 128 << 10


class RefusedError(IsomountError):
    """The request is answered with an errno, although the image is not damaged."""

    def __init__(self, code: int) -> None:
        super().__init__(os.strerror(code))
        self.errno = code


def lookup(volume: Volume, reader: Reader, parent: int, name: bytes) -> Node | None:
    """The node called ``name`` in the directory ``parent``, None when there is none.

    "." and ".." are asked for by a server that exports the mount over NFS.
    """
    if name == b".":
        node: Node | None = volume.node(parent, reader)
    elif name == b"..":
        node = volume.node(volume.parent(parent, reader), reader)
    else:
        node = volume.child(parent, name, reader)
    return None if node is None else _sound(node)


def attributes(volume: Volume, reader: Reader, ino: int) -> Node:
    """The node with what stat(2) shows of it."""
    return _sound(volume.node(ino, reader))


def require_reading(flags: int) -> None:
    """Refuse ``flags`` of open(2) that ask for writing."""
    if flags & (os.O_WRONLY | os.O_RDWR):
        raise RefusedError(errno.EROFS)


def open_file(volume: Volume, reader: Reader, ino: int) -> Content:
    """The content of the regular file ``ino``."""
    content = volume.node(ino, reader).content
    if content is None:
        raise DamagedDataError("there is no content behind this inode")
    return content


def is_cut_off(volume: Volume, content: Content) -> bool:
    """Whether a file goes on beyond the end of the image.

    Such a file is to be read past the page cache: there a read may be short without truncating the
    file, so that the last bytes before the image's end are not lost with their page.
    """
    return content.end > volume.blocks.size


def file_range(volume: Volume, file: OpenFile, offset: int, size: int) -> FileRange | None:
    """Where those bytes lie in a local file, if all of them are in its page cache.

    None if that is not known, or if the range is so short that copying it is faster.
    """
    content = file.content
    size = min(size, content.size - offset)
    if size < _RANGE_AT_LEAST or not isinstance(content, SingleExtent):
        return None
    return volume.blocks.resident.range(content.start + offset, size)


def read(
    volume: Volume, reader: Reader, file: OpenFile, offset: int, size: int
) -> bytes | memoryview:
    """That range of an open file, short only at its end. A memoryview is good until the next read.

    What cannot be read is noted as damage of the image.
    """
    content = file.content
    try:
        data = _data(volume, reader, content, offset, size)
        is_whole = len(data) >= min(size, content.size - offset)
        if not is_whole and not (data and is_cut_off(volume, content)):
            raise DamagedDataError("a part of this range cannot be read")
    except (DamagedDataError, OSError) as error:
        volume.note_unreadable(file.ino, offset, error)
        raise
    return data


def small_file(volume: Volume, content: Content) -> bytes | memoryview | None:
    """The whole content of a file that is small and in memory; None for any other.

    A memoryview is good until the next read.
    """
    if not 0 < content.size <= SMALL_AT_MOST:
        return None
    try:
        data = _data(volume, volume.blocks.resident, content, 0, content.size)
    except (NotResidentError, IsomountError, OSError):
        return None  # a READ will report it
    return data if len(data) == content.size else None


def readlink(volume: Volume, reader: Reader, ino: int) -> bytes:
    """A symbolic link's target."""
    target = volume.node(ino, reader).target
    if target is None:
        raise DamagedDataError("the symbolic link has no usable target")
    return target


def xattr(volume: Volume, reader: Reader, ino: int, name: bytes) -> bytes:
    """The value of one extended attribute."""
    value = volume.xattrs(ino, reader).get(name)
    if value is None:
        raise RefusedError(errno.ENODATA)
    return value


def xattr_names(volume: Volume, reader: Reader, ino: int) -> list[bytes]:
    """The names of all extended attributes."""
    return list(volume.xattrs(ino, reader))


def access(volume: Volume, reader: Reader, ino: int, mode: int) -> bool:
    """Whether ``mode`` (R_OK, W_OK, X_OK) is possible on a read-only file system.

    The mount option default_permissions makes the kernel check owners and modes; what is left is
    that nothing can be written, and nothing without an execute bit can be executed.
    """
    if mode & os.W_OK:
        return False
    node = attributes(volume, reader, ino)
    return not mode & os.X_OK or node.is_directory or bool(node.mode & 0o111)


def statfs(volume: Volume) -> StatFs:
    """The volume's size; nothing is free."""
    return volume.statfs()


def _data(
    volume: Volume, reader: Reader, content: Content, offset: int, size: int
) -> bytes | memoryview:
    resident = volume.blocks.resident
    if reader is resident and isinstance(content, SingleExtent):
        # Not copied: it is sent before the next request is read.
        return resident.read_data(content.start + offset, min(size, content.size - offset))
    return content.read(reader, offset, size)


def _sound(node: Node) -> Node:
    if node.fault:
        raise DamagedDataError(node.fault)
    return node
