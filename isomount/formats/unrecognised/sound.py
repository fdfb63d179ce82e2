"""Sound without any header."""

import struct
from itertools import pairwise

from isomount.blocks import Reader

# All bytes of a sector, of which audio is a whole number on a CD (IEC 60908).
_SECTOR = 2352
# How many pieces of what length are looked at, and how many of them must be sound.
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
