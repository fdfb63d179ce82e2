"""The Huffman codes of CHD: bits are read from the most significant one on.

Codes are canonical from the longest length down: the longest ones come first, and among equally
long ones those of lower symbols.
"""

from collections.abc import Sequence

from isomount.errors import DamagedDataError

# Bytes that are looked at as one number: enough for some dozen symbols, few enough to be quick.
_WINDOW = 32


class Bits:
    """Small numbers out of ``data``, from bit ``position`` on. Behind the end there are zeros."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self.position = position

    def read(self, width: int) -> int:
        """The next ``width`` bits, 16 at most."""
        start, within = divmod(self.position, 8)
        self.position += width
        window = int.from_bytes(self._data[start : start + 3].ljust(3, b"\0"))
        return window >> (24 - within - width) & ((1 << width) - 1)


class HuffmanCode:
    """A code. ``lengths`` are the bits of each symbol's code, 0 for a symbol that has none."""

    def __init__(self, lengths: Sequence[int], width: int) -> None:
        """``width`` bits are the most that a code has. Raises DamagedDataError."""
        self.lengths = lengths
        self._width = width
        used = sorted((-bits, symbol) for symbol, bits in enumerate(lengths) if bits)
        if not used or used[0][0] < -width:
            raise DamagedDataError("a Huffman code is damaged: a symbol is too long")
        taken = sum(1 << (width + bits) for bits, _ in used)
        if taken > 1 << width:
            raise DamagedDataError("a Huffman code is damaged: it has too many symbols")
        # For every number of ``width`` bits: the symbol that it begins with, and its length.
        rest = (1 << width) - taken
        self._symbols = b"".join(bytes([s]) * (1 << (width + n)) for n, s in used) + bytes(rest)
        self._bits = b"".join(bytes([-n]) * (1 << (width + n)) for n, _ in used) + bytes(rest)

    def decode(self, bits: Bits, data: bytes, count: int) -> bytearray:
        """``count`` symbols of ``data`` from the position of ``bits`` on, which is moved on."""
        symbols, lengths, width = self._symbols, self._bits, self._width
        mask = (1 << width) - 1
        decoded = bytearray()
        while (missing := count - len(decoded)) > 0:
            start, within = divmod(bits.position, 8)
            window = int.from_bytes(data[start : start + _WINDOW].ljust(_WINDOW, b"\0"))
            left = 8 * _WINDOW - within - width
            for _ in range(missing):
                if left < 0:
                    break
                code = window >> left & mask
                decoded.append(symbols[code])
                left -= lengths[code]
            bits.position = 8 * (start + _WINDOW) - left - width
        return decoded


def read_map_code(bits: Bits) -> HuffmanCode:
    """The code of a map's types: 16 symbols of at most 8 bits, equal lengths told by their run."""
    lengths: list[int] = []
    while len(lengths) < 16:
        length = bits.read(4)
        if length != 1 or (length := bits.read(4)) == 1:
            lengths.append(length)
        else:
            lengths += [length] * (3 + bits.read(4))
    return HuffmanCode(lengths[:16], 8)


def read_byte_code(bits: Bits, data: bytes) -> HuffmanCode:
    """The code of the huff codec: 256 symbols of at most 16 bits, their lengths coded themselves.

    Symbol 0 of that small code repeats the length before, symbol n is the length n - 1.
    """
    small = _read_small_code(bits)
    lengths: list[int] = []
    while len(lengths) < 256:
        (symbol,) = small.decode(bits, data, 1)
        if symbol:
            lengths.append(symbol - 1)
            continue
        count = 2 + bits.read(3)
        if count == 9:  # more than three bits can tell
            count += bits.read(8)
        lengths += [lengths[-1] if lengths else 0] * count
    return HuffmanCode(lengths[:256], 16)


def _read_small_code(bits: Bits) -> HuffmanCode:
    """The code of lengths: 24 symbols of at most 6 bits; 7 ends the list."""
    lengths = [0] * 24
    lengths[0] = bits.read(3)
    for symbol in range(1 + bits.read(3), 24):
        length = bits.read(3)
        if length == 7:
            break
        lengths[symbol] = length
    return HuffmanCode(lengths, 6)
