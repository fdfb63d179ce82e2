"""Dates and times of ISO 9660 and Rock Ridge, as nanoseconds since 1970."""

from datetime import date
from functools import lru_cache

_UNIX_EPOCH = date(1970, 1, 1).toordinal()
_NS = 1_000_000_000
# Offsets from GMT are in units of 15 minutes; values out of range are ignored, as in Linux.
_FARTHEST_ZONE = 52
_NOT_RECORDED = 0


def _seconds(
    year: int, month: int, day: int, hour: int, minute: int, second: int, zone: int
) -> int:
    # Fields out of range are carried over (month 13 is next January) rather than rejected: some
    # authoring tools write them, and an approximate time is better than none.
    year += (month - 1) // 12
    days = date(max(1, min(year, 9999)), (month - 1) % 12 + 1, 1).toordinal() - _UNIX_EPOCH
    if -_FARTHEST_ZONE <= zone <= _FARTHEST_ZONE:
        minute -= zone * 15
    return ((days + day - 1) * 24 + hour) * 3600 + minute * 60 + second


@lru_cache(maxsize=4096)
def recording_time(stamp: bytes) -> int:
    """The time in a directory record (ECMA-119 9.1.5): 7 bytes, or High Sierra's 6 without zone.

    Returns 0 for all zeros (not recorded). The years are 1900 to 2155, so the result may exceed 32
    bits of seconds.
    """
    if not any(stamp[:6]):
        return _NOT_RECORDED
    zone = stamp[6] if len(stamp) > 6 else 0
    zone = zone - 256 if zone > 127 else zone
    return _NS * _seconds(1900 + stamp[0], stamp[1], stamp[2], stamp[3], stamp[4], stamp[5], zone)


@lru_cache(maxsize=4096)
def long_time(stamp: bytes) -> int:
    """The 17-byte form (ECMA-119 8.4.26.1): sixteen digits, down to hundredths, and the zone.

    Returns 0 for all zeros (not recorded) and for anything but digits.
    """
    digits = stamp[:16]
    if len(stamp) < 17 or not digits.isdigit() or not digits.strip(b"0"):
        return _NOT_RECORDED
    zone = stamp[16] - 256 if stamp[16] > 127 else stamp[16]
    seconds = _seconds(
        int(digits[0:4]),
        int(digits[4:6]),
        int(digits[6:8]),
        int(digits[8:10]),
        int(digits[10:12]),
        int(digits[12:14]),
        zone,
    )
    return _NS * seconds + int(digits[14:16]) * (_NS // 100)
