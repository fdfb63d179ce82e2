"""One inode number for all hard links to a file."""

import threading

from isomount.formats.iso9660.records import Record
from isomount.formats.iso9660.rockridge import RockRidge
from isomount.formats.node import Node

# Hard links whose common number is remembered; beyond it links keep numbers of their own.
_LINKS_AT_MOST = 65536


class HardLinks:
    """Remembers which link to a file was seen first. Thread-safe."""

    def __init__(self) -> None:
        self._first: dict[tuple[object, ...], int] = {}
        self._lock = threading.Lock()

    def number(self, node: Node, record: Record, rr: RockRidge) -> int:
        """The address of the link to the same file that was seen first.

        Hard links have equal serial numbers (RRIP 1.12), or without those the same extent.
        """
        if not rr.serial and not record.data_length:
            return node.ino
        key = (record.extent, rr.serial, *node[1:])
        with self._lock:
            if len(self._first) >= _LINKS_AT_MOST:
                return self._first.get(key, node.ino)
            return self._first.setdefault(key, node.ino)
