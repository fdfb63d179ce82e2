"""Where the root directory is when the volume descriptor leads elsewhere.

A damaged or miswritten root record of the descriptor is replaced by the first entry of the path
table, which Windows 98 goes by.
"""

import struct

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.formats.iso9660.content import section_start
from isomount.formats.iso9660.descriptors import PathTable, VolumeDescriptor
from isomount.formats.iso9660.records import LOST, PARENT, SELF, Record, parse

_SECTOR = 2048


def with_true_root(
    reader: Reader, descriptor: VolumeDescriptor, damage: Damage
) -> VolumeDescriptor:
    """``descriptor`` with the root that its path tables lead to, if its own record is wrong.

    A root directory is the one above itself. Where no path table leads to one either, the
    descriptor stays as it is.
    """
    size = descriptor.block_size
    start = section_start(descriptor.root, size)
    if descriptor.high_sierra or _root_record(reader, start, size) is not None:
        return descriptor
    for table in descriptor.path_tables:
        block = _first_entry(reader, table, size)
        record = None if block is None else _root_record(reader, block * size, size)
        if record is None:
            continue
        damage.note(
            descriptor.address,
            f"no root directory is at byte {start}, where the volume descriptor has it; "
            f"the path table leads to byte {record.address}",
        )
        root = descriptor.root._replace(
            extent=record.extent, xar_length=record.xar_length, data_length=record.data_length
        )
        return descriptor._replace(root=root)
    return descriptor


def _root_record(reader: Reader, start: int, block_size: int) -> Record | None:
    """The "." record at image byte ``start`` if a root directory begins there."""
    try:
        data = reader.read(start, _SECTOR)
    except LOST:
        return None
    own = parse(data, 0, start, high_sierra=False)
    above = None if own is None else parse(data, data[0], start + data[0], high_sierra=False)
    for record, identifier in ((own, SELF), (above, PARENT)):
        if record is None or record.identifier != identifier or not record.is_directory:
            return None
        if section_start(record, block_size) != start:
            return None
    return own


def _first_entry(reader: Reader, table: PathTable, block_size: int) -> int | None:
    """The block that entry 1 of a path table (ECMA-119 9.4) names: the root's."""
    layout = struct.Struct(f"{table.order}BBIHB")
    try:
        data = reader.read(table.block * block_size, layout.size)
    except LOST:
        return None
    if len(data) < layout.size:
        return None
    length, xar, block, above, identifier = layout.unpack(data)
    is_root = (length, above, identifier) == (1, 1, 0)
    return int(block) + int(xar) if is_root else None
