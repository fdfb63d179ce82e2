"""The index of a DAA or GBI file: for each chunk its stored length and its type, packed in bits."""

from array import array
from itertools import accumulate
from typing import NamedTuple

from isomount.containers.packed.damaged import damaged
from isomount.sources import Source

KIND = "a PowerISO or gBurner image (.daa, .gbi)"
# Format 0x100: 3 bytes a chunk, its length as high, low, middle; all chunks are deflate.
_PLAIN = 3
_DEFLATE = 1
# What packed lengths are less than true ones: the properties that LZMA streams once began with.
_LESS = 5
_WIDTH_AT_MOST = 32
# What the bits of a chunk are hidden by, beside its number.
_MASKS = b"\x0a\x35\x2d\x3f\x08\x33\x09\x15"
_EVERY_BYTE = 0x01010101
_CHUNKS_AT_MOST = 2 << 20
# An entry begins within 8 bits and has at most 32 + 7.
_WINDOW = 8


class Packing(NamedTuple):
    """How a table is packed and hidden. ``length`` and ``kind`` are bits; both 0 in format 0x100.

    ``hidden_by`` is what gBurner hides the table by, ``sectors`` the image's, which PowerISO does.
    """

    length: int
    kind: int
    are_bits_hidden: bool
    hidden_by: int | None
    sectors: int | None


class ChunkTable:
    """Of each chunk its place counted from the first one, its stored length and its type."""

    def __init__(self, lengths: "array[int]", kinds: bytes) -> None:
        self._lengths = lengths
        self._kinds = kinds
        self._places = array("Q", accumulate(lengths, initial=0))

    def __len__(self) -> int:
        return len(self._lengths)

    def __getitem__(self, number: int) -> tuple[int, int, int]:
        return self._places[number], self._lengths[number], self._kinds[number]


def chunk_table(file: Source, start: int, end: int, packing: Packing) -> ChunkTable:
    """The table between two bytes of ``file``. Raises DamagedImageError."""
    width = packing.length + packing.kind or 8 * _PLAIN
    count = (end - start) * 8 // width
    if packing.length > _WIDTH_AT_MOST or count > _CHUNKS_AT_MOST:
        raise damaged(file, KIND, "index")
    size = -(-count * width // 8)
    table = file.read_at(start, size)
    if len(table) < size:
        raise damaged(file, KIND, "index")
    table = _shown(table, packing)
    if not packing.length + packing.kind:
        return _plain(table)
    return _packed(table, count, packing)


def _shown(table: bytes, packing: Packing) -> bytes:
    """The table as it was before it was hidden."""
    if packing.hidden_by is not None:
        mask = len(table) // 4 & 0xFF
        table = table.translate(
            bytes((byte - packing.hidden_by & 0xFF) ^ mask for byte in range(256))
        )
    if packing.sectors is not None:
        first, step = packing.sectors & 0xFF, packing.sectors >> 8 & 0xFF
        table = bytes(byte - (first + at * step) & 0xFF for at, byte in enumerate(table))
    return table


def _plain(table: bytes) -> ChunkTable:
    lengths = array("I")
    for at in range(0, len(table) - _PLAIN + 1, _PLAIN):
        lengths.append(table[at] << 16 | table[at + 2] << 8 | table[at + 1])
    return ChunkTable(lengths, bytes([_DEFLATE]) * len(lengths))


def _packed(table: bytes, count: int, packing: Packing) -> ChunkTable:
    lengths, kinds = array("Q"), bytearray()
    width = packing.length + packing.kind
    length_mask, kind_mask = (1 << packing.length) - 1, (1 << packing.kind) - 1
    for number in range(count):
        at, bit = divmod(number * width, 8)
        entry = int.from_bytes(table[at : at + _WINDOW], "little") >> bit
        length, kind = entry & length_mask, entry >> packing.length & kind_mask
        if packing.are_bits_hidden:
            hidden_by = ((number ^ _MASKS[number & 7]) & 0xFF) * _EVERY_BYTE
            length ^= hidden_by & length_mask
            kind ^= hidden_by & kind_mask
        lengths.append(length + _LESS)
        kinds.append(kind)
    return ChunkTable(lengths, bytes(kinds))
