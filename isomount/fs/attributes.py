"""Nodes as the kernel wants them."""

import stat

import pyfuse3

from isomount.formats.node import Node

# The image cannot change, so the kernel may keep what it was told as long as it likes.
FOREVER = 1e9


def attributes(node: Node, ino: int, block_size: int) -> pyfuse3.EntryAttributes:
    """What stat shows of ``node``, whose number towards the kernel is ``ino``.

    A node with a fault is not kept, so that whoever looks closer asks again and is told.
    """
    entry = pyfuse3.EntryAttributes()
    entry.st_ino = ino
    entry.st_mode = node.mode
    entry.st_nlink = node.nlink
    entry.st_uid = node.uid
    entry.st_gid = node.gid
    entry.st_rdev = node.rdev
    entry.st_size = node.size
    entry.st_blocks = -(-node.size // 512)
    entry.st_blksize = block_size
    entry.st_atime_ns = node.atime_ns
    entry.st_mtime_ns = node.mtime_ns
    entry.st_ctime_ns = node.ctime_ns
    timeout = 0.0 if node.fault else FOREVER
    entry.entry_timeout = timeout
    entry.attr_timeout = timeout
    return entry


def directory_number(ino: int) -> pyfuse3.EntryAttributes:
    """What a listing needs of "." and "..", of which the kernel takes only number and type."""
    entry = pyfuse3.EntryAttributes()
    entry.st_ino = ino
    entry.st_mode = stat.S_IFDIR
    return entry


def missing() -> pyfuse3.EntryAttributes:
    """The answer for a name that is not there, which the kernel remembers too."""
    entry = pyfuse3.EntryAttributes()
    entry.st_ino = 0
    entry.entry_timeout = FOREVER
    return entry
