"""Where each hunk of a CHD file is, as its map says: compressed, stored, or a copy of another."""

import enum
import struct
from typing import NamedTuple, Protocol

from isomount.containers.packed.chd.header import Header
from isomount.errors import DamagedDataError, DamagedImageError
from isomount.sources import Source


class Form(enum.Enum):
    """How a hunk is kept."""

    COMPRESSED = enum.auto()
    STORED = enum.auto()
    # A copy of the hunk whose number is the place, or of what the parent has there.
    SELF = enum.auto()
    PARENT = enum.auto()
    # Eight bytes, which are the place itself, again and again.
    REPEATED = enum.auto()


class Hunk(NamedTuple):
    """Where a hunk is.

    ``place`` is a byte of the file, but for copies: the number of a hunk, or of a unit of the
    parent. ``codec`` counts from 0, ``checksum`` is that of the decoded hunk if there is one.
    """

    form: Form
    place: int
    length: int = 0
    codec: int = 0
    checksum: int | None = None


class HunkMap(Protocol):
    """Where each hunk is. Thread-safe."""

    def hunk(self, number: int) -> Hunk:
        """The hunk ``number``, which is one of the file's. Raises DamagedDataError or OSError."""


class StoredMap:
    """The map of version 5 without compression: for each hunk its place, in hunks of the file."""

    _ENTRY = struct.Struct(">I")

    def __init__(self, file: Source, header: Header) -> None:
        """Raises DamagedImageError."""
        _refuse_cut_off(file, header, self._ENTRY.size)
        self._file, self._header = file, header

    def hunk(self, number: int) -> Hunk:
        """The hunk ``number``; one that is stored nowhere is the parent's, or zeros."""
        header = self._header
        place = _entry(self._file, header, self._ENTRY, number)[0]
        if place:
            return Hunk(Form.STORED, place * header.hunk_size, header.hunk_size)
        if header.parent:
            return Hunk(Form.PARENT, number * header.hunk_size // header.unit_size)
        return Hunk(Form.REPEATED, 0)


class OldMap:
    """The map of versions 3 and 4: 16 bytes a hunk, with a CRC-32."""

    # Offset, CRC-32, the length's low 16 bits and high 8 bits, flags.
    _ENTRY = struct.Struct(">QIHBB")
    _NO_CHECKSUM = 0x10
    _FORMS = (
        None,
        Form.COMPRESSED,
        Form.STORED,
        Form.REPEATED,
        Form.SELF,
        Form.PARENT,
    )

    def __init__(self, file: Source, header: Header) -> None:
        """Raises DamagedImageError."""
        _refuse_cut_off(file, header, self._ENTRY.size)
        self._file, self._header = file, header

    def hunk(self, number: int) -> Hunk:
        """The hunk ``number``."""
        place, checksum, low, high, flags = _entry(self._file, self._header, self._ENTRY, number)
        kind = flags & 0xF
        form = self._FORMS[kind] if kind < len(self._FORMS) else None
        if form is None:
            raise DamagedDataError(f"the map entry of hunk {number} is damaged")
        checked = None if flags & self._NO_CHECKSUM else checksum
        if form in (Form.SELF, Form.PARENT):
            return Hunk(form, place)
        return Hunk(form, place, high << 16 | low, checksum=checked)


class OldestMap:
    """The map of versions 1 and 2: 8 bytes a hunk, 20 bits of length and 44 of offset."""

    _ENTRY = struct.Struct(">Q")

    def __init__(self, file: Source, header: Header) -> None:
        """Raises DamagedImageError."""
        _refuse_cut_off(file, header, self._ENTRY.size)
        self._file, self._header = file, header

    def hunk(self, number: int) -> Hunk:
        """The hunk ``number``: one of full length is not compressed."""
        (entry,) = _entry(self._file, self._header, self._ENTRY, number)
        place, length = entry & ((1 << 44) - 1), entry >> 44
        form = Form.STORED if length == self._header.hunk_size else Form.COMPRESSED
        return Hunk(form, place, length)


def _refuse_cut_off(file: Source, header: Header, entry: int) -> None:
    if header.map_at + entry * header.hunks > file.size:
        raise DamagedImageError(
            f"{file.name}: is cut off at byte {file.size}, within its map; copy it again"
        )


def _entry(file: Source, header: Header, entry: struct.Struct, number: int) -> tuple[int, ...]:
    data = file.read_at(header.map_at + number * entry.size, entry.size)
    if len(data) < entry.size:
        raise DamagedDataError(f"the map entry of hunk {number} cannot be read")
    return entry.unpack(data)
