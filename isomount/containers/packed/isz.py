"""ISZ (.isz), the image format of UltraISO: chunks of one size, in one file or several.

The layout is that of EZB Systems' ISZ File Format Specification 1.00, and of a longer header that
newer versions of UltraISO write.
"""

import re
import shlex
import struct
import sys
from array import array
from itertools import accumulate
from typing import NamedTuple

from isomount import codecs
from isomount.containers.base import Surroundings, closed_on_failure
from isomount.containers.packed.chunks import CHUNK_AT_MOST, ChunkedSource
from isomount.containers.packed.damaged import damaged
from isomount.containers.packed.parts import JoinedSource, Numbering, Stretch, open_part
from isomount.errors import DamagedImageError, NotAnImageError
from isomount.sources import Source

MAGIC = b"IsZ!"
_HEADER = struct.Struct("<4sBB4xHIBQIIBBIII")
# Size, chunks, first chunk, where that one begins, bytes of the last one that are in the next.
_SEGMENT = struct.Struct("<QIIII")
_KIND = "an image of UltraISO (.isz)"
_SEGMENTS_AT_MOST = 100
_NEWEST = 1
_POINTER_AT_MOST = 4
# Of the table 4 bytes, of the places of chunks 8 bytes are kept for each.
_CHUNKS_AT_MOST = 2 << 20
_SECTORS = range(1, 4096 + 1)
# What the tables are hidden by, again and again.
_MASK = bytes(~byte & 0xFF for byte in MAGIC)
# The types of chunks, in the highest 2 bits of a pointer.
_ZERO, _PLAIN, _ZLIB, _BZIP2 = range(4)
# The beginning of a bzip2 stream, which is overwritten.
_BZIP2_MAGIC = b"BZh"

_NUMBERING = Numbering(
    counted=re.compile(r"(.*\.part)(\d+)(\.isz)", re.IGNORECASE | re.DOTALL),
    endings=(".isz",),
    later=".i{:02}",
    renamed=re.compile(r"(.*)\.i(\d\d)", re.IGNORECASE | re.DOTALL),
    second=1,
)


class _Header(NamedTuple):
    magic: bytes
    size: int
    version: int
    sector_size: int
    sectors: int
    encryption: int
    segment_size: int
    chunks: int
    chunk_size: int
    pointer: int
    segment: int
    chunk_table: int
    segment_table: int
    data: int


class IszSource(ChunkedSource):
    """What is in an ISZ file, whose stored chunks are side by side in ``data``."""

    def __init__(
        self, data: Source, header: _Header, chunks: "_Chunks", surroundings: Surroundings
    ) -> None:
        size = header.sectors * header.sector_size
        super().__init__(data, size, header.chunk_size, surroundings.store)
        self._chunks = chunks

    def block(self, number: int) -> bytes:
        """A chunk, decoded by its type."""
        size = self.length_of(number)
        kind, place, length = self._chunks[number]
        if kind == _ZERO:
            return bytes(size)
        stored = self._exactly(number, place, length)
        if kind == _PLAIN:
            return self._whole(number, stored[:size])
        if kind == _ZLIB:
            return self._whole(number, codecs.inflate(stored, size))
        stream = _BZIP2_MAGIC + stored[len(_BZIP2_MAGIC) :]
        return self._whole(number, codecs.unpack_bzip2(stream, size))


class _Chunks:
    """Of each chunk its type, its place counted from the first one, and its stored length."""

    def __init__(self, pointers: "array[int]", width: int) -> None:
        """``pointers`` have ``width`` bytes, of which the highest 2 bits are the type."""
        self._pointers = pointers
        self._type_at = 8 * width - 2
        self._below = below = (1 << self._type_at) - 1
        lengths = (each & below if each >> self._type_at else 0 for each in pointers)
        self._places = array("Q", accumulate(lengths, initial=0))
        self.end = self._places[-1]

    def __getitem__(self, number: int) -> tuple[int, int, int]:
        pointer = self._pointers[number]
        return pointer >> self._type_at, self._places[number], pointer & self._below

    def place(self, number: int) -> int:
        """Where a chunk begins, or where the last one ends."""
        return self._places[min(number, len(self._pointers))]


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The image in an ISZ file, of which ``file`` is any part.

    Raises NotAnImageError, DamagedImageError or ImageUnreadableError.
    """
    if not (header := _header(file)).segment:
        return _unpacked(file, header, surroundings, [file])
    first = open_part(file, surroundings, _NUMBERING, 0)
    with closed_on_failure(first):
        header = _header(first)
        if header.segment:
            raise DamagedImageError(
                f"{first.name}: is not the first part of the image, as its name says; name that one"
            )
        return _unpacked(first, header, surroundings, [file, first])


def _header(file: Source) -> _Header:
    data = file.read_at(0, _HEADER.size)
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        raise damaged(file, _KIND, "header")
    return _Header(*_HEADER.unpack(data))


def _unpacked(
    file: Source, header: _Header, surroundings: Surroundings, files: list[Source]
) -> IszSource:
    """The image whose first part is ``file``. All of ``files`` are closed with it."""
    _refuse_what_is_not_read(file, header)
    chunks = _Chunks(_pointers(file, header), header.pointer)
    opened = len(files)
    try:
        stretches = _stretches(file, header, chunks, surroundings, files)
        data = JoinedSource(file.name, stretches, files)
        return IszSource(data, header, chunks, surroundings)
    except BaseException:  # Ctrl-C too: nobody else would close them
        for part in files[opened:]:
            part.close()
        raise


def _refuse_what_is_not_read(file: Source, header: _Header) -> None:
    if header.encryption:
        raise NotAnImageError(
            f"{file.name}: is encrypted by UltraISO with a password, which isomount does not ask "
            f"for; CDEmu opens it with: cdemu load 0 {shlex.quote(file.name)}"
        )
    if header.version > _NEWEST:
        raise NotAnImageError(
            f"{file.name}: is an ISZ file of version {header.version}, which isomount does not "
            "know; UltraISO opens it"
        )
    if header.chunk_size > CHUNK_AT_MOST and header.pointer == _POINTER_AT_MOST:
        raise NotAnImageError(
            f"{file.name}: has chunks of {header.chunk_size} bytes, too large to read a little of "
            "them; save it as .iso by UltraISO"
        )
    size = header.sectors * header.sector_size
    needed = -(-size // max(1, header.chunk_size))
    is_sound = (
        header.sector_size in _SECTORS
        and header.chunk_size in range(header.sector_size, CHUNK_AT_MOST + 1)
        and header.pointer in range(1, _POINTER_AT_MOST + 1)
        and 0 < needed <= min(header.chunks, _CHUNKS_AT_MOST)
    )
    if not is_sound:
        raise damaged(file, _KIND, "header")


def _pointers(file: Source, header: _Header) -> "array[int]":
    """A pointer for each chunk; without a table all chunks are stored as they are."""
    size = header.sectors * header.sector_size
    count = -(-size // header.chunk_size)
    if not header.chunk_table:
        plain = _PLAIN << 8 * header.pointer - 2
        last = size - (count - 1) * header.chunk_size
        return array("I", [plain | header.chunk_size] * (count - 1) + [plain | last])
    table = file.read_at(header.chunk_table, count * header.pointer)
    if len(table) < count * header.pointer:
        raise damaged(file, _KIND, "index")
    return _numbers(_shown(table), header.pointer)


def _numbers(table: bytes, width: int) -> "array[int]":
    """The numbers of ``width`` bytes in ``table``."""
    numbers = array("I")
    wide = bytearray(len(table) // width * numbers.itemsize)
    for byte in range(width):
        wide[byte :: numbers.itemsize] = table[byte::width]
    numbers.frombytes(wide)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _shown(table: bytes) -> bytes:
    """A table as it was before it was hidden."""
    mask = (_MASK * (len(table) // len(_MASK) + 1))[: len(table)]
    shown = int.from_bytes(table, "little") ^ int.from_bytes(mask, "little")
    return shown.to_bytes(len(table), "little")


def _stretches(
    file: Source,
    header: _Header,
    chunks: _Chunks,
    surroundings: Surroundings,
    files: list[Source],
) -> list[Stretch]:
    """Where the stored chunks are, in order. The parts that are opened are added to ``files``."""
    if header.segment_table:
        parts = _by_segments(file, header, chunks)
    else:
        parts = _by_size(file, header, chunks.end)
    found: list[Stretch] = []
    for number, (offset, length) in enumerate(parts):
        part = open_part(file, surroundings, _NUMBERING, number) if number else file
        if number:
            files.append(part)
        found.append(Stretch(part, offset, length))
    return found


def _by_segments(file: Source, header: _Header, chunks: _Chunks) -> list[tuple[int, int]]:
    """Offset and length of the chunks in each part, by the table of segments."""
    starts: list[int] = []
    offsets: list[int] = []
    left = 0  # bytes of a chunk that begins in the part before
    for number in range(_SEGMENTS_AT_MOST + 1):
        entry = file.read_at(header.segment_table + number * _SEGMENT.size, _SEGMENT.size)
        size, count, first, offset, beyond = _SEGMENT.unpack(
            _shown(entry.ljust(_SEGMENT.size, b"\0")) if entry else bytes(_SEGMENT.size)
        )
        if not size or not count or number == _SEGMENTS_AT_MOST:
            break
        start = chunks.place(first) - left
        if offset < left or start < (starts[-1] if starts else 0):
            raise damaged(file, _KIND, "table of segments")
        starts.append(start)
        offsets.append(offset - left)
        left = beyond
    if not starts or starts[0]:
        raise damaged(file, _KIND, "table of segments")
    ends = [*starts[1:], chunks.end]
    return [(offset, end - start) for offset, start, end in zip(offsets, starts, ends, strict=True)]


def _by_size(file: Source, header: _Header, stored: int) -> list[tuple[int, int]]:
    """As ``_by_segments`` without that table: each part is full, but for the last one."""
    most = header.segment_size - header.size
    if not header.segment_size or header.data + stored <= max(file.size, header.segment_size):
        return [(header.data, stored)]
    if header.segment_size <= header.data or -(-stored // most) > _SEGMENTS_AT_MOST:
        raise damaged(file, _KIND, "header")
    parts = [(header.data, header.segment_size - header.data)]
    stored -= parts[0][1]
    while stored > 0:
        parts.append((header.size, min(most, stored)))
        stored -= most
    return parts
