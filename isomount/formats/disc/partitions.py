"""Partition tables: MBR with its logical partitions, GPT (UEFI 5.3) and the Apple partition map.

A hybrid image has them in its system area (ECMA-119 6.2.1 leaves that to others) to start from a
USB stick too: the volume is the file's own. On the image of a whole disk the volume is in one of
the partitions.
"""

import uuid
import zlib
from collections.abc import Iterator
from enum import Enum
from itertools import chain
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.errors import DamagedDataError, UsageError

# The unit in which an MBR counts is told nowhere: 512 bytes on nearly all disks.
BLOCK_SIZES = (512, 2048, 4096)
_SECTOR = 512
_MBR_TABLE, _MBR_ENTRIES, _MBR_ENTRY_SIZE = 446, 4, 16
_MBR_SIGNATURE = b"\x55\xaa"
_ACTIVE = 0x80
_EXTENDED = (0x05, 0x0F, 0x85)
_PROTECTIVE = 0xEE
_FIRST_LOGICAL = 5
_GPT_SIGNATURE = b"EFI PART"
_GPT_HEADER_SIZE = 92
_GPT_ENTRY_SIZES = range(128, 4097)
_PARTITIONS_AT_MOST = 128
# What an Apple map lists of itself, and what belongs to no partition.
_APPLE_OWN = ("Apple_partition_map", "Apple_Free", "Apple_Void")

_MBR_KINDS = {
    0x00: "empty type, as isohybrid writes it",
    0x01: "FAT12",
    0x05: "extended",
    0x06: "FAT16",
    0x07: "NTFS or exFAT",
    0x0B: "FAT32",
    0x0C: "FAT32",
    0x0F: "extended",
    0x17: "hidden NTFS, as isohybrid writes it",
    0x82: "Linux swap",
    0x83: "Linux",
    0x85: "extended",
    0x96: "ISO 9660",
    0xCD: "ISO 9660",
    _PROTECTIVE: "GPT follows",
    0xEF: "EFI system",
}
_GPT_KINDS = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
    "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "basic data",
    "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux",
    "48465300-0000-11aa-aa11-00306543ecac": "HFS+",
    "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
    "9e1a2d38-c612-4316-aa26-8b49521e5a8b": "PowerPC PReP",
}
_UNUSED = "00000000-0000-0000-0000-000000000000"


class Table(Enum):
    """Which partition table; the value is what people call it."""

    MBR = "MBR"
    GPT = "GPT"
    APPLE = "Apple"


class Partition(NamedTuple):
    """One partition. ``start`` and ``length`` are bytes of the image.

    ``type_id`` is the table's own type: hexadecimal, a GUID or a word. ``name`` is "" where the
    table gives none; ``active`` is the MBR's mark for the one to boot from; ``block_size`` is the
    unit, in bytes, in which the table counts.
    """

    table: Table
    number: int
    type_id: str
    kind: str
    name: str
    start: int
    length: int
    active: bool = False
    block_size: int = _SECTOR

    @property
    def words(self) -> str:
        """What to call it: "MBR partition 1"."""
        return f"{self.table.value} partition {self.number}"


def read_partitions(reader: Reader, mbr_block_size: int = _SECTOR) -> list[Partition]:
    """The partitions of every table, MBR, GPT and Apple's; an empty list where there is none.

    Raises OSError or DamagedDataError when a table cannot be read.
    """
    return [*_mbr(reader, mbr_block_size), *_gpt(reader), *_apple(reader)]


def mbr_ends(reader: Reader) -> list[int]:
    """The bytes where the MBR's own partitions end, one that stands for a GPT too.

    Nothing but the first sector is read. Raises OSError or DamagedDataError.
    """
    entries = _entries(reader.read(0, _SECTOR))
    return [(entry.start + entry.length) * _SECTOR for entry in entries]


def candidates(reader: Reader) -> Iterator[Partition]:
    """The partitions that may be an image of their own, those of the best table first.

    Each place once, and none that begins where the file does or behind its end. Raises as
    ``read_partitions`` does.
    """
    seen: set[int] = set()
    for each in _ranked(reader):
        if 0 < each.start < reader.size and each.start not in seen:
            seen.add(each.start)
            yield each


def numbered(reader: Reader, number: int) -> list[Partition]:
    """The partition with that number: each place where an MBR may mean it to be, likeliest first.

    Raises UsageError when there is none, naming those that there are, or when it begins behind the
    image's end; else as ``read_partitions`` does.
    """
    ranked = list(_ranked(reader))
    named = [each for each in ranked if each.number == number]
    if named:
        found = [each for each in named if each.table is named[0].table]
        reason = f"it begins at byte {found[0].start}, and the image ends at byte {reader.size}"
        found = [each for each in found if each.start < reader.size]
        if found:
            return found
    elif ranked:
        there = dict.fromkeys(f"{each.table.value} {each.number}" for each in ranked)
        reason = f"there is none of that number, but {', '.join(there)}"
    else:
        reason = "the image has no partition table"
    raise UsageError(f"option partition={number}: {reason}")


def _ranked(reader: Reader) -> Iterator[Partition]:
    """The partitions that are to hold something. A GPT counts before an MBR, as in Linux.

    An MBR's come again for each size of block that it may count in.
    """
    mbrs = chain.from_iterable(_mbr(reader, size) for size in BLOCK_SIZES)
    for each in chain(_gpt(reader), mbrs, _apple(reader)):
        if not _is_the_tables(each):
            yield each


def _is_the_tables(each: Partition) -> bool:
    """Whether it stands for a table or for nothing, not for a file system."""
    if each.table is Table.MBR:
        return int(each.type_id, 16) in (*_EXTENDED, _PROTECTIVE)
    return each.type_id in _APPLE_OWN


class _Entry(NamedTuple):
    """An entry of an MBR or of an extended partition's: ``start`` and ``length`` in blocks."""

    place: int
    kind: int
    start: int
    length: int
    active: bool


def _mbr(reader: Reader, size: int) -> Iterator[Partition]:
    """The MBR's own partitions, then the logical ones in its extended partition."""
    primary = list(_entries(reader.read(0, _SECTOR)))
    for entry in primary:
        yield _mbr_partition(entry.place + 1, entry, 0, size)
    extended = next((entry.start for entry in primary if entry.kind in _EXTENDED), None)
    if extended:
        yield from _logical(reader, extended, size)


def _logical(reader: Reader, extended: int, size: int) -> Iterator[Partition]:
    """A chain of sectors, each with one partition, counted from itself, and the next sector."""
    table, seen = extended, set[int]()
    number = _FIRST_LOGICAL
    while table not in seen and len(seen) < _PARTITIONS_AT_MOST:
        seen.add(table)
        following = table
        for entry in _entries(reader.read(table * size, _SECTOR)):
            if entry.kind in _EXTENDED:
                following = extended + entry.start  # counted from the first of the chain
            else:
                yield _mbr_partition(number, entry, table, size)
                number += 1
        table = following


def _entries(sector: bytes) -> Iterator[_Entry]:
    if sector[510:512] != _MBR_SIGNATURE:
        return
    for index in range(_MBR_ENTRIES):
        at = _MBR_TABLE + index * _MBR_ENTRY_SIZE
        entry = sector[at : at + _MBR_ENTRY_SIZE]
        start, length = (int.from_bytes(entry[at : at + 4], "little") for at in (8, 12))
        # A status that is neither 0 nor 0x80 means that boot code stands here, no table.
        if length and entry[0] in (0, _ACTIVE):
            yield _Entry(index, entry[4], start, length, entry[0] == _ACTIVE)


def _mbr_partition(number: int, entry: _Entry, base: int, size: int) -> Partition:
    return Partition(
        Table.MBR,
        number,
        f"{entry.kind:#04x}",
        _MBR_KINDS.get(entry.kind, ""),
        "",
        (base + entry.start) * size,
        entry.length * size,
        entry.active,
        size,
    )


class _Header(NamedTuple):
    """A GPT header: where its entries are, and whether its checksum is right."""

    block_size: int
    entries: int
    entry_count: int
    width: int
    is_sound: bool


def _gpt(reader: Reader) -> Iterator[Partition]:
    """The GPT by blocks of each size: the main one, or the reserve if that alone is sound."""
    main = [_gpt_header(reader, size, 1) for size in BLOCK_SIZES]
    reserve = [_gpt_header(reader, size, reader.size // size - 1) for size in BLOCK_SIZES]
    found = [header for header in (*main, *reserve) if header is not None]
    header = next((each for each in found if each.is_sound), None)
    if header is None:
        header = next((each for each in main if each is not None), None)
    if header is not None:
        at = header.entries * header.block_size
        entries = reader.read(at, header.entry_count * header.width)
        for number in range(len(entries) // header.width):
            entry = entries[number * header.width :][: _GPT_ENTRY_SIZES.start]
            yield from _gpt_entry(number + 1, entry, header.block_size)


def _gpt_header(reader: Reader, size: int, block: int) -> _Header | None:
    """The header in that block (UEFI 5.3.2), None where there is none."""
    try:
        data = reader.read(block * size, size) if block > 0 else b""
    except (OSError, DamagedDataError):
        return None  # the other one may be there
    width = int.from_bytes(data[84:88], "little")
    if not data.startswith(_GPT_SIGNATURE) or width not in _GPT_ENTRY_SIZES:
        return None
    length = int.from_bytes(data[12:16], "little")
    summed = data[:16] + bytes(4) + data[20:length]
    return _Header(
        block_size=size,
        entries=int.from_bytes(data[72:80], "little"),
        entry_count=min(int.from_bytes(data[80:84], "little"), _PARTITIONS_AT_MOST),
        width=width,
        is_sound=length in range(_GPT_HEADER_SIZE, len(data) + 1)
        and zlib.crc32(summed) == int.from_bytes(data[16:20], "little"),
    )


def _gpt_entry(number: int, entry: bytes, size: int) -> Iterator[Partition]:
    type_id = str(uuid.UUID(bytes_le=entry[:16]))
    first = int.from_bytes(entry[32:40], "little")
    last = int.from_bytes(entry[40:48], "little")
    if type_id == _UNUSED or last < first:
        return
    name = entry[56:128].decode("utf-16-le", "replace").partition("\0")[0]
    kind = _GPT_KINDS.get(type_id, "")
    length = (last - first + 1) * size
    yield Partition(Table.GPT, number, type_id, kind, name, first * size, length, block_size=size)


def _apple(reader: Reader) -> Iterator[Partition]:
    """The Apple partition map (Inside Macintosh: Devices, 3-22 on), big-endian."""
    for size in BLOCK_SIZES:
        count = 1
        number = 1
        while number <= min(count, _PARTITIONS_AT_MOST):
            entry = reader.read(number * size, 136)
            if not entry.startswith(b"PM") or len(entry) < 136:
                break
            count = int.from_bytes(entry[4:8], "big")
            kind = _text(entry[48:80])
            yield Partition(
                Table.APPLE,
                number,
                kind,
                "",
                _text(entry[16:48]),
                int.from_bytes(entry[8:12], "big") * size,
                int.from_bytes(entry[12:16], "big") * size,
                block_size=size,
            )
            number += 1
        if number > 1:
            return


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("mac_roman")
