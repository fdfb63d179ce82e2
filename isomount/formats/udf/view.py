"""The view of a UDF volume: its nodes and directories.

An inode number is the image byte where the block of the ICB lies, plus the reference number of the
partition that it was reached through: what short allocation descriptors mean depends on it. There
are fewer partition maps than bytes in a block, so the low bits are free for it. A number from
``NOWHERE`` up is that of an ICB that lies nowhere: its low bits are partition and block.
"""

from collections.abc import Iterator

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedDataError, StaleNodeError
from isomount.formats.node import Entry, Node, StatFs
from isomount.formats.options import ViewOptions
from isomount.formats.udf import osta
from isomount.formats.udf.directory import (
    DELETED,
    HIDDEN,
    PARENT,
    FileIdentifier,
    Listing,
    open_directory,
)
from isomount.formats.udf.icb import Icb, read_icb
from isomount.formats.udf.inode import NodeMaker
from isomount.formats.udf.streams import extended_attributes
from isomount.formats.udf.volume import LogicalVolume

NOWHERE = 1 << 62


class UdfView:
    """A UDF volume (see formats.base.View). Thread-safe; it caches nothing.

    Making one reads the root's ICB. Raises DamagedDataError if that is no directory's.
    """

    def __init__(
        self, reader: Reader, volume: LogicalVolume, options: ViewOptions, damage: Damage
    ) -> None:
        self.name = f"UDF {volume.revision >> 8:x}.{volume.revision & 0xFF:02x}"
        self.label = volume.label
        self.folds_case = False
        # Most of them say how the file is stored here.
        self.has_xattrs = False
        self._space = volume.space
        self._statfs = volume.statfs
        self._damage = damage
        self._charset = options.charset
        self._left_out = PARENT
        if not options.unhide:
            self._left_out |= HIDDEN
        if not options.undelete:
            self._left_out |= DELETED
        self._make = NodeMaker(volume.space, options)
        self.root = self._number(reader, *volume.root)
        if not self.node(reader, self.root).is_directory:
            raise DamagedDataError("its root is not a directory")

    def node(self, reader: Reader, ino: int) -> Node:
        """The node with that number."""
        return self._make.node(reader, ino, self._icb(reader, ino))

    def parent(self, reader: Reader, ino: int) -> int:
        """The directory that the parent entry of ``ino`` names (4/14.4.3); the root without one."""
        if ino == self.root:
            return ino
        for found in self._listing(reader, ino).identifiers():
            if found.characteristics & PARENT:
                return self._number(reader, found.icb_partition, found.icb_block)
        self._damage.note(ino, "a directory does not name its parent")
        return self.root

    def directory_size(self, reader: Reader, ino: int) -> int:
        """The length of the directory's data, at most that of the image."""
        size = self._icb(reader, ino).entry.information_length
        return min(size, reader.size)

    def entries(self, reader: Reader, ino: int, position: int = 0) -> Iterator[Entry]:
        """The entries from byte ``position`` of the directory's data on.

        Names that cannot be decoded are left out and noted. An entry whose ICB cannot be read has a
        node with a fault.
        """
        left_out, charset, file_name = self._left_out, self._charset, osta.file_name
        for found in self._listing(reader, ino).identifiers(position):
            if found.characteristics & left_out:
                continue
            name = file_name(found.identifier, charset)
            if name is None:
                if found.identifier:
                    self._damage.note(ino, "a name that is no compressed unicode is left out")
                continue
            yield Entry(found.position, name, self._entry_node(reader, ino, found))

    def statfs(self) -> StatFs:
        """The volume's size."""
        return self._statfs

    def is_empty(self, reader: Reader) -> bool:
        """Whether the root directory has no entries."""
        return next(self.entries(reader, self.root), None) is None

    def xattrs(self, reader: Reader, ino: int) -> dict[bytes, bytes]:
        """Named streams and extended attributes of a node, by the names of streams.py."""
        icb = self._icb(reader, ino)
        return extended_attributes(reader, self._space, icb, self._charset, self._damage)

    def _entry_node(self, reader: Reader, directory: int, found: FileIdentifier) -> Node:
        ino = self._number(reader, found.icb_partition, found.icb_block)
        if ino >= NOWHERE:
            return self._make.faulty(ino, "its ICB lies nowhere in the image")
        try:
            icb = read_icb(reader, self._space, found.icb_partition, ino - found.icb_partition)
            node = self._make.node(reader, ino, icb)
        except DamagedDataError as error:
            return self._make.faulty(ino, str(error))
        if ino in (directory, self.root) and node.is_directory:
            return self._make.faulty(ino, "a directory that holds itself")
        return node

    def _number(self, reader: Reader, partition: int, block: int) -> int:
        """The inode number of the ICB in that block."""
        try:
            offset, _ = self._space.locate(reader, partition, block)
        except DamagedDataError:
            offset = 0
        if not self._space.block_size <= offset < reader.size:
            return NOWHERE | partition << 32 | block
        return offset + partition

    def _icb(self, reader: Reader, ino: int) -> Icb:
        partition = ino % self._space.block_size
        offset = ino - partition
        if ino >= NOWHERE:
            raise DamagedDataError("its ICB lies nowhere in the image")
        if offset <= 0 or partition >= len(self._space.partitions) or offset >= reader.size:
            raise StaleNodeError(f"{ino} is no inode number of this image")
        return read_icb(reader, self._space, partition, offset)

    def _listing(self, reader: Reader, ino: int) -> Listing:
        return open_directory(reader, self._space, self._icb(reader, ino))
