"""Partitions whose blocks are mapped by a file: virtual (UDF 2.2.8) and metadata (UDF 2.2.10)."""

import struct
from collections.abc import Iterator
from itertools import islice

from isomount.blocks import Content, Reader
from isomount.errors import DamagedDataError
from isomount.formats.udf.allocation import Allocation
from isomount.formats.udf.icb import Icb, content_of, read_icb
from isomount.formats.udf.space import UNBOUNDED, PartitionMap, Space
from isomount.formats.udf.structures import EXTENDED_FILE_ENTRY, FILE_ENTRY, VIRTUAL_TABLE

_VAT_1_50_IDENTIFIER = b"*UDF Virtual Alloc Tbl"
# Entity identifier and the address of the previous table (UDF 1.50 2.2.10).
_VAT_1_50_TAIL = 36
_VAT_1_50_TYPE, _VAT_2_00_TYPE = 0, 248
_UNUSED = 0xFFFFFFFF
_ENTRY = struct.Struct("<I")
_ENTRY_MARKS = (FILE_ENTRY.to_bytes(2, "little"), EXTENDED_FILE_ENTRY.to_bytes(2, "little"))
_SEARCHED_BYTES = 1 << 30
_CHUNK = 1 << 20
# How many file entries are tried as the table before the search is given up.
_TRIED_AT_MOST = 1024


class VirtualPartition:
    """Blocks whose address is an index into the virtual allocation table (write-once media)."""

    is_mirrored = False

    def __init__(
        self, block_size: int, physical: PartitionMap, table: Content, first: int, count: int
    ) -> None:
        self._block_size = block_size
        self._physical = physical
        self._table = table
        self._first = first
        self._count = count

    def locate(self, reader: Reader, block: int, mirror: bool = False) -> tuple[int, int]:
        """Looked up in the table; blocks are located one at a time."""
        if block < self._count:
            data = self._table.read(reader, self._first + 4 * block, 4)
            entry = _ENTRY.unpack(data)[0] if len(data) == 4 else _UNUSED
            if entry != _UNUSED:
                return self._physical.locate(reader, entry)[0], self._block_size
        raise DamagedDataError(f"virtual block {block} is not in the virtual allocation table")

    def mirror_of(self, reader: Reader, offset: int) -> int | None:
        """There is one copy."""
        return None


class MetadataPartition:
    """Blocks of the metadata file, which may have a second copy, the metadata mirror file."""

    def __init__(self, main: Allocation, mirror: Allocation | None, block_size: int) -> None:
        self._main = main
        self._mirror = mirror
        self._block_size = block_size
        self.is_mirrored = mirror is not None

    def locate(self, reader: Reader, block: int, mirror: bool = False) -> tuple[int, int]:
        """In the metadata file or, with ``mirror``, in its mirror."""
        file = self._mirror if mirror and self._mirror is not None else self._main
        position = block * self._block_size
        if position < file.size:
            offset, run = file.locate(reader, position)
            if offset is not None:
                return offset, min(run, UNBOUNDED)
        raise DamagedDataError(f"metadata block {block} is not recorded")

    def mirror_of(self, reader: Reader, offset: int) -> int | None:
        """The same block in the mirror file."""
        if self._mirror is None:
            return None
        try:
            position = self._main.position_of(reader, offset)
            if position is None or position >= self._mirror.size:
                return None
            return self._mirror.locate(reader, position)[0]
        except DamagedDataError:
            return None


def virtual_partition(
    reader: Reader, space: Space, reference: int, last_block: int
) -> VirtualPartition:
    """The virtual partition over the partition ``reference``, with the last table on the disc.

    The table's ICB is the last block written; padding or other blocks after it are skipped.
    Raises DamagedDataError if there is none.
    """
    offsets = _entries_from_the_end(reader, space.block_size, last_block)
    for offset in islice(offsets, _TRIED_AT_MOST):
        found = _table_at(reader, space, reference, offset)
        if found is not None:
            return found
    raise DamagedDataError("no virtual allocation table is found at the end of the image")


def _entries_from_the_end(reader: Reader, block_size: int, last_block: int) -> Iterator[int]:
    """The image bytes of blocks that begin like a file entry, last one first.

    Of a very large image only the end and the beginning are searched: on a disc that has hardly
    been written to, the table is near the beginning.
    """
    end = min((last_block + 1) * block_size, reader.size // block_size * block_size)
    tail = max(0, end - _SEARCHED_BYTES)
    for lowest, highest in ((tail, end), (0, min(tail, _SEARCHED_BYTES))):
        for start in range(highest - _CHUNK, lowest - _CHUNK, -_CHUNK):
            first = max(start, lowest)
            data = reader.read(first, start + _CHUNK - first)
            for at in range((len(data) - 1) // block_size * block_size, -1, -block_size):
                # The tags of file entry (261) and extended file entry (266).
                if data[at : at + 2] in _ENTRY_MARKS:
                    yield first + at


def _table_at(reader: Reader, space: Space, reference: int, offset: int) -> VirtualPartition | None:
    try:
        icb = read_icb(reader, space, reference, offset)
        if icb.entry.file_type not in (_VAT_1_50_TYPE, _VAT_2_00_TYPE):
            return None
        content = content_of(reader, space, icb)
        bounds = _table_bounds(reader, icb, content)
    except DamagedDataError:
        return None
    if bounds is None:
        return None
    first, end = bounds
    physical = space.partitions[reference]
    return VirtualPartition(space.block_size, physical, content, first, (end - first) // 4)


def _table_bounds(reader: Reader, icb: Icb, content: Content) -> tuple[int, int] | None:
    """The first and last byte position of the entries in the table's file."""
    if icb.entry.file_type == _VAT_2_00_TYPE:
        header = VIRTUAL_TABLE.parse(content.read(reader, 0, VIRTUAL_TABLE.size)).header_length
        return (header, content.size) if header <= content.size else None
    end = content.size - _VAT_1_50_TAIL
    if end < 0:
        return None
    tail = content.read(reader, end, _VAT_1_50_TAIL)
    return (0, end) if tail[1:].startswith(_VAT_1_50_IDENTIFIER) else None


def metadata_partition(
    reader: Reader, space: Space, reference: int, main_block: int, mirror_block: int
) -> MetadataPartition:
    """The metadata partition whose files have their ICBs in the partition ``reference``.

    A damaged main file is replaced by its mirror. Raises DamagedDataError if both are damaged.
    """
    mirror: Allocation | None
    try:
        mirror = _metadata_file(reader, space, reference, mirror_block)
    except DamagedDataError:
        mirror = None
    try:
        main = _metadata_file(reader, space, reference, main_block)
    except DamagedDataError as error:
        if mirror is None:
            raise
        offset, _ = space.locate(reader, reference, main_block)
        space.damage.note(offset, f"metadata file: {error}; its mirror is used")
        return MetadataPartition(mirror, None, space.block_size)
    return MetadataPartition(main, mirror, space.block_size)


def _metadata_file(reader: Reader, space: Space, reference: int, block: int) -> Allocation:
    offset, _ = space.locate(reader, reference, block)
    icb = read_icb(reader, space, reference, offset)
    start = icb.offset + icb.body + icb.entry.attributes_length
    kind = icb.entry.flags & 7
    if kind > 2:
        raise DamagedDataError("the metadata file has no allocation descriptors")
    size = min(icb.entry.information_length, reader.size)
    return Allocation(space, reference, kind, size, start, icb.entry.descriptors_length)
