"""Nodes: what a file system shows of one file, directory, link or device."""

import stat
from typing import NamedTuple

from isomount.blocks import Content, SingleExtent


class Node(NamedTuple):
    """One inode. Frozen; made again from its number at any time.

    ``ino`` is an address (see View), ``mode`` holds the type too, times are nanoseconds since 1970.
    ``rdev`` is what stat shows for a device, ``target`` what readlink shows for a symbolic link.
    ``data`` is where a regular file's bytes are: the image byte at which they begin when they are
    one run, as nearly always, else a content; None for everything else.
    ``fault`` says why the inode cannot be shown: it is listed, and EIO for whoever asks for more.
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
        """Whether it has entries."""
        return stat.S_ISDIR(self.mode)


class Entry(NamedTuple):
    """A name in a directory.

    ``position`` is where in the directory it stands: ``View.entries`` can begin there again.
    ``name`` is as stored, made printable by the format's own rules but not yet safe.
    """

    position: int
    name: bytes
    node: Node


class StatFs(NamedTuple):
    """What statfs shows: sizes in units of ``block_size`` bytes, counts 0 where unknown."""

    block_size: int
    blocks: int
    blocks_free: int = 0
    files: int = 0
    files_free: int = 0
    name_max: int = 255
