"""Times on a CD: minutes, seconds and frames, a frame being a sector (ECMA-130 annex A)."""

import re

from isomount.containers.discs.disc import SECTORS_A_SECOND

# LBA 0 is at 00:02:00.
LEAD = 2 * SECTORS_A_SECOND
_MINUTE = 60 * SECTORS_A_SECOND
_TIME = re.compile(r"(\d{1,3}):(\d{1,2}):(\d{1,2})", re.ASCII)


def sectors(text: str) -> int | None:
    """How many sectors "mm:ss:ff" are; None if that is no such time."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    minutes, seconds, frames = (int(part) for part in found.groups())
    if seconds >= 60 or frames >= SECTORS_A_SECOND:
        return None
    return minutes * _MINUTE + seconds * SECTORS_A_SECOND + frames


def lba(minute: int, second: int, frame: int) -> int:
    """The LBA of an absolute address, which counts from two seconds before."""
    return minute * _MINUTE + second * SECTORS_A_SECOND + frame - LEAD
