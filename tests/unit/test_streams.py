"""Streams told from the places that are read."""

from hypothesis import given
from hypothesis import strategies as st

from isomount.sources.local.streams import Streams

KIB = 1 << 10
MIB = 1 << 20
SIZE = 128 * KIB


def test_the_second_read_in_order_makes_a_stream() -> None:
    streams = Streams(4 * MIB)
    assert not streams.goes_on(10 * MIB, SIZE)
    assert streams.goes_on(10 * MIB + SIZE, SIZE)
    # What lies in between was answered out of memory.
    assert streams.goes_on(14 * MIB + SIZE, SIZE)
    assert not streams.goes_on(30 * MIB, SIZE)
    assert not streams.goes_on(0, SIZE)


def test_requests_may_overtake_each_other() -> None:
    streams = Streams(4 * MIB)
    assert not streams.goes_on(0, SIZE)
    assert streams.goes_on(2 * SIZE, SIZE)
    assert streams.goes_on(SIZE, SIZE)
    assert streams.goes_on(3 * SIZE, SIZE)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200))
def test_as_many_readers_as_there_are_at_a_time(order: list[int]) -> None:
    streams = Streams(4 * MIB)
    places = {reader: reader << 40 for reader in range(10)}
    seen: set[int] = set()
    for reader in order:
        assert streams.goes_on(places[reader], SIZE) == (reader in seen)
        seen.add(reader)
        places[reader] += SIZE


@given(st.lists(st.integers(0, 1 << 20), unique=True, max_size=200))
def test_reads_all_over_are_no_stream(places: list[int]) -> None:
    streams = Streams(MIB)
    assert not any(streams.goes_on(place * 2 * MIB, SIZE) for place in places)
