"""Directory records (ECMA-119 9.1) and those of High Sierra, read from a directory's extent."""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedDataError
from isomount.formats.node import Entry

# Decodes a run of consecutive records into entries. Arguments: the bytes, the position of the first
# record in them and the limit, the image byte of the bytes and of the directory, the maximum count.
Decode = Callable[[bytes, int, int, int, int, int], list[Entry]]

HIDDEN, DIRECTORY, ASSOCIATED, MULTI_EXTENT = 0x01, 0x02, 0x04, 0x80
SELF, PARENT = b"\0", b"\1"
# Records decoded in one run: few at first, as often only one entry is needed.
_RUN_AT_FIRST, _RUN_AT_MOST = 1, 64
# The exceptions of reading unreadable bytes of the image.
LOST = (OSError, DamagedDataError)

_CHUNK = 65536
_SECTOR = 2048
_FIXED = 33
_LONGEST = 255
# Length, XAR length, extent and data length (little-endian halves), date, flags, file unit size,
# interleave gap size, identifier length.
_ECMA_119 = struct.Struct("<BBI4xI4x7sBBB4xB")
# The big-endian halves of extent and data length.
TWINS = struct.Struct(">6xI4xI")
# High Sierra's date lacks the time zone, so the flags are one byte earlier.
_HIGH_SIERRA = struct.Struct("<BBI4xI4x6sBxBB4xB")


class Record(NamedTuple):
    """One directory record. ``address`` is its image byte, ``system_use`` its system use area.

    ``twins`` is what the big-endian halves of extent and data length say if they disagree.
    """

    address: int
    xar_length: int
    extent: int
    data_length: int
    date: bytes
    flags: int
    unit: int
    gap: int
    identifier: bytes
    system_use: bytes
    twins: tuple[int, int] | None = None

    @property
    def is_directory(self) -> bool:
        """Whether the directory flag is set."""
        return bool(self.flags & DIRECTORY)


def parse(data: bytes, position: int, address: int, high_sierra: bool) -> Record | None:
    """The record at ``data[position]``, None if its lengths are inconsistent."""
    if len(data) - position < _FIXED or len(data) - position < data[position]:
        return None
    layout = _HIGH_SIERRA if high_sierra else _ECMA_119
    length, xar, extent, size, date, flags, unit, gap, name_length = layout.unpack_from(
        data, position
    )
    name = position + _FIXED
    name_end = name + name_length
    if length < _FIXED + name_length:
        return None
    # A padding byte keeps the system use area at an even offset.
    use = name_end + (~name_length & 1)
    twins = TWINS.unpack_from(data, position)
    return Record(
        address,
        xar,
        extent,
        size,
        date,
        flags,
        unit,
        gap,
        data[name:name_end],
        data[use : position + length],
        None if twins == (extent, size) else twins,
    )


def read_record(reader: Reader, address: int, high_sierra: bool) -> Record | None:
    """The record at image byte ``address``, None if there is none."""
    return parse(reader.read(address, _LONGEST), 0, address, high_sierra)


def possible(little: int, big: int, at_most: int) -> int:
    """Of the two byte orders of a number the one that can be right, little-endian if both can."""
    return little if 0 < little <= at_most or not 0 < big <= at_most else big


def settled(record: Record, reader: Reader, block_size: int, damage: Damage) -> Record:
    """``record`` with the numbers that count where its byte orders disagree, which is noted."""
    if record.twins is None:
        return record
    damage.note(record.address, "the two byte orders of a directory record disagree")
    extent, size = record.twins
    return record._replace(
        extent=possible(record.extent, extent, reader.size // block_size),
        data_length=possible(record.data_length, size, reader.size),
        twins=None,
    )


class RecordArea(NamedTuple):
    """The area of a directory's records: image bytes ``start`` to ``end``, in blocks with padding.

    From ``doubtful`` on, the image contradicts itself about whether the bytes are part of it.
    """

    start: int
    end: int
    doubtful: int
    block_size: int
    high_sierra: bool


def scan(reader: Reader, extent: RecordArea, address: int, damage: Damage) -> Iterator[Record]:
    """The records of ``extent`` from ``address`` on, in order."""
    for found in decoded(reader, extent, address, damage, undecoded):
        assert isinstance(found, Record)
        yield found


def undecoded(
    data: bytes, position: int, limit: int, base: int, start: int, at_most: int
) -> list[Entry]:
    """A Decode that decodes nothing, so that each record is parsed by itself."""
    return []


def decoded(
    reader: Reader,
    extent: RecordArea,
    address: int,
    damage: Damage,
    decode: Decode,
) -> Iterator[Record | list[Entry]]:
    """As ``scan``, but with the entries that ``decode`` returns in place of the records decoded.

    A length of zero ends the records of a block. After a record with inconsistent lengths the rest
    of its block is skipped; an unreadable sector is skipped alone.
    """
    at_most = _RUN_AT_FIRST
    while address < extent.end:
        data = _chunk(reader, address, extent, damage)
        if not data:
            return
        base, position = address, 0
        last = address + len(data) >= min(extent.end, reader.size)
        # A record may extend into the next chunk, where it is parsed then.
        limit = len(data) if last else len(data) - _LONGEST
        while position < limit:
            doubtful = base + position >= extent.doubtful
            if not data[position]:
                if doubtful:
                    return
                position = _next_block(data, base, position, extent)
                continue
            sure = min(limit, extent.doubtful - base)
            run = decode(data, position, sure, base, extent.start, at_most)
            if run:
                yield run
                position = extent.start + run[-1].position - base
                position += data[position]
                at_most = min(4 * at_most, _RUN_AT_MOST)
                continue
            record = parse(data, position, base + position, extent.high_sierra)
            if doubtful and not _belongs(record, extent, reader):
                return
            if record is None:
                damage.note(base + position, "a directory record contradicts itself")
                position = _block_end(base + position, extent) - base
                continue
            yield settled(record, reader, extent.block_size, damage)
            position += data[position]
        address = base + position


def _belongs(record: Record | None, extent: RecordArea, reader: Reader) -> bool:
    """Whether a record in the doubtful part can belong to the directory."""
    if record is None or record.identifier == SELF:
        return False
    return record.extent * extent.block_size + record.data_length <= reader.size


def _block_end(address: int, extent: RecordArea) -> int:
    return address + extent.block_size - (address - extent.start) % extent.block_size


def _next_block(data: bytes, base: int, position: int, extent: RecordArea) -> int:
    """The position of the next block that is not all zeros."""
    position = _block_end(base + position, extent) - base
    zeros = bytes(extent.block_size)
    while position < len(data) and data.startswith(zeros, position):
        position += extent.block_size
    return position


def _chunk(reader: Reader, address: int, extent: RecordArea, damage: Damage) -> bytes:
    length = min(_CHUNK, extent.end - address)
    try:
        data = reader.read(address, length)
    except LOST:
        data = _readable_sectors(reader, address, length, damage)
        if address == extent.start and not any(data):
            raise DamagedDataError(f"the directory at byte {address} cannot be read") from None
        return data
    if len(data) < length:
        damage.note(address + len(data), "a directory goes on past the end of the image")
    return data


def _readable_sectors(reader: Reader, address: int, length: int, damage: Damage) -> bytes:
    """The range with unreadable sectors as zeros, which contain no records."""
    sectors: list[bytes] = []
    end = address + length
    while address < end:
        wanted = min(_SECTOR - address % _SECTOR, end - address)
        try:
            sectors.append(reader.read(address, wanted))
        except LOST as error:
            damage.note(address, f"a directory sector cannot be read ({error})")
            sectors.append(bytes(wanted))
        address += wanted
    return b"".join(sectors)
