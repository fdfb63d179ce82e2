"""The error detection code of a CD's sectors (EDC; ECMA-130 14.3), checked fast.

It is a CRC of 32 bits that starts with 0, so that a sector together with its EDC is, as a
polynomial over GF(2), a multiple of the EDC's own. A remainder bit by bit or byte by byte takes
Python a millisecond a sector. But adding multiples of the polynomial does not change whether
something is a multiple, and some multiples have few terms, of which all but the highest are small:
with these the upper half of a long number is folded onto the lower one by a few shifts.
"""

from collections.abc import Iterator

from isomount.containers.discs.sectors import (
    FORM2_BIT,
    MODE_AT,
    RAW,
    SECTOR,
    SUBHEADER_AT,
    SUBMODE_AT,
)

# (x^16 + x^15 + x^2 + 1) (x^16 + x^2 + x + 1), its lowest power first, without the highest.
_POLYNOMIAL = 0xD8018001
_EDC = 4
# Exponents of multiples of the polynomial, to each of which belong the highest and 0.
_MULTIPLES = (
    (8263, (55, 54, 52, 38)),
    (3240, (72, 68, 27, 1)),
    (1681, (59, 58, 57, 55, 8, 4)),
    (995, (69, 60, 58, 23, 15, 10)),
    (501, (63, 52, 45, 36, 3, 2)),
    (313, (65, 64, 55, 47, 45, 25)),
    (134, (41, 24, 21, 6, 5, 1)),
)
_FOLDS = tuple((top, others, (1 << top) - 1) for top, others in _MULTIPLES)
_FOLDED = -(-_MULTIPLES[-1][0] // 8)


def _table() -> Iterator[int]:
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        yield value


_TABLE = tuple(_table())


def edc(data: bytes) -> int:
    """The EDC of ``data``, byte by byte; of data that ends with its own EDC it is 0."""
    value = 0
    for byte in data:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value


def is_right(data: bytes | memoryview) -> bool:
    """Whether ``data`` ends with its own EDC."""
    number = int.from_bytes(data, "little")
    for top, others, below in _FOLDS:
        while high := number >> top:
            number = number & below ^ high
            for power in others:
                number ^= high << power
    return edc(number.to_bytes(_FOLDED, "little")) == 0


# What the EDC is about, itself included, in a sector of 2352 bytes: by mode and form.
_MODE1 = slice(0, 16 + SECTOR + _EDC)
_FORM1 = slice(SUBHEADER_AT, 24 + SECTOR + _EDC)
_FORM2 = slice(SUBHEADER_AT, RAW)


def part(sector: bytes | memoryview, missing: int = 0) -> slice | None:
    """The bytes that the EDC of a sector is about, in one of 2352 bytes.

    None where it has none: an empty sector (mode 0), or form 2 without one, which is allowed (it is
    0 then). Of the sector the first ``missing`` bytes, sync and header, may not be stored: then it
    is of mode 2.
    """
    mode = 2 if missing else sector[MODE_AT]
    if mode == 1:
        return _MODE1
    if mode != 2:
        return None
    if not sector[SUBMODE_AT - missing] & FORM2_BIT:
        return _FORM1
    return _FORM2 if any(sector[-_EDC:]) else None
