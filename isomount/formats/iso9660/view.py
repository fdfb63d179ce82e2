"""One tree of an ISO 9660 volume as a view: Rock Ridge, Joliet, ISO 9660:1999 or plain.

Inode numbers are image bytes of directory records: a file's own record, and for a directory its "."
record, so that a directory has one number even if it is relocated or has several names. If "." is
missing or records a smaller size than the directory's record, that record is the number.
"""

from collections.abc import Iterator
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedDataError, DamagedImageError, StaleNodeError
from isomount.formats.charset import StoredNames
from isomount.formats.iso9660.aaip import extended_attributes
from isomount.formats.iso9660.content import section_start
from isomount.formats.iso9660.descriptors import VolumeDescriptor
from isomount.formats.iso9660.layout import FileDecoder, NoDecoder, PlainDecoder
from isomount.formats.iso9660.links import HardLinks
from isomount.formats.iso9660.names import iso_name, joliet_name
from isomount.formats.iso9660.nodes import NodeMaker
from isomount.formats.iso9660.records import (
    ASSOCIATED,
    HIDDEN,
    LOST,
    MULTI_EXTENT,
    PARENT,
    SELF,
    Record,
    RecordArea,
    read_record,
    scan,
    settled,
    undecoded,
)
from isomount.formats.iso9660.rockridge import RockRidge, attributes
from isomount.formats.iso9660.sections import files
from isomount.formats.iso9660.susp import Field, fields, has_xa
from isomount.formats.node import Entry, Node, StatFs
from isomount.formats.options import Map, ViewOptions

if TYPE_CHECKING:
    from isomount.containers.discs.source import DiscSource

_RELOCATION_FOLDERS = (b"rr_moved", b".rr_moved")
# Directories with extended attributes that are remembered; those of others are not shown.
_ATTRIBUTED_AT_MOST = 65536


class Tree(Enum):
    """The kinds of trees of a volume; the value is the name for display."""

    ROCK_RIDGE = "Rock Ridge"
    JOLIET = "Joliet"
    ENHANCED = "ISO 9660:1999"
    PLAIN = "ISO 9660"
    HIGH_SIERRA = "High Sierra"


class Iso9660View:
    """A View (see isomount.formats.base) of the tree that ``descriptor`` leads to.

    ``skip`` is how many bytes of each system use area come before the Rock Ridge fields. ``tracks``
    are those of a disc that the reader reads, where they are known.
    """

    def __init__(
        self,
        reader: Reader,
        descriptor: VolumeDescriptor,
        tree: Tree,
        skip: int,
        options: ViewOptions,
        damage: Damage,
        tracks: "DiscSource | None" = None,
    ) -> None:
        """Read the root directory's record. Raises DamagedImageError if there is none."""
        self.name = tree.value
        self.label = descriptor.label_in(options.charset)
        self.folds_case = tree is Tree.JOLIET if options.relaxed is None else options.relaxed
        self._descriptor = descriptor
        self._tree = tree
        self._skip = skip
        # Some discs have Rock Ridge fields without announcing them at the root.
        self._has_fields = tree is Tree.ROCK_RIDGE or (tree is Tree.PLAIN and not options.norock)
        self._options = options
        self._damage = damage
        self._block_size = descriptor.block_size
        self._high_sierra = descriptor.high_sierra
        self._stored = StoredNames(options.charset, damage.remark)
        self._make = NodeMaker(options, descriptor.block_size, self._stored, tracks)
        # Where sectors are stored whole, attributes of XA before those fields count as well.
        whole = tracks is not None and skip > 0
        self._decoder = NoDecoder() if whole else self._choose_decoder(descriptor, skip)
        self._links = HardLinks()
        # Of listed directories with extended attributes: the record in the parent, which has them.
        self._attributed: dict[int, int] = {}
        self.has_xattrs = False
        self._root_record, self._root_extent = self._find_root(reader)
        self.root = self._root_extent.start

    # ------------------------------------------------------------------ what a View offers

    def node(self, reader: Reader, ino: int) -> Node:
        """The node whose record is at image byte ``ino``."""
        if ino == self.root:
            rr = self._rock_ridge(reader, self._root_record, dot=True)
            self.has_xattrs = self.has_xattrs or (rr is not None and rr.attributed)
            return self._make.directory(ino, self._root_record, rr)
        record = self._record(reader, ino)
        if record.identifier == SELF:
            return self._make.directory(ino, record, self._rock_ridge(reader, record, dot=True))
        sections = self._sections(reader, record)
        return self._node(reader, sections, self._rock_ridge(reader, record))

    def parent(self, reader: Reader, ino: int) -> int:
        """The directory named by "..", or by the parent link (PL) of a relocated directory."""
        if ino == self.root:
            return ino
        try:
            start = self._above(reader, self._extent(reader, ino))
            if start == self.root or self._dot(reader, start) is None:
                return self.root
            return self._listed_number(reader, start) if self._high_sierra else start
        except LOST:
            return self.root

    def directory_size(self, reader: Reader, ino: int) -> int:
        """The size of the directory's extent, as far as it is within the image."""
        extent = self._extent(reader, ino)
        return max(0, min(extent.end, reader.size) - extent.start)

    def entries(self, reader: Reader, ino: int, position: int = 0) -> Iterator[Entry]:
        """The entries in the order of their records; ``position`` counts bytes of the extent."""
        extent = self._extent(reader, ino)
        if extent.end > extent.start >= reader.size:
            raise DamagedDataError(f"the directory at byte {extent.start} is past the image's end")
        for found in files(
            reader, extent, extent.start + position, self._decoder.decode, self._damage
        ):
            if isinstance(found, list):
                yield from found
                continue
            entry = self._entry(reader, found, extent)
            if entry is None:
                continue
            if ino == self.root and self._is_emptied(reader, entry.name, entry.node):
                continue
            yield entry

    def _entry(
        self, reader: Reader, sections: tuple[Record, ...], extent: RecordArea
    ) -> Entry | None:
        """The entry of a file's records; None if it is not listed."""
        record = sections[0]
        # The root's own record is not an entry, whatever its identifier.
        if record.identifier in (SELF, PARENT) or record.address == self.root:
            return None
        if self._is_hidden(record):
            return None
        said = self._fields(reader, record)
        self._decoder.learn(record, said)
        rr = attributes(said) if self._has_fields else None
        if rr is not None and rr.relocated:
            return None
        # Of several sections, the attributes of the first and the name of the last are used.
        named = rr if len(sections) == 1 else self._rock_ridge(reader, sections[-1])
        name = self._name(sections[-1], named)
        node = self._node(reader, sections, rr)
        if rr is not None and rr.attributed:
            self._note_attributed(node, record)
        return Entry(record.address - extent.start, name, node)

    def xattrs(self, reader: Reader, ino: int) -> dict[bytes, bytes]:
        """What AAIP fields of the node's record say; a directory's has to be listed before."""
        if not self._has_fields:
            return {}
        is_root = ino == self.root
        record = self._root_record
        if not is_root:
            record = self._record(reader, self._attributed.get(ino, ino))
        found = self._fields(reader, record, dot=is_root)
        return extended_attributes(found, record.address, self._damage)

    def statfs(self) -> StatFs:
        """The size that the volume descriptor gives."""
        return StatFs(self._block_size, self._descriptor.space_size)

    def is_empty(self, reader: Reader) -> bool:
        """Whether the root has no entries."""
        return next(self.entries(reader, self.root), None) is None

    # ------------------------------------------------------------------ records

    def _choose_decoder(
        self, descriptor: VolumeDescriptor, skip: int
    ) -> FileDecoder | PlainDecoder | NoDecoder:
        """The decoder for runs of ordinary records of this tree."""
        mapping, charset = self._options.map, self._options.charset
        if self._tree is Tree.JOLIET:
            return PlainDecoder(
                self._make, descriptor.block_size, lambda name: joliet_name(name, charset)
            )
        if not self._stored.keeps_ascii:
            return NoDecoder()
        shown = self._stored.shown
        if self._tree is Tree.ROCK_RIDGE:
            return FileDecoder(self._make, descriptor.block_size, skip, shown)
        if self._high_sierra or mapping is Map.ACORN:
            return NoDecoder()
        return PlainDecoder(
            self._make,
            descriptor.block_size,
            lambda name: iso_name(shown(name), b"", False, mapping),
        )

    def _find_root(self, reader: Reader) -> tuple[Record, RecordArea]:
        """The root's "." record, which has its attributes, and its extent by the descriptor."""
        record = self._descriptor.root
        start = section_start(record, self._block_size)
        first = read_record(reader, start, self._high_sierra)
        if first is None or not first.is_directory:
            raise DamagedImageError(
                f"the root directory at byte {start} is not a directory or lies past the end of "
                "the image: it is cut off or damaged"
            )
        first = settled(first, reader, self._block_size, self._damage)
        return first, self._span(start, first.data_length, record.data_length)

    def _span(self, start: int, size: int, other_size: int = 0) -> RecordArea:
        """The extent of a directory, by the sizes in its "." record and in its parent's.

        Linux uses the former; bytes that only the latter includes are doubtful.
        """
        end = start + max(size, other_size)
        sure = start + (size or other_size)
        return RecordArea(start, end, sure, self._block_size, self._high_sierra)

    def _record(self, reader: Reader, ino: int) -> Record:
        record = read_record(reader, ino, self._high_sierra)
        if record is None:
            raise StaleNodeError(f"there is no directory record at byte {ino}")
        return settled(record, reader, self._block_size, self._damage)

    def _dot(self, reader: Reader, start: int) -> Record | None:
        """The "." record of the directory that starts there, None if it has none."""
        record = read_record(reader, start, self._high_sierra)
        if record is None or record.identifier != SELF or not record.is_directory:
            return None
        return settled(record, reader, self._block_size, self._damage)

    def _extent(self, reader: Reader, ino: int) -> RecordArea:
        """The area of the records of the directory ``ino``."""
        if ino == self.root:
            return self._root_extent
        record = self._record(reader, ino)
        if record.identifier == SELF:
            return self._span(ino, record.data_length, record.data_length)
        if not record.is_directory:
            # A directory by its Rock Ridge mode, but a file by its record: treated as empty.
            return self._span(ino, 0)
        start = section_start(record, self._block_size)
        dot = self._dot(reader, start)
        return self._span(start, dot.data_length if dot else 0, record.data_length)

    def _above(self, reader: Reader, extent: RecordArea) -> int:
        """Where the parent of the directory in ``extent`` starts; without "..", the root."""
        for record in islice(scan(reader, extent, extent.start, self._damage), 2):
            if record.identifier == PARENT:
                rr = self._rock_ridge(reader, record)
                if rr is not None and rr.parent is not None:
                    return rr.parent * self._block_size
                return section_start(record, self._block_size)
        return self.root

    def _listed_number(self, reader: Reader, start: int) -> int:
        """The number of the High Sierra directory at ``start``: its record in its parent."""
        above = self._extent(reader, self._above(reader, self._extent(reader, start)))
        for record in scan(reader, above, above.start, self._damage):
            here = record.identifier not in (SELF, PARENT) and record.is_directory
            if here and section_start(record, self._block_size) == start:
                return record.address
        return start

    def _sections(self, reader: Reader, record: Record) -> tuple[Record, ...]:
        if not record.flags & MULTI_EXTENT or record.is_directory:
            return (record,)
        start = record.address - record.address % self._block_size
        extent = self._span(start, reader.size - start)
        sections = next(files(reader, extent, record.address, undecoded, self._damage), None)
        if not isinstance(sections, tuple) or sections[0].address != record.address:
            raise StaleNodeError(f"there is no directory record at byte {record.address}")
        return sections

    # ------------------------------------------------------------------ meaning

    def _is_hidden(self, record: Record) -> bool:
        options = self._options
        if record.flags & HIDDEN and options.hide:
            return True
        return bool(record.flags & ASSOCIATED) and not (options.showassoc or options.unhide)

    def _rock_ridge(self, reader: Reader, record: Record, dot: bool = False) -> RockRidge | None:
        """The Rock Ridge attributes of a record, None in trees without Rock Ridge."""
        return attributes(self._fields(reader, record, dot)) if self._has_fields else None

    def _fields(self, reader: Reader, record: Record, dot: bool = False) -> list[Field]:
        """The Rock Ridge fields of a record; empty in trees without Rock Ridge."""
        if not self._has_fields:
            return []
        area = record.system_use
        # The skip does not apply to the root's own record, which announces it (SUSP 5.3).
        skip = 0 if dot and record.address == self._root_extent.start else self._skip
        if skip == 0 and has_xa(area):
            skip = 14
        if skip:
            area = area[skip:]
        return list(fields(reader, area, self._block_size, record.address, self._damage))

    def _name(self, record: Record, rr: RockRidge | None) -> bytes:
        if self._tree is Tree.JOLIET:
            return joliet_name(record.identifier, self._options.charset)
        if rr is not None and rr.name is not None:
            return self._stored.shown(rr.name)
        identifier = self._stored.shown(record.identifier)
        return iso_name(identifier, record.system_use, record.is_directory, self._options.map)

    def _node(self, reader: Reader, sections: tuple[Record, ...], rr: RockRidge | None) -> Node:
        record = sections[0]
        if rr is not None and rr.child is not None:
            return self._relocated(reader, record, rr)
        if record.is_directory:
            return self._directory(reader, record, rr)
        node = self._make.other(record.address, sections, rr)
        if rr is not None and node.nlink > 1:
            return node._replace(ino=self._links.number(node, record, rr))
        return node

    def _directory(self, reader: Reader, record: Record, rr: RockRidge | None) -> Node:
        """The node of the directory that ``record``, in its parent, describes."""
        if self._high_sierra:
            return self._make.directory(record.address, record, rr)
        start = section_start(record, self._block_size)
        try:
            dot = self._dot(reader, start)
        except LOST as error:
            return self._unreadable(record, rr, f"it cannot be read ({error})")
        if start >= reader.size:
            return self._unreadable(record, rr, "it lies past the end of the image")
        if dot is None:
            self._damage.note(start, "a directory does not begin with its own record")
            return self._make.directory(record.address, record, rr)
        ino = start if dot.data_length >= record.data_length else record.address
        return self._make.directory(ino, dot, self._rock_ridge(reader, dot, dot=True))

    def _relocated(self, reader: Reader, record: Record, rr: RockRidge) -> Node:
        """The directory that a child link points to (RRIP 4.1.5.1)."""
        start = (rr.child or 0) * self._block_size
        try:
            dot = self._dot(reader, start)
        except LOST as error:
            return self._unreadable(record, rr, f"it cannot be read ({error})")
        if dot is None:
            return self._unreadable(record, rr, f"its child link leads to byte {start}")
        return self._make.directory(start, dot, self._rock_ridge(reader, dot, dot=True))

    def _unreadable(self, record: Record, rr: RockRidge | None, reason: str) -> Node:
        self._damage.note(record.address, f"a directory is lost: {reason}")
        return self._make.unreadable(record, rr, f"the directory is lost: {reason}")

    def _is_emptied(self, reader: Reader, name: bytes, node: Node) -> bool:
        """Whether this directory contains only relocated directories, which are shown elsewhere."""
        if name.lower() not in _RELOCATION_FOLDERS or not node.is_directory or node.fault:
            return False
        # For a directory that is the root itself, this would recurse without end.
        if not self._has_fields or node.ino == self.root:
            return False
        try:
            if next(self.entries(reader, node.ino), None):
                return False
            extent = self._extent(reader, node.ino)
            return any(
                record.identifier not in (SELF, PARENT)
                for record in scan(reader, extent, extent.start, self._damage)
            )
        except LOST:
            return False

    def _note_attributed(self, node: Node, record: Record) -> None:
        """Remember that the listed ``record`` of ``node`` has extended attributes."""
        self.has_xattrs = True
        if node.is_directory and len(self._attributed) < _ATTRIBUTED_AT_MOST:
            self._attributed[node.ino] = record.address
