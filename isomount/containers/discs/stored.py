"""How sectors are stored, by their bytes: what a sheet says of that is often wrong."""

from typing import NamedTuple

from isomount.containers.discs import msf
from isomount.errors import IsomountError
from isomount.sources import Source

RAW = 2352
COOKED = 2048
# What begins each raw sector but those of audio (ECMA-130 14.2), and is no music.
SYNC = b"\0" + b"\xff" * 10 + b"\0"
# A raw sector alone, with 16 bytes of Q or with 96 bytes of all subchannels behind it.
_STRIDES = (RAW, RAW + 96, RAW + 16)
# The first sector of ISO 9660 and UDF that says what it is, and what it says (ECMA-119 8.1).
_DESCRIPTORS = 16
_IDENTIFIERS = (b"CD001", b"BEA01")
# Longer than any disc, in minutes: no header of a sector that is right has more.
_MINUTES = 100


class Stored(NamedTuple):
    """``size`` bytes of each sector are stored, one sector ``stride`` bytes after the other."""

    size: int
    stride: int


def as_stored(file: Source, offset: int, said: Stored) -> Stored:
    """How the data sectors from byte ``offset`` of ``file`` on are stored.

    That is as ``said``, unless the bytes disprove it. A pregap of zeros proves nothing.
    """
    if starts_raw(file, offset):
        if _repeats(file, offset, said.stride):
            return Stored(RAW, said.stride)
        strides = (stride for stride in _STRIDES if _repeats(file, offset, stride))
        return Stored(RAW, next(strides, max(RAW, said.stride)))
    if said.size == RAW and read(file, offset + _DESCRIPTORS * COOKED + 1, 5) in _IDENTIFIERS:
        return Stored(COOKED, COOKED)
    return said


def starts_raw(file: Source, offset: int) -> bool:
    """Whether a raw data sector is at byte ``offset``."""
    return read(file, offset, len(SYNC)) == SYNC


def address(file: Source, offset: int) -> int | None:
    """The LBA in the header of the raw data sector at ``offset``; None if it has none."""
    sector = read(file, offset, len(SYNC) + 3)
    if not sector.startswith(SYNC) or len(sector) < len(SYNC) + 3:
        return None
    minute, second, frame = (_decimal(byte) for byte in sector[len(SYNC) :])
    if minute >= _MINUTES or second >= 60 or frame >= 75:
        return None
    return msf.lba(minute, second, frame)


def read(file: Source, offset: int, length: int) -> bytes:
    """That range; nothing if it cannot be read, which shows when it is needed."""
    try:
        return file.read_at(offset, length)
    except (IsomountError, OSError):
        return b""


def _repeats(file: Source, offset: int, stride: int) -> bool:
    return stride >= RAW and starts_raw(file, offset + stride)


def _decimal(byte: int) -> int:
    """Two decimal digits in one byte (BCD); more than 99 if they are none."""
    tens, ones = divmod(byte, 16)
    return tens * 10 + ones if tens < 10 and ones < 10 else _MINUTES
