"""Nodes: the attributes of a file, directory, link or device."""

import stat
from typing import NamedTuple

from isomount.blocks import Content, SingleExtent


class Node(NamedTuple):
    """One inode. Immutable; it can be created again from its number at any time.

    ``ino`` is an address (see View), ``mode`` includes the file type, times are nanoseconds since
    1970. ``rdev`` is the device number of a device, ``target`` the target of a symbolic link.
    ``data`` locates the bytes of a regular file: usually they are contiguous, and it is the image
    byte at which they begin, else a Content. It is None for other types.
    ``fault`` is the reason why the inode cannot be read: it is listed, but any use of it is EIO.
    """

    ino: int
    mode: int
    uid: int
    gid: int
    nlink: int
    size: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int
    rdev: int = 0
    target: bytes | None = None
    data: Content | int | None = None
    fault: str | None = None

    @property
    def content(self) -> Content | None:
        """A regular file's bytes."""
        return SingleExtent(self.data, self.size) if isinstance(self.data, int) else self.data

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)


class Entry(NamedTuple):
    """A name in a directory.

    ``position`` is its position in the directory, from which ``View.entries`` can resume.
    ``name`` is decoded by the rules of the format, but may not be a valid Linux file name yet.
    """

    position: int
    name: bytes
    node: Node


class StatFs(NamedTuple):
    """The values of statfs(2): sizes in units of ``block_size`` bytes, counts 0 if unknown."""

    block_size: int
    blocks: int
    blocks_free: int = 0
    files: int = 0
    files_free: int = 0
    name_max: int = 255
