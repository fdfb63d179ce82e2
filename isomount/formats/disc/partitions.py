"""Partition tables in the system area of a hybrid image (not specified by ECMA-119 6.2.1).

Such an image also boots from a USB stick: it has an MBR, GPT (UEFI 5.3) or Apple partition map.
They show what else is in the image; only the volume of the disc itself is mounted.
"""

import uuid
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from isomount.blocks import Reader

_SECTOR = 512
_SECTOR_SIZES = (512, 2048)
_MBR_TABLE, _MBR_ENTRIES, _MBR_ENTRY_SIZE = 446, 4, 16
_MBR_SIGNATURE = b"\x55\xaa"
_ACTIVE = 0x80
_GPT_SIGNATURE = b"EFI PART"
_GPT_ENTRY_SIZES = range(128, 4097)
_PARTITIONS_AT_MOST = 128

_MBR_KINDS = {
    0x00: "empty type, as isohybrid writes it",
    0x01: "FAT12",
    0x06: "FAT16",
    0x07: "NTFS or exFAT",
    0x0B: "FAT32",
    0x0C: "FAT32",
    0x17: "hidden NTFS, as isohybrid writes it",
    0x82: "Linux swap",
    0x83: "Linux",
    0x96: "ISO 9660",
    0xCD: "ISO 9660",
    0xEE: "GPT follows",
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
    table gives none; ``active`` is the MBR's mark for the one to boot from.
    """

    table: Table
    number: int
    type_id: str
    kind: str
    name: str
    start: int
    length: int
    active: bool = False


def read_partitions(reader: Reader) -> list[Partition]:
    """The partitions of every table, MBR, GPT and Apple's; an empty list where there is none.

    Raises OSError or DamagedDataError when the system area cannot be read.
    """
    return [*_mbr(reader.read(0, _SECTOR)), *_gpt(reader), *_apple(reader)]


def _mbr(sector: bytes) -> Iterator[Partition]:
    if sector[510:512] != _MBR_SIGNATURE:
        return
    for number in range(_MBR_ENTRIES):
        at = _MBR_TABLE + number * _MBR_ENTRY_SIZE
        entry = sector[at : at + _MBR_ENTRY_SIZE]
        length = int.from_bytes(entry[12:16], "little")
        # A status other than 0 or 0x80 means that this is boot code, not a partition table.
        if not length or entry[0] not in (0, _ACTIVE):
            continue
        yield Partition(
            Table.MBR,
            number + 1,
            f"{entry[4]:#04x}",
            _MBR_KINDS.get(entry[4], ""),
            "",
            int.from_bytes(entry[8:12], "little") * _SECTOR,
            length * _SECTOR,
            entry[0] == _ACTIVE,
        )


def _gpt(reader: Reader) -> Iterator[Partition]:
    """The primary GPT, by sectors of 512 bytes or of the disc's 2048."""
    for size in _SECTOR_SIZES:
        header = reader.read(size, 92)
        if not header.startswith(_GPT_SIGNATURE) or len(header) < 92:
            continue
        first = int.from_bytes(header[72:80], "little")
        count = min(int.from_bytes(header[80:84], "little"), _PARTITIONS_AT_MOST)
        width = int.from_bytes(header[84:88], "little")
        if width not in _GPT_ENTRY_SIZES:
            continue
        entries = reader.read(first * size, count * width)
        for number in range(len(entries) // width):
            yield from _gpt_entry(number + 1, entries[number * width :][:128], size)
        return


def _gpt_entry(number: int, entry: bytes, size: int) -> Iterator[Partition]:
    type_id = str(uuid.UUID(bytes_le=entry[:16]))
    first = int.from_bytes(entry[32:40], "little")
    last = int.from_bytes(entry[40:48], "little")
    if type_id == _UNUSED or last < first:
        return
    name = entry[56:128].decode("utf-16-le", "replace").partition("\0")[0]
    kind = _GPT_KINDS.get(type_id, "")
    length = (last - first + 1) * size
    yield Partition(Table.GPT, number, type_id, kind, name, first * size, length)


def _apple(reader: Reader) -> Iterator[Partition]:
    """The Apple partition map (Inside Macintosh: Devices, 3-22 on), big-endian."""
    for size in _SECTOR_SIZES:
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
            )
            number += 1
        if number > 1:
            return


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("mac_roman")
