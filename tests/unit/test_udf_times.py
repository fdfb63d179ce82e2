import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.udf.times import nanoseconds

LOCAL = 1


def stamp(
    year: int,
    month: int = 1,
    day: int = 1,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    *,
    fraction: tuple[int, int, int] = (0, 0, 0),
    zone: int = 0,
    kind: int = LOCAL,
) -> bytes:
    date = (year & 0xFFFF, month, day, hour, minute, second)
    return struct.pack("<HHBBBBBBBB", kind << 12 | zone & 0xFFF, *date, *fraction)


# Seconds that Linux 6.1 shows for the same stamps.
@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (stamp(2000), 946684800),
        (stamp(2000, zone=60), 946681200),
        (stamp(2000, zone=-720), 946728000),
        (stamp(2000, zone=1440), 946598400),
        (stamp(2000, zone=-2047), 946684800),
        (stamp(2000, zone=60, kind=0), 946684800),
        (stamp(2000, 0), 944006400),
        (stamp(2000, 13, 31), 980899200),
        (stamp(2000, 2, 31), 951955200),
        (stamp(1600), -11676096000),
        (stamp(9999, 12, 31, 23, 59, 59), 253402300799),
        (stamp(1969, 12, 31, 23, 59, 59), -1),
    ],
)
def test_stamps_count_as_in_linux(field: bytes, seconds: int) -> None:
    assert nanoseconds(field) == seconds * 10**9


def test_the_fraction_has_three_parts() -> None:
    assert nanoseconds(stamp(1970, fraction=(12, 34, 56))) == 123456_000


def test_a_fraction_out_of_range_is_dropped() -> None:
    assert nanoseconds(stamp(1970, second=1, fraction=(100, 1, 1))) == 10**9
    assert nanoseconds(stamp(1970, second=1, fraction=(1, 1, 100))) == 10**9


def test_an_empty_stamp_is_not_recorded() -> None:
    assert nanoseconds(bytes(12)) == 0


@given(
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)),
    st.integers(-1440, 1440),
)
def test_every_date_is_that_of_datetime(date: datetime, zone: int) -> None:
    micro = date.microsecond
    fraction = micro // 10_000, micro // 100 % 100, micro % 100
    parts = date.year, date.month, date.day, date.hour, date.minute, date.second
    seconds = (date - datetime(1970, 1, 1)) // timedelta(seconds=1) - zone * 60
    assert nanoseconds(stamp(*parts, fraction=fraction, zone=zone)) == (
        seconds * 10**9 + micro * 1000
    )


def test_a_zone_is_east_of_greenwich() -> None:
    date = datetime(2020, 5, 17, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    seconds = int(date.astimezone(UTC).timestamp())
    assert nanoseconds(stamp(2020, 5, 17, 14, 30, zone=120)) == seconds * 10**9


@given(st.binary(min_size=12, max_size=12))
def test_any_twelve_bytes_are_a_time(field: bytes) -> None:
    assert isinstance(nanoseconds(field), int)
