"""Dates of directory records, and Rock Ridge's long form."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.iso9660.dates import long_time, recording_time

SECOND = 10**9


def stamp(*fields: int, zone: int = 0) -> bytes:
    return bytes((*fields, zone & 0xFF))


def seconds(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0
) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("fields", "when"),
    [
        ((70, 1, 1, 0, 0, 0), (1970, 1, 1)),
        ((69, 12, 31, 23, 59, 59), (1969, 12, 31, 23, 59, 59)),
        ((0, 1, 1, 0, 0, 0), (1900, 1, 1)),
        ((100, 2, 29, 12, 0, 0), (2000, 2, 29, 12)),
        ((138, 1, 19, 3, 14, 8), (2038, 1, 19, 3, 14, 8)),
        ((255, 12, 31, 23, 59, 59), (2155, 12, 31, 23, 59, 59)),
        # Fields out of range are carried, as Linux does.
        ((100, 0, 1, 0, 0, 0), (1999, 12, 1)),
        ((100, 13, 1, 0, 0, 0), (2001, 1, 1)),
        ((100, 3, 0, 0, 0, 0), (2000, 2, 29)),
        ((101, 2, 31, 0, 0, 0), (2001, 3, 3)),
        ((100, 1, 1, 24, 60, 60), (2000, 1, 2, 1, 1)),
    ],
)
def test_the_date_of_a_record(fields: tuple[int, ...], when: tuple[int, ...]) -> None:
    assert recording_time(stamp(*fields)) == seconds(*when) * SECOND


@pytest.mark.parametrize(
    ("zone", "minutes"),
    [(0, 0), (4, 60), (-20, -300), (22, 330), (52, 780), (-52, -780), (53, 0), (-53, 0), (127, 0)],
)
def test_a_zone_counts_quarters_of_an_hour_east_of_greenwich(zone: int, minutes: int) -> None:
    local = seconds(2020, 6, 15, 12)
    assert recording_time(stamp(120, 6, 15, 12, 0, 0, zone=zone)) == (local - minutes * 60) * SECOND


def test_zeros_mean_that_no_date_was_recorded() -> None:
    assert recording_time(bytes(7)) == 0
    assert recording_time(stamp(0, 0, 0, 0, 0, 0, zone=8)) == 0


def test_high_sierra_has_no_zone() -> None:
    assert recording_time(bytes((120, 6, 15, 12, 0, 0))) == seconds(2020, 6, 15, 12) * SECOND


@pytest.mark.parametrize(
    ("digits", "zone", "expected"),
    [
        (b"2010010203040506", 0, seconds(2010, 1, 2, 3, 4, 5) * SECOND + 60_000_000),
        (b"2010010203040599", 4, seconds(2010, 1, 2, 2, 4, 5) * SECOND + 990_000_000),
        (b"2010010203040500", -4, seconds(2010, 1, 2, 4, 4, 5) * SECOND),
        (b"1600010100000000", 0, seconds(1600, 1, 1) * SECOND),
        (b"9999123123595999", 0, seconds(9999, 12, 31, 23, 59, 59) * SECOND + 990_000_000),
        (b"0000000000000000", 0, 0),
        (b"0000000000000000", 4, 0),
        (b"20100102030405 6", 0, 0),
        (b"\0" * 16, 0, 0),
    ],
)
def test_the_long_form_has_hundredths(digits: bytes, zone: int, expected: int) -> None:
    assert long_time(digits + bytes([zone & 0xFF])) == expected


def test_a_long_form_that_is_cut_is_no_date() -> None:
    assert long_time(b"2010010203040506") == 0


@given(st.binary(min_size=6, max_size=7))
def test_any_bytes_are_a_date_between_1899_and_2177(data: bytes) -> None:
    assert seconds(1899, 1, 1) <= recording_time(data) // SECOND <= seconds(2177, 12, 31)


@given(st.binary(max_size=20) | st.from_regex(rb"\A[0-9]{16}.\Z"))
def test_any_long_form_is_some_date(data: bytes) -> None:
    assert abs(long_time(data)) < 2**63 * 1000


@given(st.datetimes(datetime(1900, 1, 1), datetime(2155, 12, 31)), st.integers(-52, 52))
def test_what_was_written_is_read(when: datetime, zone: int) -> None:
    data = stamp(
        when.year - 1900, when.month, when.day, when.hour, when.minute, when.second, zone=zone
    )
    utc = int(when.replace(tzinfo=UTC, microsecond=0).timestamp()) - zone * 900
    if any(data[:6]):
        assert recording_time(data) == utc * SECOND
