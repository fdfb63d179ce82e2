"""DAA (.daa) of PowerISO and GBI (.gbi) of gBurner: chunks of deflate or LZMA, in one file or more.

The layout is known from those who took it apart; PowerISO has never told it. What none of them
could try on a file is refused.
"""

import re
import shlex
import struct
import zlib
from typing import NamedTuple

from isomount import codecs
from isomount.containers.base import Surroundings, closed_on_failure
from isomount.containers.packed.chunks import CHUNK_AT_MOST, ChunkedSource
from isomount.containers.packed.daa_table import KIND, ChunkTable, Packing, chunk_table
from isomount.containers.packed.damaged import damaged
from isomount.containers.packed.inflate import inflate_permuted
from isomount.containers.packed.parts import JoinedSource, Numbering, Stretch, open_part
from isomount.errors import DamagedDataError, DamagedImageError, NotAnImageError
from isomount.sources import Source

# Signature, table, format, data, 1, 0, chunk size and flags, size, size of all parts, for format
# 0x110: 5 bytes, widths in the table, filter, 9 bytes; CRC-32 of what stands before it.
_HEADER = struct.Struct("<16sIII8xIQQ16sI")
# A later part: signature, data, as above.
_PART_HEADER = struct.Struct("<16sI16sI")
_CRC = 4
_PLAIN_FORMAT, _PACKED_FORMAT = 0x100, 0x110
_IS_GBI, _IS_PART = b"GBI", b"VOL"
# Of format 0x110 only the low bits are the data's place, or the chunk size in units.
_DATA_BITS, _SIZE_BITS, _SIZE_SHIFT = 0xFFFFFF, 0xFFF, 14
# Flags beside the chunk size.
_TABLE_IS_COMPRESSED, _BITS_ARE_HIDDEN = 0x4000, 0x20000
_UNKNOWN, _TABLE_IS_HIDDEN = 0x80000, 0x8000000
_BLOCK_TYPES_AT = 23
# A flag beside the data's place.
_UNKNOWN_DATA = 0x10000000
# What deflate's block types 0, 1 and 2 are stored as, by 2 bits of the flags; those of GBI differ.
_BLOCK_TYPES = ((0, 1, 2), (1, 2, 0), (0, 2, 1), (1, 0, 2))
# Between header and table: type and length, its own 8 bytes included.
_DESCRIPTOR = struct.Struct("<II")
_SPLIT, _ENCRYPTED = 2, 3
_PARTS = struct.Struct("<I")
_PARTS_AT_MOST = 1000
_LZMA, _DEFLATE = 0, 1

_NUMBERING = Numbering(
    counted=re.compile(r"(.*?)(\d{2,3})(\.(?:daa|gbi))", re.IGNORECASE | re.DOTALL),
    endings=(".daa", ".gbi"),
    later=".d{:02}",
    renamed=re.compile(r"(.*)\.d(\d{2,3})", re.IGNORECASE | re.DOTALL),
    second=0,
)


class _Header(NamedTuple):
    signature: bytes
    table: int
    format: int
    data: int
    flags: int
    size: int
    all_parts: int
    packing: bytes
    crc: int

    @property
    def data_at(self) -> int:
        return self.data if self.format == _PLAIN_FORMAT else self.data & _DATA_BITS

    @property
    def chunk_size(self) -> int:
        if self.format == _PLAIN_FORMAT:
            return self.flags
        return (self.flags & _SIZE_BITS) << _SIZE_SHIFT

    @property
    def is_gbi(self) -> bool:
        return self.signature.startswith(_IS_GBI)

    @property
    def block_types(self) -> tuple[int, int, int]:
        if self.format == _PLAIN_FORMAT:
            return _BLOCK_TYPES[0]
        return _BLOCK_TYPES[(self.flags >> _BLOCK_TYPES_AT & 3) ^ self.is_gbi]

    @property
    def has_x86_filter(self) -> bool:
        return self.packing[6] == 1

    @property
    def lzma_properties(self) -> bytes:
        return self.packing[7:12]


class DaaSource(ChunkedSource):
    """What is in a DAA or GBI file, whose stored chunks are side by side in ``data``."""

    def __init__(
        self, data: Source, header: _Header, table: ChunkTable, surroundings: Surroundings
    ) -> None:
        super().__init__(data, header.size, header.chunk_size, surroundings.store)
        self._header = header
        self._table = table

    def block(self, number: int) -> bytes:
        """A chunk, decoded by its type; one that is not shorter by that is stored as it is."""
        size = self.length_of(number)
        place, length, kind = self._table[number]
        stored = self._exactly(number, place, length)
        if self._header.format == _PACKED_FORMAT and length >= self.block_length:
            return self._whole(number, stored[:size])
        if kind == _DEFLATE:
            return self._whole(number, self._inflated(stored, size))
        if kind != _LZMA:
            raise DamagedDataError(f"chunk {number} is damaged: its type {kind} is not known")
        # What the filter did to the end depends on all of the chunk.
        chunk = codecs.unpack_lzma_raw(stored, self.block_length, self._header.lzma_properties)
        if self._header.has_x86_filter:
            chunk = codecs.without_x86_filter(chunk)
        return self._whole(number, chunk[:size])

    def _inflated(self, stored: bytes, size: int) -> bytes:
        types = self._header.block_types
        if types == _BLOCK_TYPES[0]:
            return codecs.inflate_raw(stored, size)
        return inflate_permuted(stored, size, types)


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The image in a DAA or GBI file, of which ``file`` is any part.

    Raises NotAnImageError, DamagedImageError or ImageUnreadableError.
    """
    if not _is_later(file):
        return _unpacked(file, surroundings, [file])
    first = open_part(file, surroundings, _NUMBERING, 0)
    with closed_on_failure(first):
        if _is_later(first):
            raise DamagedImageError(
                f"{first.name}: is not the first part of the image, as its name says; name that one"
            )
        return _unpacked(first, surroundings, [file, first])


def _is_later(file: Source) -> bool:
    """Whether it is not the first part: one that says what the image is like."""
    return file.read_at(4, len(_IS_PART)) == _IS_PART


def _unpacked(file: Source, surroundings: Surroundings, files: list[Source]) -> DaaSource:
    """The image whose first part is ``file``. All of ``files`` are closed with it."""
    header = _header(file)
    parts = _descriptors(file, header)
    table = chunk_table(file, header.table, header.data_at, _packing(header))
    if len(table) < -(-header.size // header.chunk_size):
        raise damaged(file, KIND, "index")
    opened = len(files)
    try:
        stretches = [Stretch(file, header.data_at, file.size - header.data_at)]
        for number in range(1, parts):
            files.append(part := open_part(file, surroundings, _NUMBERING, number))
            start = _data_of_part(part)
            stretches.append(Stretch(part, start, part.size - start))
        return DaaSource(JoinedSource(file.name, stretches, files), header, table, surroundings)
    except BaseException:  # Ctrl-C too: nobody else would close them
        for part in files[opened:]:
            part.close()
        raise


def _header(file: Source) -> _Header:
    """The header of the first part, of an image that is read."""
    data = file.read_at(0, _HEADER.size)
    if len(data) < _HEADER.size:
        raise damaged(file, KIND, "header")
    header = _Header(*_HEADER.unpack(data))
    if zlib.crc32(data[:-_CRC]) != header.crc:
        raise damaged(file, KIND, "header")
    if header.format not in (_PLAIN_FORMAT, _PACKED_FORMAT):
        raise NotAnImageError(
            f"{file.name}: is a DAA file of format {header.format:#x}, which isomount does not "
            "know; PowerISO opens it"
        )
    if header.format == _PACKED_FORMAT and (
        header.flags & (_TABLE_IS_COMPRESSED | _UNKNOWN) or header.data & _UNKNOWN_DATA
    ):
        raise NotAnImageError(
            f"{file.name}: is a DAA file of a newer PowerISO, which keeps its index in a form that "
            "only PowerISO reads; save it there as .iso"
        )
    is_sound = (
        header.size > 0
        and header.chunk_size > 0
        and _HEADER.size <= header.table < header.data_at <= file.size
    )
    if not is_sound:
        raise damaged(file, KIND, "header")
    if header.chunk_size > CHUNK_AT_MOST:
        raise NotAnImageError(
            f"{file.name}: has chunks of {header.chunk_size} bytes, too large to read a little of "
            f"them; daa2iso makes an .iso of it: daa2iso {shlex.quote(file.name)} disc.iso"
        )
    return header


def _packing(header: _Header) -> Packing:
    """How the table is packed, and hidden."""
    hidden_by = header.crc & 0xFF if header.is_gbi else None
    if header.format == _PLAIN_FORMAT:
        return Packing(0, 0, False, hidden_by, None)
    widths = header.packing[5]
    kind = widths & 7
    length = widths >> 3
    if length:
        length += 10
    else:  # as many bits as shifts until the chunk size is no more than the other width
        chunk_size = header.chunk_size
        while chunk_size > kind:
            chunk_size >>= 1
            length += 1
    sectors = header.size // 2048 if header.flags & _TABLE_IS_HIDDEN else None
    return Packing(length, kind, bool(header.flags & _BITS_ARE_HIDDEN), hidden_by, sectors)


def _descriptors(file: Source, header: _Header) -> int:
    """How many parts there are. Raises NotAnImageError if it is encrypted."""
    parts, at = 1, _HEADER.size
    while at + _DESCRIPTOR.size <= header.table:
        kind, length = _DESCRIPTOR.unpack(file.read_at(at, _DESCRIPTOR.size))
        if kind == _ENCRYPTED:
            raise NotAnImageError(
                f"{file.name}: is encrypted by PowerISO with a password, which isomount does not "
                f"ask for; daa2iso does: daa2iso {shlex.quote(file.name)} disc.iso"
            )
        if kind == _SPLIT:
            (parts,) = _PARTS.unpack(file.read_at(at + _DESCRIPTOR.size, _PARTS.size))
        if length < _DESCRIPTOR.size:
            break
        at += length
    if not 0 < parts <= _PARTS_AT_MOST:
        raise damaged(file, KIND, "header")
    return parts


def _data_of_part(part: Source) -> int:
    """Where the chunks go on in a later part."""
    data = part.read_at(0, _PART_HEADER.size)
    if len(data) < _PART_HEADER.size or data[4 : 4 + len(_IS_PART)] != _IS_PART:
        raise DamagedImageError(
            f"{part.name}: is no later part of a DAA image, as its name says; copy it again"
        )
    start: int = _PART_HEADER.unpack(data)[1] & _DATA_BITS
    return start
