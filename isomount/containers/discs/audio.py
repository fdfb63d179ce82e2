"""Audio files in place of raw samples: where their samples are, or how long they play."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from isomount.containers.discs.stored import RAW, read
from isomount.sources import Source

# What a CD plays: 44.1 kHz, 16 bit, stereo (IEC 60908), so 4 bytes a sample of both channels.
RATE, SAMPLE = 44100, 4
SAMPLES_A_SECTOR = RAW // SAMPLE
_WAVE_FORMATS = (1, 0xFFFE)  # PCM, and PCM by the longer header
# 44100 as the 80-bit number of an AIFF file.
_RATE_80 = b"\x40\x0e\xac\x44" + bytes(6)
# A hostile file may be nothing but empty chunks.
_CHUNKS_AT_MOST = 1000
# What begins files whose length is known only by decoding them; the words of sheets for such.
_ENCODED = (b"ID3", b"OggS", b"MAC ", b"wvpk", b"TTA1")
_ENCODED_ENDINGS = (".mp3", ".ogg", ".ape", ".wv", ".m4a", ".aac", ".wma", ".opus", ".tta", ".flac")
_ENCODED_WORDS = ("MP3", "OGG", "APE", "WAVPACK", "AAC")


class Samples(NamedTuple):
    """The samples of an audio file: ``length`` bytes at ``offset`` as a CD has them.

    ``offset`` is None if they have to be decoded first; ``length`` is then what would come of that,
    and None if that is not known.
    """

    offset: int | None
    length: int | None
    is_big_endian: bool = False


def samples(file: Source, word: str = "") -> Samples | None:
    """Where the samples of the audio file are; None for raw samples without any header.

    ``word`` is what a sheet calls the kind of file.
    """
    head = read(file, 0, 12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _wave(file)
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return _aiff(file)
    if head[:4] == b"fLaC":
        return Samples(None, _flac_length(read(file, 0, 26)))
    if head.startswith(_ENCODED) or word in _ENCODED_WORDS:
        return Samples(None, None)
    return Samples(None, None) if file.name.lower().endswith(_ENCODED_ENDINGS) else None


def _wave(file: Source) -> Samples:
    layout = b""
    for name, start, length in _chunks(file, "<4sI"):
        if name == b"fmt ":
            layout = read(file, start, 16)
        elif name == b"data":
            # A writer into a pipe does not know the length.
            stored = min(length or file.size, file.size - start)
            return _wave_samples(layout, start, stored)
    return Samples(None, None)


def _wave_samples(layout: bytes, start: int, stored: int) -> Samples:
    if len(layout) < 16:
        return Samples(None, None)
    code, channels, rate, a_second, _, bits = struct.unpack("<HHIIHH", layout)
    if code in _WAVE_FORMATS and (channels, rate, bits) == (2, RATE, 16):
        return Samples(start, stored)
    return Samples(None, stored * RATE * SAMPLE // a_second if a_second else None)


def _aiff(file: Source) -> Samples:
    common = b""
    for name, start, length in _chunks(file, ">4sI"):
        if name == b"COMM":
            common = read(file, start, min(length, 22))
        elif name == b"SSND":
            within = struct.unpack(">I", read(file, start, 4).rjust(4, b"\0"))[0]
            at = start + 8 + within
            return _aiff_samples(common, at, max(0, min(length - 8 - within, file.size - at)))
    return Samples(None, None)


def _aiff_samples(common: bytes, start: int, stored: int) -> Samples:
    plain = common[:2] == b"\0\2" and common[6:8] == b"\0\x10" and common[8:18] == _RATE_80
    # AIFC names its codec behind that: none, or none with the bytes swapped.
    codec = common[18:22]
    if not plain or codec not in (b"", b"NONE", b"sowt"):
        return Samples(None, None)
    return Samples(start, stored, is_big_endian=codec != b"sowt")


def _chunks(file: Source, layout: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of each chunk."""
    at = 12
    for _ in range(_CHUNKS_AT_MOST):
        header = read(file, at, 8)
        if len(header) < 8:
            return
        name, length = struct.unpack(layout, header)
        yield name, at + 8, length
        at += 8 + length + length % 2  # chunks begin at even bytes


def _flac_length(head: bytes) -> int | None:
    """By STREAMINFO (RFC 9639 8.2): 20 bits of rate, 8 of layout, 36 of samples, from byte 18."""
    if len(head) < 26:
        return None
    bits = int.from_bytes(head[18:26], "big")
    rate, count = bits >> 44, bits & ((1 << 36) - 1)
    return count * RATE // rate * SAMPLE if rate and count else None


def sectors_of(length: int) -> int:
    """How many sectors ``length`` bytes of samples fill, the last maybe in part."""
    return -(-length // RAW)
