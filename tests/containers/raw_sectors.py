"""Raw sectors of a CD out of the user data of an image, with sync, header, EDC and ECC as they are
on a disc (ECMA-130 14, annex A)."""

from collections.abc import Iterator

SECTOR, FORM2, RAW = 2048, 2324, 2352
SYNC = b"\0" + b"\xff" * 10 + b"\0"
DATA, SUBMODE_FORM2 = 0x08, 0x20
_FORM1_SUBHEADER = bytes((0, 0, DATA, 0)) * 2
_FORM2_SUBHEADER = bytes((0, 0, SUBMODE_FORM2, 0)) * 2


def _edc_table() -> Iterator[int]:
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xD8018001 if value & 1 else 0)
        yield value


def _doubled(value: int) -> int:
    """Times 2 in GF(256) with x^8 + x^4 + x^3 + x^2 + 1."""
    return value << 1 ^ (0x11D if value & 0x80 else 0)


_EDC = tuple(_edc_table())
_TWICE = bytes(_doubled(value) for value in range(256))
# What has to be multiplied by 3 to be the argument.
_TRIPLED = [value ^ _doubled(value) for value in range(256)]
_THIRD = bytes(_TRIPLED.index(value) for value in range(256))


def edc(data: bytes) -> bytes:
    """The error detection code of ``data``."""
    value = 0
    for byte in data:
        value = value >> 8 ^ _EDC[(value ^ byte) & 0xFF]
    return value.to_bytes(4, "little")


def _parity(columns: Iterator[bytes]) -> tuple[bytes, bytes]:
    """Two parity bytes for each place of ``columns``, which are equally long."""
    weighted = plain = 0
    for column in columns:
        size = len(column)
        number = int.from_bytes(column)
        weighted = int.from_bytes((weighted ^ number).to_bytes(size).translate(_TWICE))
        plain ^= number
    twice = int.from_bytes(weighted.to_bytes(size).translate(_TWICE))
    first = (twice ^ plain).to_bytes(size).translate(_THIRD)
    return first, (int.from_bytes(first) ^ plain).to_bytes(size)


def ecc(covered: bytes) -> bytes:
    """P and Q of the 2064 bytes behind the sync: header, data, EDC and what is between."""
    # Words of two bytes; the bytes of either kind have codes of their own, side by side here.
    first, second = _parity(covered[86 * row : 86 * (row + 1)] for row in range(24))
    p = first + second
    whole = covered + p
    # Q runs diagonally through 26 rows of 43 words: 43 columns of 26 diagonals.
    words = [whole[2 * at : 2 * at + 2] for at in range(43 * 26)]
    diagonals = (
        b"".join(words[(43 * row + 44 * column) % (43 * 26)] for row in range(26))
        for column in range(43)
    )
    first, second = _parity(diagonals)
    return p + first + second


def header(lba: int, mode: int) -> bytes:
    """Sync and header of the sector ``lba``."""
    seconds, frames = divmod(lba + 150, 75)
    minutes, seconds = divmod(seconds, 60)
    return SYNC + bytes(int(str(each), 16) for each in (minutes, seconds, frames)) + bytes([mode])


def mode1(data: bytes, lba: int) -> bytes:
    """A sector of mode 1."""
    start = header(lba, 1) + data
    start += edc(start) + bytes(8)
    return start + ecc(start[12:])


def form1(data: bytes, lba: int) -> bytes:
    """A sector of mode 2, form 1."""
    body = _FORM1_SUBHEADER + data
    body += edc(body)
    return header(lba, 2) + body + ecc(bytes(4) + body)


def form2(data: bytes, lba: int, *, has_edc: bool = True) -> bytes:
    """A sector of mode 2, form 2, of 2324 bytes."""
    body = _FORM2_SUBHEADER + data.ljust(FORM2, b"\0")
    return header(lba, 2) + body + (edc(body) if has_edc else bytes(4))


def mode0(lba: int) -> bytes:
    """An empty sector."""
    return header(lba, 0) + bytes(2336)


def raw(image: bytes, mode: int = 1, lba: int = 0, subchannel: int = 0) -> bytes:
    """All sectors of ``image``, the first at ``lba``, each with that much subchannel behind it."""
    make = mode1 if mode == 1 else form1
    return b"".join(
        make(image[at : at + SECTOR].ljust(SECTOR, b"\0"), lba + at // SECTOR) + bytes(subchannel)
        for at in range(0, len(image), SECTOR)
    )


def cut(sectors: bytes, size: int, subchannel: int = 0) -> bytes:
    """Of raw sectors with that subchannel what files of ``size`` bytes a sector have.

    2048 is user data, 2056 has the subheader before it, 2332 the rest but the EDC behind it, and
    2336 is all but sync and header.
    """
    mode = sectors[15]
    start = {2048: 16 if mode == 1 else 24, RAW: 0}.get(size, 16)
    stride = RAW + subchannel
    return b"".join(
        sectors[at + start : at + start + size] + sectors[at + RAW : at + stride]
        for at in range(0, len(sectors), stride)
    )
