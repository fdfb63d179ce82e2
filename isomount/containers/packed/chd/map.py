"""The compressed map of a CHD file of version 5.

First come the types of all hunks as symbols of a Huffman code, runs of equal ones shortened; then
for each hunk what its type needs. Decoded, a hunk takes 12 bytes of memory.
"""

import binascii
import re
import struct
from typing import NamedTuple

from isomount.containers.packed.chd.header import Header
from isomount.containers.packed.chd.huffman import Bits, HuffmanCode, read_map_code
from isomount.containers.packed.chd.hunks import Form, Hunk
from isomount.errors import DamagedDataError, DamagedImageError
from isomount.sources import Source

# Length, place of the first hunk (48 bits), CRC-16 of the decoded map, bits of a length, of a
# number of a hunk here, and of a unit of the parent.
_HEADER = struct.Struct(">IHIHBBBx")
# A decoded entry: type and length (8 and 24 bits), place and CRC-16 (48 and 16 bits).
_ENTRY = struct.Struct(">IQ")
_CRC_START = 0xFFFF
_CRC_BITS = 16
# Types: up to 3 the number of a codec.
_STORED, _SELF, _PARENT = 4, 5, 6
_RUN, _LONG_RUN = 7, 8
_SELF_AGAIN, _SELF_NEXT, _PARENT_SAME, _PARENT_AGAIN, _PARENT_NEXT = range(9, 14)
_SELVES = (_SELF, _SELF_AGAIN, _SELF_NEXT)
_RUNS = re.compile(rb"\x07(.)|\x08(.)(.)", re.DOTALL)
_PLAIN = re.compile(rb"[^\x07\x08]*")
_SYMBOLS_AT_ONCE = 1 << 16
# What the entry's fields can hold. A number of a unit has room for a parent of a petabyte.
_LENGTH_BITS, _SELF_BITS, _PARENT_BITS = 24, 32, 40
# More than three symbols of 8 bits and the longest field take: bounds what is read at once.
_BYTES_A_HUNK = 16
# The longest field may begin anywhere in a byte, and is read as part of 8 bytes.
_PADDING = 8
_LOADED = struct.Struct(">Q")


class _Widths(NamedTuple):
    """The bits of the fields."""

    length: int
    own: int
    parent: int


class CompressedMap:
    """The map, decoded as a whole, in about a second for a million hunks."""

    def __init__(self, file: Source, header: Header) -> None:
        """Raises DamagedImageError."""
        try:
            self._entries = _entries(file, header)
        except DamagedDataError as error:
            raise DamagedImageError(
                f"{file.name}: the map of the CHD file is damaged ({error}); copy it again"
            ) from error

    def hunk(self, number: int) -> Hunk:
        """The hunk ``number``."""
        head, tail = _ENTRY.unpack_from(self._entries, number * _ENTRY.size)
        kind, place = head >> _LENGTH_BITS, tail >> _CRC_BITS
        if kind == _SELF:
            return Hunk(Form.SELF, place)
        if kind == _PARENT:
            return Hunk(Form.PARENT, place)
        length, checksum = head & ((1 << _LENGTH_BITS) - 1), tail & ((1 << _CRC_BITS) - 1)
        if kind == _STORED:
            return Hunk(Form.STORED, place, length, checksum=checksum)
        return Hunk(Form.COMPRESSED, place, length, kind, checksum)


def _entries(file: Source, header: Header) -> bytearray:
    """All entries decoded. Raises DamagedDataError."""
    head = file.read_at(header.map_at, _HEADER.size)
    if len(head) < _HEADER.size:
        raise DamagedDataError("it is cut off")
    length, high, low, crc, *widths = _HEADER.unpack(head)
    first, fields = high << 32 | low, _Widths(*widths)
    if not length or header.map_at + _HEADER.size + length > file.size or first > file.size:
        raise DamagedDataError("it lies outside the file")
    if length > _BYTES_A_HUNK * (header.hunks + 1):
        raise DamagedDataError("it is longer than a map can be")
    limits = (_LENGTH_BITS, _SELF_BITS, _PARENT_BITS)
    if any(width > limit for width, limit in zip(fields, limits, strict=True)):
        raise DamagedDataError("its fields are too wide")
    data = file.read_at(header.map_at + _HEADER.size, length)
    bits = Bits(data)
    types = _types(read_map_code(bits), bits, data, header.hunks)
    entries = _decoded(types, fields, data + bytes(_PADDING), bits.position, first, header)
    if binascii.crc_hqx(entries, _CRC_START) != crc:
        raise DamagedDataError("its checksum is wrong")
    return entries


def _types(code: HuffmanCode, bits: Bits, data: bytes, count: int) -> bytes:
    """The type of each of ``count`` hunks; ``bits`` are moved to what follows them."""
    start, symbols, types = bits.position, b"", _Types(count)
    while types.missing:
        if bits.position > 8 * len(data):
            raise DamagedDataError("it ends too early")
        symbols += code.decode(bits, data, min(_SYMBOLS_AT_ONCE, types.missing + 2))
        symbols = types.add(symbols)
    # More symbols were decoded than there are, as fields follow them: only those used count.
    used = types.used
    bits.position = start + sum(used.count(symbol) * n for symbol, n in enumerate(code.lengths))
    return bytes(types.types)


class _Types:
    """The types of ``count`` hunks, out of symbols in which runs are shortened.

    A run repeats the type before it: 3 times and as often as the next symbol says, or 19 times and
    as often as the next two say.
    """

    def __init__(self, count: int) -> None:
        self.types = bytearray()
        self.used = bytearray()  # the symbols that made them
        self._count = count
        self._last = b"\0"

    @property
    def missing(self) -> int:
        """How many are not known yet."""
        return self._count - len(self.types)

    def add(self, symbols: bytes) -> bytes:
        """Take ``symbols``; what is left of them is a run that lacks its count."""
        taken = 0
        for run in _RUNS.finditer(symbols):
            self._literally(symbols[taken : run.start()])
            if not self.missing:
                return b""
            self._repeat(run[0])
            taken = run.end()
        plain = _PLAIN.match(symbols, taken)
        assert plain is not None  # it matches nothing too
        self._literally(plain[0])
        return symbols[plain.end() :]

    def _literally(self, symbols: bytes) -> None:
        symbols = symbols[: self.missing]
        if symbols:
            self.types += symbols
            self.used += symbols
            self._last = symbols[-1:]

    def _repeat(self, run: bytes) -> None:
        times = 3 + run[1] if run[0] == _RUN else 19 + (run[1] << 4) + run[2]
        self.types += self._last * min(times, self.missing)
        self.used += run


def _decoded(
    types: bytes, widths: _Widths, data: bytes, bit: int, place: int, header: Header
) -> bytearray:
    """The entries of hunks of ``types``, whose fields begin at ``bit`` of the padded ``data``.

    One loop without calls of our own: there may be millions of hunks.
    """
    _check_fields(types, widths, 8 * (len(data) - _PADDING) - bit)
    entries = bytearray(_ENTRY.size * header.hunks)
    pack, load, at = _ENTRY.pack_into, _LOADED.unpack_from, 0
    width = widths.length + _CRC_BITS
    drop, mask = 64 - width, (1 << width) - 1
    crc_mask, stored = (1 << _CRC_BITS) - 1, _STORED << _LENGTH_BITS | header.hunk_size
    copies = _Copies(widths, header)
    for number, kind in enumerate(types):
        if kind < _STORED:
            field = load(data, bit >> 3)[0] >> (drop - (bit & 7)) & mask
            length = field >> _CRC_BITS
            pack(entries, at, kind << _LENGTH_BITS | length, place << _CRC_BITS | field & crc_mask)
            place += length
            bit += width
        elif kind == _STORED:
            field = load(data, bit >> 3)[0] >> (64 - _CRC_BITS - (bit & 7)) & crc_mask
            pack(entries, at, stored, place << _CRC_BITS | field)
            place += header.hunk_size
            bit += _CRC_BITS
        else:
            copied, bit = copies.place(kind, number, data, bit)
            copy = _SELF if kind in _SELVES else _PARENT
            pack(entries, at, copy << _LENGTH_BITS, copied << _CRC_BITS)
        at += _ENTRY.size
    return entries


def _check_fields(types: bytes, widths: _Widths, bits: int) -> None:
    """Raise DamagedDataError unless all fields are within ``bits``, and all types are known."""
    compressed = sum(types.count(kind) for kind in range(_STORED))
    needed = compressed * (widths.length + _CRC_BITS) + types.count(_STORED) * _CRC_BITS
    needed += types.count(_SELF) * widths.own + types.count(_PARENT) * widths.parent
    if needed > bits:
        raise DamagedDataError("it ends too early")
    if any(types.count(unknown) for unknown in range(_PARENT_NEXT + 1, 256)):
        raise DamagedDataError("a hunk is of no known type")


class _Copies:
    """Where copies are copied from. What is told once is remembered for the next ones."""

    def __init__(self, widths: _Widths, header: Header) -> None:
        self._widths = widths
        self._own = self._parent = 0
        self._hunk, self._unit = header.hunk_size, header.unit_size

    def place(self, kind: int, number: int, data: bytes, bit: int) -> tuple[int, int]:
        """The place of hunk ``number``, and the bit after what was read of it."""
        if kind in _SELVES:
            if kind == _SELF:
                self._own, bit = _field(data, bit, self._widths.own)
            elif kind == _SELF_NEXT:
                self._own += 1
            return self._own, bit
        if kind == _PARENT:
            self._parent, bit = _field(data, bit, self._widths.parent)
        elif kind == _PARENT_SAME:
            self._parent = number * self._hunk // self._unit
        elif kind == _PARENT_NEXT:
            self._parent += self._hunk // self._unit
        return self._parent, bit


def _field(data: bytes, bit: int, width: int) -> tuple[int, int]:
    (loaded,) = _LOADED.unpack_from(data, bit >> 3)
    return loaded >> (64 - width - (bit & 7)) & ((1 << width) - 1), bit + width
