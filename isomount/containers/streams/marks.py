"""The marks in a bzip2 file, which begin at any bit, and its bits."""

from isomount.sources import Source

# What a block begins with, and what follows the last one of a stream: pi and its root, in BCD.
BLOCK, END = 0x314159265359, 0x177245385090
MARK_BITS = 48
# No block is stored in more bytes than this: 900,000 symbols of at most 20 bits, and its tables.
BLOCK_AT_MOST = 3 << 20
# Searched at a time: a usual block.
_AT_ONCE = 1 << 20
# As many bytes as a mark touches, of which the middle ones are whole.
_TOUCHED, _WHOLE = 7, 5
_CRC_BITS = 32
_STREAM = b"BZh9"


def mark_at(file: Source, at: int) -> int:
    """The 48 bits from the bit ``at`` on, 0 where the file ends before."""
    start, bit = divmod(at, 8)
    data = file.read_at(start, _TOUCHED)
    if 8 * len(data) < bit + MARK_BITS:
        return 0
    return _mark(data.ljust(_TOUCHED, b"\0"), bit)


def next_mark(file: Source, at: int) -> int | None:
    """The bit from ``at`` on where the next mark of either kind begins; None if none is near."""
    start, last = at // 8, at // 8 + BLOCK_AT_MOST
    while start < last:
        data = file.read_at(start, _AT_ONCE + _TOUCHED)
        found = [8 * start + bit for bit in _marks(data) if 8 * start + bit >= at]
        if found:
            return min(found)
        if len(data) <= _AT_ONCE:
            return None
        start += _AT_ONCE
    return None


def alone(file: Source, start: int, end: int) -> bytes:
    """A stream of the block from the bit ``start`` up to the bit ``end`` alone."""
    first, behind = start // 8, -(-end // 8)
    value = int.from_bytes(file.read_at(first, behind - first), "big") >> (8 * behind - end)
    length = end - start
    value &= (1 << length) - 1
    # The CRC of a stream of one block is that of the block, which follows its mark.
    check = value >> max(0, length - MARK_BITS - _CRC_BITS) & ((1 << _CRC_BITS) - 1)
    value = (value << MARK_BITS | END) << _CRC_BITS | check
    length += MARK_BITS + _CRC_BITS
    padding = -length % 8
    return _STREAM + (value << padding).to_bytes((length + padding) // 8, "big")


def _marks(data: bytes) -> list[int]:
    """The first bits of the first mark of each kind at each of the eight places in a byte."""
    padded, found = data + b"\0", []
    for mark in (BLOCK, END):
        for bit in range(8):
            whole = (mark >> bit & ((1 << 8 * _WHOLE) - 1)).to_bytes(_WHOLE, "big")
            at = padded.find(whole, 1)
            while at > 0 and _mark(padded[at - 1 : at - 1 + _TOUCHED], bit) != mark:
                at = padded.find(whole, at + 1)
            if at > 0:
                found.append(8 * (at - 1) + bit)
    return found


def _mark(touched: bytes, bit: int) -> int:
    """The 48 bits from ``bit`` on in 7 bytes."""
    return int.from_bytes(touched, "big") >> (8 - bit) & ((1 << MARK_BITS) - 1)
