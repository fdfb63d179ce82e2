"""Volume descriptors (ECMA-119 8)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.damage import Unheard
from isomount.formats.iso9660.records import Record, parse, settled

SECTOR = 2048
FIRST_SECTOR = 16
# Linux reads sectors 16 to 99 of a session.
_LAST_SECTOR = 99
_PRIMARY, _SUPPLEMENTARY, _TERMINATOR = 1, 2, 255
_JOLIET_ESCAPES = (b"%/@", b"%/C", b"%/E")
_BEGINS_PRIMARY = b"\1CD001"
_BLOCK_SIZES = (512, 1024, 2048)


class PathTable(NamedTuple):
    """Where a path table is, and the byte order of its numbers as struct has it."""

    block: int
    order: str


class VolumeDescriptor(NamedTuple):
    """A primary, supplementary or enhanced volume descriptor (ECMA-119 8.4, 8.5).

    ``address`` is its image byte, ``space_size`` the volume's size in logical blocks, ``root`` the
    root directory's record, ``path_tables`` the blocks of the path tables with their byte order.
    ``disagreements`` names the numbers whose two byte orders are not the same; those that can be
    right count.
    """

    address: int
    high_sierra: bool
    supplementary: bool
    version: int
    label_bytes: bytes
    space_size: int
    escapes: bytes
    block_size: int
    root: Record
    path_tables: tuple[PathTable, ...]
    disagreements: tuple[str, ...]

    @property
    def is_joliet(self) -> bool:
        """Whether the escape sequences announce Joliet (UCS-2 levels 1 to 3)."""
        return self.supplementary and self.escapes.startswith(_JOLIET_ESCAPES)

    @property
    def is_enhanced(self) -> bool:
        """Whether this is ISO 9660:1999's enhanced descriptor."""
        return self.supplementary and self.version == 2 and not self.is_joliet

    def label_in(self, charset: str) -> str:
        """The volume identifier; "" where there are blanks only."""
        return text(self.label_bytes, "utf-16-be" if self.is_joliet else charset)


def text(field: bytes, charset: str) -> str:
    """What a field of characters in ``charset``, Joliet's in UTF-16-BE, says; "" if it is blank.

    Some writers fill Joliet's with blanks of one byte, which read as two are daggers.
    """
    if not field.strip(b"\0 "):
        return ""
    if charset == "utf-16-be":
        field = field[: len(field) & ~1]
    return field.decode(charset, "replace").strip("\0 ")


class Descriptors(NamedTuple):
    """The descriptors of one session that lead to a tree; the first of each kind counts.

    ``unusable`` is the image byte of an invalid primary descriptor.
    """

    primary: VolumeDescriptor | None
    joliet: VolumeDescriptor | None
    enhanced: VolumeDescriptor | None
    unusable: int | None


def read_descriptors(reader: Reader, session: int) -> Descriptors:
    """The descriptors of the session that starts at 2048-byte sector ``session``.

    The set terminator may be missing. All fields are None if there is no ISO 9660 volume.
    """
    primary = joliet = enhanced = unusable = None
    for sector, found in _scan(reader, session):
        if found is None:
            unusable = unusable or sector * SECTOR
        elif not found.supplementary:
            primary = primary or found
        elif found.is_joliet:
            joliet = joliet or found
        elif found.is_enhanced:
            enhanced = enhanced or found
    return Descriptors(primary, joliet, enhanced, unusable)


def first_primary(reader: Reader, session: int) -> VolumeDescriptor | None:
    """The primary descriptor that begins those of the session at that 2048-byte sector.

    None when another one comes first, or one that is invalid. Of the image one sector is read.
    """
    start = (session + FIRST_SECTOR) * SECTOR
    data = reader.read(start, SECTOR)
    if len(data) < SECTOR or not data.startswith(_BEGINS_PRIMARY):
        return None
    return _descriptor(reader, data, start, _ECMA_119)


def _scan(reader: Reader, session: int) -> Iterator[tuple[int, VolumeDescriptor | None]]:
    """Each descriptor of a tree with its sector; None for an invalid descriptor."""
    for sector in range(session + FIRST_SECTOR, session + _LAST_SECTOR + 1):
        try:
            data = reader.read(sector * SECTOR, SECTOR)
        except OSError:
            # A bad sector loses one descriptor; if it is the first, the image is unreadable.
            if sector == session + FIRST_SECTOR:
                raise
            continue
        if len(data) < SECTOR:
            return
        for layout in (_ECMA_119, _HIGH_SIERRA):
            kind = data[layout.identifier - 1]
            if data[layout.identifier : layout.identifier + 5] != layout.magic:
                continue
            if kind == _TERMINATOR:
                return
            if kind in layout.kinds:
                yield sector, _descriptor(reader, data, sector * SECTOR, layout)


class _Layout(NamedTuple):
    """The offsets of a descriptor's fields; ``kinds`` are the descriptor types that have a tree."""

    magic: bytes
    kinds: tuple[int, ...]
    identifier: int
    label: int
    space_size: int
    escapes: int
    block_size: int
    path_tables: int | None
    root: int


_ECMA_119 = _Layout(b"CD001", (_PRIMARY, _SUPPLEMENTARY), 1, 40, 80, 88, 128, 140, 156)
# High Sierra begins each descriptor with its block number and has no escape sequences.
_HIGH_SIERRA = _Layout(b"CDROM", (_PRIMARY,), 9, 48, 88, 96, 136, None, 180)


def _descriptor(
    reader: Reader, data: bytes, address: int, layout: _Layout
) -> VolumeDescriptor | None:
    high_sierra = layout is _HIGH_SIERRA
    # The root's record has a fixed format; its length bytes are unreliable, so they are ignored.
    root_bytes = bytes([34]) + data[layout.root + 1 : layout.root + 32] + b"\1\0"
    root = parse(root_bytes, 0, address + layout.root, high_sierra)
    block_sizes = _both(data, layout.block_size, 2)
    block_size = next((size for size in block_sizes if size in _BLOCK_SIZES), None)
    if root is None or block_size is None:
        return None
    space_sizes = _both(data, layout.space_size, 4)
    return VolumeDescriptor(
        address=address,
        high_sierra=high_sierra,
        supplementary=data[layout.identifier - 1] == _SUPPLEMENTARY,
        version=data[layout.identifier + 5],
        label_bytes=data[layout.label : layout.label + 32],
        space_size=space_sizes[0] or space_sizes[1],
        escapes=data[layout.escapes : layout.escapes + 32],
        block_size=block_size,
        root=settled(root, reader, block_size, Unheard()),
        path_tables=_path_tables(data, layout.path_tables),
        disagreements=tuple(
            name
            for name, agrees in (
                ("logical block size", block_sizes[0] == block_sizes[1]),
                ("volume space size", space_sizes[0] == space_sizes[1]),
                ("root directory's record", root.twins is None),
            )
            if not agrees
        ),
    )


def _both(data: bytes, at: int, width: int) -> tuple[int, int]:
    """A number in both byte orders (ECMA-119 7.2.3, 7.3.3), little-endian first."""
    middle = at + width
    little = int.from_bytes(data[at:middle], "little")
    return little, int.from_bytes(data[middle : middle + width], "big")


def _path_tables(data: bytes, at: int | None) -> tuple[PathTable, ...]:
    """The type L path table and its copy, then type M's (8.4.14 to 8.4.17)."""
    if at is None:
        return ()
    places = (("<", at), ("<", at + 4), (">", at + 8), (">", at + 12))
    found = ((struct.unpack_from(f"{order}I", data, place)[0], order) for order, place in places)
    return tuple(PathTable(block, order) for block, order in found if block)
