import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.damage import Damage
from isomount.errors import DamagedDataError
from isomount.formats.udf.directory import Listing, ReadRange
from tests.formats.udf_builder import identifier, latin


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "isomount.damage")


def reads(data: bytes) -> ReadRange:
    return lambda offset, length: data[offset : offset + length]


def names(data: bytes, position: int = 0, mirror: bytes | None = None) -> list[bytes]:
    other = None if mirror is None else reads(mirror)
    listing = Listing(reads(data), other, len(data), Damage(), 0)
    return [found.identifier for found in listing.identifiers(position)]


entries = st.lists(
    st.builds(
        identifier,
        st.binary(max_size=255),
        st.integers(0, 0xFFFFFFFF),
        characteristics=st.integers(0, 255),
        use=st.binary(max_size=40),
    ),
    max_size=30,
)


@given(entries)
def test_entries_come_in_order_and_a_listing_can_go_on_anywhere(parts: list[bytes]) -> None:
    data = b"".join(parts)
    listing = Listing(reads(data), None, len(data), Damage(), 0)
    found = list(listing.identifiers())
    assert len(found) == len(parts)
    assert [each.position for each in found] == [
        sum(map(len, parts[:number])) for number in range(len(parts))
    ]
    for number, each in enumerate(found):
        assert list(listing.identifiers(each.position)) == found[number:]


def test_a_directory_longer_than_a_chunk_is_whole() -> None:
    stored = [latin(f"{number:06d}" * 20) for number in range(5000)]
    assert names(b"".join(identifier(name, 1) for name in stored)) == stored


A, B, C = (identifier(latin(name), 1) for name in "abc")


@pytest.mark.parametrize(
    "junk",
    [
        bytes(4),
        bytes(2048),
        b"\xff" * 64,
        b"\x01\x01" * 50,
        b"\0" * 200_000,
        A[:16] + b"\xff" * 24,
    ],
    ids=["zeros", "block", "ones", "marks", "many", "overlong"],
)
def test_junk_between_entries_loses_nothing_else(junk: bytes) -> None:
    found = names(A + junk + B + C)
    assert found[0] == latin("a")
    assert found[-2:] == [latin("b"), latin("c")]


def test_zeros_after_the_last_entry_are_no_damage() -> None:
    damage = Damage()
    data = A + bytes(4096)
    assert len(list(Listing(reads(data), None, len(data), damage, 0).identifiers())) == 1
    assert damage.count == 0


def test_an_entry_that_runs_over_the_end_is_left_out() -> None:
    assert names(A + B[:-6]) == [latin("a")]


def test_a_range_that_cannot_be_read_loses_just_that() -> None:
    data = A.ljust(1024, b"\0") + B

    def read(offset: int, length: int) -> bytes:
        if offset < 512:
            return data[offset : min(512, offset + length)]
        if offset < 1024:
            raise DamagedDataError("lost")
        return data[offset : offset + length]

    found = [each.identifier for each in Listing(read, None, len(data), Damage(), 0).identifiers()]
    assert found == [latin("a"), latin("b")]


def test_the_mirror_is_used_where_the_main_copy_is_destroyed() -> None:
    whole = A + B + C
    assert names(A + bytes(len(B + C)), mirror=whole) == [latin(name) for name in "abc"]
    assert names(bytes(len(whole)), mirror=whole) == [latin(name) for name in "abc"]


def test_a_huge_directory_of_junk_is_given_up() -> None:
    reads_done = 0

    def read(offset: int, length: int) -> bytes:
        nonlocal reads_done
        reads_done += 1
        return b"\xff\x01\x01\xff" * (length // 4)

    assert list(Listing(read, None, 1 << 40, Damage(), 0).identifiers()) == []
    assert reads_done < 10_000


@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_any_bytes_end(data: bytes, position: int) -> None:
    assert len(names(data, position)) <= len(data) // 36 + 1
