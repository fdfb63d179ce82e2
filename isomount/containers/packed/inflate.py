"""Deflate whose block types were exchanged, as DAA and GBI files may have it.

zlib knows the types as RFC 1951 3.2.3 has them. The first block's type is put right for it, which
is all there is to most chunks; where there are further blocks, they are decoded here: slowly, but
right.
"""

import zlib
from collections.abc import Sequence

from isomount.errors import DamagedDataError

# RFC 1951 3.2.3: the first bit of a block says whether it is the last, the next two its type.
_TYPE_AT, _TYPE_BITS = 1, 2
_PLAIN, _FIXED, _DYNAMIC = range(3)
_END_OF_BLOCK = 256
_BITS_AT_MOST = 15
# RFC 1951 3.2.5: lengths and distances by their codes, and the extra bits of each.
_LENGTHS = (
    *(3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99),
    *(115, 131, 163, 195, 227, 258),
)
_LENGTH_BITS = (0,) * 8 + tuple(bits for bits in range(1, 6) for _ in range(4)) + (0,)
_DISTANCE_BITS = (0, 0, *(bits for bits in range(14) for _ in range(2)))
_DISTANCES = (1, *(1 + sum(1 << bits for bits in _DISTANCE_BITS[:code]) for code in range(1, 30)))
# RFC 1951 3.2.6 and 3.2.7.
_FIXED_LENGTHS = (8,) * 144 + (9,) * 112 + (7,) * 24 + (8,) * 8
_FIXED_DISTANCES = (5,) * 30
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
# A code by its length and bits to its symbol.
_Codes = dict[tuple[int, int], int]


def inflate_permuted(stored: bytes, size: int, types: Sequence[int]) -> bytes:
    """At most ``size`` bytes out of deflate without header. Raises DamagedDataError.

    ``types`` are what the block types 0, 1 and 2 of RFC 1951 are stored as.
    """
    if not stored or (first := stored[0] >> _TYPE_AT & 3) not in types:
        raise DamagedDataError("deflate data is damaged: its first block has no type")
    right = types.index(first)
    if stored[0] & 1:  # the only block
        patched = bytes([stored[0] & ~(3 << _TYPE_AT) | right << _TYPE_AT]) + stored[1:]
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(patched, size)
        except zlib.error as error:
            raise DamagedDataError(f"deflate data is damaged: {error}") from error
    try:
        return _Inflater(stored, size, types).all()
    except (IndexError, KeyError) as error:
        raise DamagedDataError("deflate data is damaged: it ends too early") from error


class _Inflater:
    """Decodes blocks one after the other. What is damaged raises IndexError or KeyError."""

    def __init__(self, stored: bytes, size: int, types: Sequence[int]) -> None:
        self._stored = stored
        self._at = 0  # in bits
        self._size = size
        self._types = types
        self._made = bytearray()

    def all(self) -> bytes:
        """What comes of all blocks."""
        is_last = 0
        while not is_last and len(self._made) < self._size:
            is_last = self._bits(1)
            kind = {stored: kind for kind, stored in enumerate(self._types)}[self._bits(_TYPE_BITS)]
            if kind == _PLAIN:
                self._copy()
            elif kind == _FIXED:
                self._decode(_codes(_FIXED_LENGTHS), _codes(_FIXED_DISTANCES))
            else:
                self._decode(*self._own_codes())
        return bytes(self._made[: self._size])

    def _bits(self, count: int) -> int:
        byte, bit = divmod(self._at, 8)
        if self._at + count > 8 * len(self._stored):
            raise IndexError
        self._at += count
        return int.from_bytes(self._stored[byte : byte + 4], "little") >> bit & (1 << count) - 1

    def _symbol(self, codes: _Codes) -> int:
        code = 0
        for length in range(1, _BITS_AT_MOST + 1):
            code = code << 1 | self._bits(1)
            symbol = codes.get((length, code))
            if symbol is not None:
                return symbol
        raise KeyError

    def _copy(self) -> None:
        """A block that is stored as it is (3.2.4)."""
        start = -(-self._at // 8) + 4
        length = int.from_bytes(self._stored[start - 4 : start - 2], "little")
        if start + length > len(self._stored):
            raise IndexError
        self._made += self._stored[start : start + length]
        self._at = 8 * (start + length)

    def _own_codes(self) -> tuple[_Codes, _Codes]:
        """The codes that a dynamic block begins with (3.2.7)."""
        literals, distances, count = self._bits(5) + 257, self._bits(5) + 1, self._bits(4) + 4
        lengths = [0] * len(_ORDER)
        for place in _ORDER[:count]:
            lengths[place] = self._bits(3)
        codes = _codes(lengths)
        found: list[int] = []
        while len(found) < literals + distances:
            symbol = self._symbol(codes)
            if symbol < 16:
                found.append(symbol)
            elif symbol == 16:
                found += [found[-1]] * (3 + self._bits(2))
            else:
                found += [0] * (3 + self._bits(3) if symbol == 17 else 11 + self._bits(7))
        return _codes(found[:literals]), _codes(found[literals : literals + distances])

    def _decode(self, literals: _Codes, distances: _Codes) -> None:
        made = self._made
        while len(made) < self._size:
            symbol = self._symbol(literals)
            if symbol < _END_OF_BLOCK:
                made.append(symbol)
            elif symbol == _END_OF_BLOCK:
                return
            else:
                code = symbol - _END_OF_BLOCK - 1
                length = _LENGTHS[code] + self._bits(_LENGTH_BITS[code])
                code = self._symbol(distances)
                distance = _DISTANCES[code] + self._bits(_DISTANCE_BITS[code])
                if distance > len(made):
                    raise IndexError
                _repeat(made, distance, length)


def _repeat(made: bytearray, distance: int, length: int) -> None:
    """Append ``length`` bytes from ``distance`` back, which may be among those appended."""
    start = len(made) - distance
    piece = made[start : start + length]
    made += (piece * (length // len(piece) + 1))[:length]


def _codes(lengths: Sequence[int]) -> _Codes:
    """The symbols by their codes (3.2.2)."""
    codes: _Codes = {}
    code = 0
    for length in range(1, _BITS_AT_MOST + 1):
        code <<= 1
        for symbol, its in enumerate(lengths):
            if its == length:
                codes[length, code] = symbol
                code += 1
    return codes
