"""Directory records out of extents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.errors import DamagedDataError
from isomount.formats.iso9660.records import Record, RecordArea, parse, read_record, scan
from tests.formats.iso_builder import (
    SECTOR,
    STAMP,
    MemorySource,
    both16,
    both32,
    packed,
    record,
)


class Unreadable(MemorySource):
    """An image on a medium with bad sectors."""

    def __init__(self, data: bytes, *bad: int) -> None:
        super().__init__(data)
        self.bad = bad

    def read_at(self, offset: int, length: int) -> bytes:
        if any(
            offset < (sector + 1) * SECTOR and sector * SECTOR < offset + length
            for sector in self.bad
        ):
            raise OSError(5, "Input/output error")
        return super().read_at(offset, length)


def found(
    data: bytes | MemorySource,
    *,
    start: int = 0,
    end: int | None = None,
    doubtful: int | None = None,
    block_size: int = SECTOR,
    address: int | None = None,
) -> tuple[list[bytes], Damage]:
    """The identifiers that a scan of ``data`` finds, and the damage that it met."""
    source = MemorySource(data) if isinstance(data, bytes) else data
    end = source.size if end is None else end
    extent = RecordArea(start, end, end if doubtful is None else doubtful, block_size, False)
    damage = Damage()
    records = scan(BlockCache(source), extent, start if address is None else address, damage)
    return [each.identifier for each in records], damage


def test_every_field_of_a_record() -> None:
    data = record(
        b"A.TXT;1", 0x01020304, 0xF0000005, flags=0x87, xar=3, unit=4, gap=5, use=b"UseUse"
    )
    assert parse(data, 0, 77, False) == Record(
        77, 3, 0x01020304, 0xF0000005, STAMP, 0x87, 4, 5, b"A.TXT;1", b"UseUse"
    )


def test_high_sierra_keeps_its_flags_where_the_zone_is_otherwise() -> None:
    data = record(b"A;1", 9, 8, flags=2, unit=4, gap=5, high_sierra=True)
    assert parse(data, 0, 0, True) == Record(0, 0, 9, 8, STAMP[:6], 2, 4, 5, b"A;1", b"")


def test_only_the_little_endian_halves_count() -> None:
    data = bytearray(record(b"A;1", 9, 8))
    data[6:10] = data[14:18] = b"\xff" * 4
    read = parse(bytes(data), 0, 0, False)
    assert read is not None
    assert (read.extent, read.data_length) == (9, 8)
    assert both16(1) == b"\1\0\0\1"
    assert both32(1) == b"\1\0\0\0\0\0\0\1"


@pytest.mark.parametrize("identifier", [b"A", b"AB", b"ABC"])
def test_the_padding_byte_is_no_part_of_the_system_use_area(identifier: bytes) -> None:
    read = parse(record(identifier, use=b"RRRR"), 0, 0, False)
    assert read is not None
    assert read.system_use == b"RRRR"


@pytest.mark.parametrize(
    "data",
    [
        record(b"A;1", length=32),
        record(b"A;1", length=35),
        record(b"A;1", name_length=100),
        record(b"A;1", length=1),
        record(b"A;1")[:-1],
        record(b"A;1")[:32],
        record(b"A;1", length=255),
        b"",
    ],
)
def test_lengths_that_contradict_each_other_are_no_record(data: bytes) -> None:
    assert parse(data, 0, 0, False) is None
    assert read_record(BlockCache(MemorySource(data)), 0, False) is None


def test_a_record_without_a_name_is_one_all_the_same() -> None:
    shortest = record(b"")[:33].replace(b"\x22", b"\x21", 1)
    assert shortest[0] == 33
    read = parse(shortest, 0, 0, False)
    assert read is not None
    assert (read.identifier, read.system_use) == (b"", b"")
    assert found(packed(shortest, record(b"B")))[0] == [b"", b"B"]


def test_a_zero_goes_on_in_the_next_block() -> None:
    data = packed(record(b"A")) + bytes(3 * SECTOR) + packed(record(b"B"))
    names, damage = found(data)
    assert names == [b"A", b"B"]
    assert damage.count == 0


def test_small_blocks_have_padding_of_their_own() -> None:
    data = record(b"A").ljust(512, b"\0") + record(b"B").ljust(512, b"\0")
    assert found(data, block_size=512)[0] == [b"A", b"B"]
    assert found(data)[0] == [b"A"]


def test_a_record_may_cross_a_sector() -> None:
    lead = b"".join(record(b"%04d" % number) for number in range(100))
    assert len(lead) > SECTOR
    assert len(lead) % SECTOR
    assert SECTOR % len(record(b"0000"))
    assert found(lead)[0] == [b"%04d" % number for number in range(100)]


@pytest.mark.parametrize("count", [1_000, 1_821, 5_000])
def test_directories_larger_than_one_read(count: int) -> None:
    names = [b"N%06d" % number for number in range(count)]
    assert found(packed(*map(record, names)))[0] == names
    # Without padding, records cross the borders of reads in all ways.
    assert found(b"".join(map(record, names)))[0] == names


@pytest.mark.parametrize("bad", [record(b"BAD", length=20), record(b"BAD", name_length=222)])
def test_a_bad_record_loses_the_rest_of_its_block_only(bad: bytes) -> None:
    names, damage = found(packed(record(b"A"), bad, record(b"LOST")) + packed(record(b"B")))
    assert names == [b"A", b"B"]
    assert damage.count == 1


def test_a_record_over_the_end_of_the_directory_is_lost() -> None:
    names, damage = found(record(b"A") + record(b"B" * 100)[:60])
    assert names == [b"A"]
    assert damage.count == 1


def test_a_directory_past_the_end_of_the_image_ends_there() -> None:
    names, damage = found(packed(record(b"A")), end=1 << 32)
    assert names == [b"A"]
    assert damage.count == 1


def test_a_scan_begins_at_any_record() -> None:
    data = packed(*(record(b"%04d" % number) for number in range(100)))
    for number in (1, 50, 60, 99):
        address = data.index(b"%04d" % number) - 33
        assert found(data, address=address)[0] == [b"%04d" % n for n in range(number, 100)]


def test_a_doubtful_part_holds_only_what_can_belong() -> None:
    data = packed(record(b"A", 0, 10)) + packed(record(b"B", 0, 10), record(b"FAR", 99, 10))
    assert found(data, doubtful=SECTOR)[0] == [b"A", b"B"]
    assert found(data, doubtful=0)[0] == [b"A"]
    assert found(packed(record(b"A")) + packed(record(b"\0")), doubtful=SECTOR)[0] == [b"A"]


def test_an_unreadable_sector_loses_itself_only() -> None:
    data = b"".join(packed(record(b"S%02d" % number)) for number in range(64))
    names, damage = found(Unreadable(data, 5, 40))
    assert names == [b"S%02d" % number for number in range(64) if number not in (5, 40)]
    assert damage.count == 2


def test_a_bad_run_in_a_large_directory_does_not_lose_what_follows() -> None:
    data = b"".join(packed(record(b"S%02d" % number)) for number in range(99))
    names, _ = found(Unreadable(data, *range(32, 64)))
    assert names == [b"S%02d" % number for number in (*range(32), *range(64, 99))]


def test_a_directory_that_cannot_be_read_at_all_is_damage() -> None:
    with pytest.raises(DamagedDataError):
        found(Unreadable(packed(record(b"A")), 0))


def test_gigabytes_of_zeros_are_passed_over() -> None:
    class Zeros(MemorySource):
        size = 1 << 30

        def __init__(self) -> None:
            self.data = b""

        def read_at(self, offset: int, length: int) -> bytes:
            return bytes(length)

    assert found(Zeros())[0] == []


@given(st.binary(max_size=5000), st.sampled_from((512, 1024, 2048)), st.integers(0, 5000))
def test_any_bytes_hold_at_most_one_record_each_33_bytes(
    data: bytes, block_size: int, doubtful: int
) -> None:
    names, _ = found(data, block_size=block_size, doubtful=doubtful)
    assert len(names) <= len(data) // 33


@given(
    st.lists(st.binary(min_size=1, max_size=100), max_size=150),
    st.sampled_from((0, 2048, 70_000 - 70_000 % 2048)),
)
def test_what_was_packed_is_found(names: list[bytes], start: int) -> None:
    data = bytes(start) + packed(*map(record, names))
    assert found(data, start=start)[0] == names
