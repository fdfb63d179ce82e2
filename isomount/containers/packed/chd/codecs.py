"""The codecs of CHD hunks.

Those for CDs ("cdzl" and so on) keep sectors and subchannel apart: a hunk is frames of 2352 bytes
of a sector and 96 of subchannel. Of a raw data sector, sync and ECC may have been left out. What
reading data needs is made again, which is the sync pattern: ECC and subchannel read as zeros then.
"""

import lzma
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from isomount import codecs
from isomount.codecs import Codec
from isomount.containers.packed.chd.flac import in_order, unpack_flac
from isomount.containers.packed.chd.huffman import Bits, read_byte_code
from isomount.errors import DamagedDataError

SECTOR, SUBCHANNEL = 2352, 96
FRAME = SECTOR + SUBCHANNEL
_SYNC = b"\0" + b"\xff" * 10 + b"\0"  # ECMA-130 14.1
# From this size of a hunk on, the length of the sectors' part has three bytes.
_LARGE = 1 << 16
# liblzma takes no smaller dictionary. Larger than a hunk it need not be.
_DICTIONARY_AT_LEAST = 4096


class Decoded(NamedTuple):
    """A hunk. ``is_exact`` tells whether every byte of it is as on the disc: then its checksum is
    right."""

    data: bytes
    is_exact: bool = True


Decoder = Callable[[bytes, int], Decoded]


def decoder(tag: bytes) -> Decoder | None:
    """What decodes stored bytes of the codec ``tag`` to a hunk of a given size; None if unknown."""
    if tag in _PLAIN:
        return partial(_plain, _PLAIN[tag])
    if tag in _CD:
        return partial(_cd, *_CD[tag])
    return _cd_flac if tag == CD_FLAC else None


def is_for_cd(tag: bytes) -> bool:
    """Whether hunks of that codec are made of CD frames."""
    return tag in _CD or tag == CD_FLAC


def _plain(codec: Codec, stored: bytes, size: int) -> Decoded:
    return Decoded(codec(stored, size))


def _cd(codec: Codec, subchannel: Codec, stored: bytes, size: int) -> Decoded:
    """Flags of the sectors to be completed, the length of their part, sectors, subchannel."""
    frames = size // FRAME
    flags = -(-frames // 8)
    start = flags + (2 if size < _LARGE else 3)
    end = start + int.from_bytes(stored[flags:start])
    if not start < end <= len(stored):
        raise DamagedDataError("the sectors of a hunk are not within it")
    sectors = codec(stored[start:end], frames * SECTOR)
    if len(sectors) < frames * SECTOR:
        raise DamagedDataError("the sectors of a hunk are too short")
    # Bit 0 of the first byte is the first sector.
    incomplete = int.from_bytes(stored[:flags], "little")
    if incomplete:
        return Decoded(_completed(sectors, frames, incomplete), is_exact=False)
    return Decoded(_interleaved(sectors, subchannel(stored[end:], frames * SUBCHANNEL)))


def _completed(sectors: bytes, frames: int, incomplete: int) -> bytes:
    """Frames of ``sectors``, with the sync pattern in those whose bit is set."""
    parts = []
    for number in range(frames):
        at, end = number * SECTOR, (number + 1) * SECTOR
        if incomplete >> number & 1:
            parts.append(_SYNC)
            at += len(_SYNC)
        parts.append(sectors[at:end])
        parts.append(_NO_SUBCHANNEL)
    return b"".join(parts)


_NO_SUBCHANNEL = bytes(SUBCHANNEL)


def _interleaved(sectors: bytes, subchannel: bytes) -> bytes:
    """Frames of ``sectors`` and their ``subchannel``."""
    parts = []
    for number in range(len(sectors) // SECTOR):
        parts.append(sectors[number * SECTOR : (number + 1) * SECTOR])
        parts.append(subchannel[number * SUBCHANNEL : (number + 1) * SUBCHANNEL])
    return b"".join(parts)


def _cd_flac(stored: bytes, size: int) -> Decoded:
    """The sectors' samples, then the subchannel, which begins wherever the last frame ends."""
    frames = size // FRAME
    sectors = in_order(unpack_flac(stored, frames * SECTOR), "big")
    return Decoded(_interleaved(sectors, bytes(frames * SUBCHANNEL)), is_exact=False)


def _flac(stored: bytes, size: int) -> bytes:
    """The byte order of the samples, "L" or "B", then their frames."""
    order = _ORDERS.get(stored[:1])
    if order is None:
        raise DamagedDataError("FLAC data is damaged: its byte order is unknown")
    return in_order(unpack_flac(stored[1:], size), order)


def _huffman(stored: bytes, size: int) -> bytes:
    """The code, then a symbol for each byte."""
    bits = Bits(stored)
    code = read_byte_code(bits, stored)
    decoded = code.decode(bits, stored, size)
    if bits.position > 8 * len(stored):
        raise DamagedDataError("Huffman data is too short")
    return bytes(decoded)


def _lzma(stored: bytes, size: int) -> bytes:
    """LZMA without header, its parameters always the same."""
    dictionary = max(_DICTIONARY_AT_LEAST, size)
    filters = [
        {"id": lzma.FILTER_LZMA1, "lc": 3, "lp": 0, "pb": 2, "dict_size": dictionary},
    ]
    try:
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        return decompressor.decompress(stored, size)
    except lzma.LZMAError as error:
        raise DamagedDataError(f"LZMA data is damaged: {error}") from error


_ORDERS = {b"L": "little", b"B": "big"}
_PLAIN: dict[bytes, Codec] = {
    b"zlib": codecs.inflate_raw,
    b"zstd": codecs.unpack_zstd,
    b"lzma": _lzma,
    b"huff": _huffman,
    b"flac": _flac,
}
# The codec of the sectors, and that of the subchannel.
_CD: dict[bytes, tuple[Codec, Codec]] = {
    b"cdzl": (codecs.inflate_raw, codecs.inflate_raw),
    b"cdlz": (_lzma, codecs.inflate_raw),
    b"cdzs": (codecs.unpack_zstd, codecs.unpack_zstd),
}
CD_FLAC = b"cdfl"
