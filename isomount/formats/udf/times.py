"""Timestamps (ECMA-167 1/7.3) as nanoseconds since 1970."""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from isomount.formats.udf.structures import Structure


class Timestamp(NamedTuple):
    """Timestamp (1/7.3): ``zone`` holds type and offset, the last three fields the fraction."""

    zone: int
    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    centiseconds: int
    hundreds: int
    microseconds: int


TIMESTAMP = Structure(Timestamp._make, "HHBBBBBBBB")
_EPOCH = date(1970, 1, 1).toordinal()
_NOT_RECORDED = bytes(12)
_LOCAL_TIME = 1
_NO_ZONE = -2047
# The Gregorian calendar repeats every 400 years, which have so many days.
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146097


@lru_cache(maxsize=4096)
def nanoseconds(stamp: bytes) -> int:
    """Nanoseconds since 1970 of a 12-byte timestamp; 0 if it is all zero (not recorded).

    The zone (minutes east of UTC) applies if the type is local time. Fields out of range carry over
    (day 32 is the 1st of the next month); a fraction out of range is ignored.
    """
    if stamp == _NOT_RECORDED:
        return 0
    at = TIMESTAMP.parse(stamp)
    days = _days(at.year, at.month) + at.day - 1
    seconds = ((days * 24 + at.hour) * 60 + at.minute) * 60 + at.second
    if at.zone >> 12 == _LOCAL_TIME:
        seconds -= _minutes(at.zone & 0xFFF) * 60
    if max(at.centiseconds, at.hundreds, at.microseconds) > 99:
        return seconds * 10**9
    micro = at.centiseconds * 10_000 + at.hundreds * 100 + at.microseconds
    return seconds * 10**9 + micro * 1000


def _minutes(field: int) -> int:
    """The twelve bits as a signed number of minutes."""
    zone = field - 0x1000 if field >= 0x800 else field
    return 0 if zone == _NO_ZONE else zone


def _days(year: int, month: int) -> int:
    """Days from 1970 to the first of that month; month 0 is December of the year before."""
    years, month = divmod(month - 1, 12)
    cycles, year = divmod(year + years, _CYCLE_YEARS)
    # datetime has no year 0, so calculate one cycle later and subtract it again.
    return date(year + _CYCLE_YEARS, month + 1, 1).toordinal() - _EPOCH + (cycles - 1) * _CYCLE_DAYS
