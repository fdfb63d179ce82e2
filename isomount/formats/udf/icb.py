"""Information control blocks: file attributes and locations (ECMA-167 4/8.10, 4/14.9)."""

import struct
from typing import NamedTuple

from isomount.blocks import BytesContent, Content, Reader, SingleExtent
from isomount.errors import DamagedDataError
from isomount.formats.udf.allocation import EMBEDDED, LONG, SHORT, Allocation
from isomount.formats.udf.space import Space
from isomount.formats.udf.structures import (
    EXTENDED_FILE_ENTRY,
    EXTENDED_FILE_ENTRY_LAYOUT,
    FILE_ENTRY,
    FILE_ENTRY_LAYOUT,
    INDIRECT_ENTRY,
    INDIRECT_ENTRY_LAYOUT,
    FileEntry,
)
from isomount.formats.udf.tags import Soundness, soundness

_IDENTIFIERS = (FILE_ENTRY, EXTENDED_FILE_ENTRY, INDIRECT_ENTRY)
_DIRECT, _CHAINED = 4, 4096
# How many rewrites of a file on write-once media are followed (strategy 4096).
_REWRITES_AT_MOST = 256
_EMPTY = BytesContent(b"")
# A short descriptor, and the partition number that follows in a long one.
_SHORT_AD = struct.Struct("<II")
_PARTITION = struct.Struct("<H")
_DESCRIPTOR_MIN = {SHORT: 8, LONG: 16}


class Icb(NamedTuple):
    """A file entry and the ``block`` that contains it, at image byte ``offset``.

    If the entry itself is damaged, that is its mirror. ``body`` is the position in the block where
    the extended attributes begin; the allocation descriptors follow them. ``partition`` is the
    reference number of the partition through which it was reached.
    """

    entry: FileEntry
    offset: int
    partition: int
    block: bytes
    body: int

    @property
    def attributes(self) -> bytes:
        """The extended attributes within the file entry."""
        return self.block[self.body : self.body + self.entry.attributes_length]


def read_icb(reader: Reader, space: Space, partition: int, offset: int) -> Icb:
    """The latest file entry of the ICB at image byte ``offset``.

    Strategy 4 has one entry; with strategy 4096 each entry may be followed by an indirect entry
    that leads to a newer one (4/A.4, 4/A.5). Raises DamagedDataError.
    """
    latest: Icb | None = None
    second = False
    for _ in range(_REWRITES_AT_MOST):
        block, place = _sound_block(reader, space, partition, offset)
        if block is None:
            break
        identifier = int.from_bytes(block[:2], "little")
        if identifier != INDIRECT_ENTRY:
            if second:
                break
            latest = _icb(block, identifier, place, partition)
            if latest.entry.strategy != _CHAINED:
                break
            # The second block of the ICB may hold an indirect entry to a newer one.
            offset, second = offset + space.block_size, True
            continue
        link = INDIRECT_ENTRY_LAYOUT.parse(block)
        if link.length == 0 or link.partition >= len(space.partitions):
            break
        partition, second = link.partition, False
        offset, _ = space.locate(reader, partition, link.block)
    if latest is None:
        raise DamagedDataError(f"no file entry at byte {offset}")
    return latest


def _icb(block: bytes, identifier: int, offset: int, partition: int) -> Icb:
    layout = FILE_ENTRY_LAYOUT if identifier == FILE_ENTRY else EXTENDED_FILE_ENTRY_LAYOUT
    entry = layout.parse(block)
    if layout.size + entry.attributes_length + entry.descriptors_length > len(block):
        raise DamagedDataError(f"the file entry at byte {offset} runs over the end of its block")
    if entry.strategy not in (_DIRECT, _CHAINED):
        raise DamagedDataError(
            f"the file entry at byte {offset} has an unknown strategy ({entry.strategy})"
        )
    return Icb(entry, offset, partition, block, layout.size)


def _sound_block(
    reader: Reader, space: Space, partition: int, offset: int
) -> tuple[bytes | None, int]:
    """The block at ``offset``, or its mirror, and its image byte; None if it holds no entry."""
    block = reader.read(offset, space.block_size)
    grade = soundness(block, _IDENTIFIERS)
    if grade is Soundness.SOUND:
        return block, offset
    mirror = space.mirror_of(reader, partition, offset)
    if mirror is not None:
        other = reader.read(mirror, space.block_size)
        if soundness(other, _IDENTIFIERS) > grade:
            space.damage.note(offset, "file entry damaged, its mirror is used")
            return other, mirror
    if grade is Soundness.BAD:
        return None, offset
    space.damage.note(offset, "file entry with a wrong checksum or CRC")
    return block, offset


def content_of(reader: Reader, space: Space, icb: Icb) -> Content:
    """The bytes of the file that ``icb`` describes. Raises DamagedDataError."""
    entry = icb.entry
    size = entry.information_length
    kind = entry.flags & 7
    start = icb.body + entry.attributes_length
    if size >> 63:
        raise DamagedDataError(f"the file entry at byte {icb.offset} has an impossible size")
    if size == 0:
        return _EMPTY
    if kind in (SHORT, LONG) and entry.descriptors_length >= _DESCRIPTOR_MIN[kind]:
        whole = _one_run(reader, space, icb, start)
        if whole is not None:
            return whole
    if kind == EMBEDDED:
        if size > entry.descriptors_length:
            raise DamagedDataError(f"the file entry at byte {icb.offset} lacks part of its data")
        return SingleExtent(icb.offset + start, size)
    if kind > EMBEDDED:
        raise DamagedDataError(f"the file entry at byte {icb.offset} has unknown descriptors")
    return Allocation(
        space, icb.partition, kind, size, icb.offset + start, entry.descriptors_length
    )


def _one_run(reader: Reader, space: Space, icb: Icb, start: int) -> Content | None:
    """The content if it is in a single recorded extent, as usual, else None."""
    size = icb.entry.information_length
    length, block = _SHORT_AD.unpack_from(icb.block, start)
    # The two high bits are the extent's type: 0 is recorded.
    if not size <= length < 1 << 30:
        return None
    partition = icb.partition
    if icb.entry.flags & 7 == LONG:
        (partition,) = _PARTITION.unpack_from(icb.block, start + _SHORT_AD.size)
    try:
        offset, run = space.locate(reader, partition, block)
    except DamagedDataError:
        return None
    return SingleExtent(offset, size) if size <= run else None
