"""Sectors of a CD as they are stored with all their bytes, and sound without any header."""

import struct
from itertools import pairwise

from isomount.blocks import Reader

# What every sector of data on a CD begins with (ECMA-130 14.1).
SYNC = b"\0" + b"\xff" * 10 + b"\0"
_SECTOR = 2352
_STRIDES = {2352: "", 2368: " with 16 bytes of subchannel", 2448: " with subchannel"}
_HEADED = 16  # sync and header
# Sector sizes without sync, with the place of the user data in them.
_BARE = ((2332, 8), (2336, 8), (2048 + 8, 8))
_DESCRIPTORS = (b"CD001", b"BEA01", b"CD-I ")
# A pregap of zeros may stand before the first sync.
_SEARCHED = 1 << 20
_CONSOLES = (
    (b"SEGA SEGASATURN", "a Sega Saturn disc in "),
    (b"SEGA SEGAKATANA", "a Dreamcast disc in "),
    (b"\1\x5a\x5a\x5a\x5a\x5a\1", "a 3DO disc in "),
)


def raw_sectors(reader: Reader, name: str) -> str | None:
    """Whether it is made of raw sectors, and which program makes an .iso of them."""
    head = reader.read(0, min(_SEARCHED, reader.size))
    start = head.find(SYNC)
    # Anywhere but at the beginning and in a pregap the pattern is by chance.
    if start >= 0 and not any(head[:start]):
        for stride, words in _STRIDES.items():
            last = reader.size < start + stride + len(SYNC)
            if last or reader.read(start + stride, len(SYNC)) == SYNC:
                whose = _console(head[start + _HEADED :][:_HEADED])
                what = f"holds {whose}raw CD sectors{words}, not read so far"
                return f"{what}; {_converter(name, stride)}"
        return "holds raw CD sectors, but not all of them: it is scrambled or damaged"
    for stride, offset in _BARE:
        if reader.read(16 * stride + offset + 1, 5) in _DESCRIPTORS:
            return f"holds CD sectors of {stride} bytes; make an .iso of them with: {_IAT}"
    return None


_IAT = "iat {name} disc.iso"


def _console(data: bytes) -> str:
    return next((whose for magic, whose in _CONSOLES if data.startswith(magic)), "")


def _converter(name: str, stride: int) -> str:
    """What makes an .iso of a file that is called so."""
    ending = name.rpartition(".")[2].lower()
    if ending == "mdf":
        return "make an .iso of it with: mdf2iso {name} disc.iso"
    if ending == "img" and stride == _SECTOR:
        return "make an .iso of it with: ccd2iso {name} disc.iso"
    if ending == "bin" and stride == _SECTOR:
        return "bchunk makes an .iso of it and its .cue: bchunk {name} ITS.cue disc"
    return f"make an .iso of it with: {_IAT}"


# Sound: how many pieces of what length are looked at, and how many of them must be sound.
_PIECES, _PIECE, _SURE_PIECES = 16, 4096, 10
# Neighbouring samples differ little against what they are; bytes by chance do not.
_SMOOTH = 0.3
_SILENT = 64


def sound(reader: Reader) -> str | None:
    """Whether it may be CD audio without a header: frames of smooth samples, here and there."""
    if reader.size % _SECTOR or reader.size < _PIECES * _PIECE:
        return None
    step = reader.size // _PIECES // 4 * 4
    pieces = [reader.read(number * step, _PIECE) for number in range(_PIECES)]
    for form in ("<", ">"):
        if sum(_is_smooth(piece, form) for piece in pieces) >= _SURE_PIECES:
            order = "little" if form == "<" else "big"
            return (
                "looks like CD audio without a header (a guess by its samples); Audacity imports "
                f"it as raw data: 16 bit, {order}-endian, 2 channels, 44100 Hz"
            )
    return None


def _is_smooth(piece: bytes, form: str) -> bool:
    samples = struct.unpack(f"{form}{len(piece) // 2}h", piece)[::2]  # the left channel
    loudness: int = sum(map(abs, samples))
    change: int = sum(abs(b - a) for a, b in pairwise(samples))
    return loudness > _SILENT * len(samples) and change < _SMOOTH * loudness
