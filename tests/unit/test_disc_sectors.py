"""What raw sectors say of themselves, and how they are stored by their bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.containers.discs.disc import Mode, Run
from isomount.containers.discs.layout import described, judged, raw_at
from isomount.containers.discs.sectors import SYNC, Header, Layout, header, is_scrambled
from tests.containers import raw_sectors
from tests.formats.iso_builder import IsoImage, MemorySource, record


def image() -> bytes:
    made = IsoImage()
    made.root(record(b"A.TXT;1", 30, 5))
    made.put(30, b"hello")
    return made.data()


@pytest.mark.parametrize("lba", [-150, -1, 0, 1, 74, 75, 4500 - 150, 45000, 333_000])
@pytest.mark.parametrize(("mode", "meaning"), [(0, None), (1, Mode.MODE1), (2, Mode.MODE2)])
def test_header(lba: int, mode: int, meaning: Mode | None) -> None:
    assert header(raw_sectors.header(lba, mode)) == Header(lba, meaning)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        SYNC,
        SYNC + b"\x0a\x02\x00\x01",  # no BCD
        SYNC + b"\x00\x60\x00\x01",
        SYNC + b"\x00\x02\x75\x01",
        SYNC + b"\x00\x02\x00\x03",
        b"\1" + SYNC[1:] + b"\0\2\0\1",
    ],
)
def test_no_header(wrong: bytes) -> None:
    assert header(wrong) is None


@given(st.binary(max_size=20))
def test_whatever_follows_a_sync(data: bytes) -> None:
    found = header(SYNC + data)
    assert found is None or -150 <= found.lba < 100 * 60 * 75
    assert not (found and is_scrambled(SYNC + data))


def test_scrambled() -> None:
    plain = raw_sectors.header(1234, 1)
    scrambled = SYNC + bytes(a ^ b for a, b in zip(plain[12:], b"\x01\x80\0\x60", strict=True))
    assert is_scrambled(scrambled)
    assert not is_scrambled(plain)
    assert not is_scrambled(SYNC + b"\xee\xee\xee\xee")


@pytest.mark.parametrize("subchannel", [0, 16, 96])
@pytest.mark.parametrize(("mode", "at"), [(1, 16), (2, 24)])
def test_raw_sectors_by_two_syncs(mode: int, at: int, subchannel: int) -> None:
    file = MemorySource(b"x" * 7 + raw_sectors.raw(image(), mode, 0, subchannel))
    assert raw_at(file, 7) == Layout(2352, 2352 + subchannel, at)
    assert raw_at(file, 6) is None


@pytest.mark.parametrize("subchannel", [0, 16, 96])
@pytest.mark.parametrize(("size", "at"), [(2048, 0), (2056, 8), (2332, 8), (2336, 8)])
def test_sectors_without_sync_by_a_descriptor(size: int, at: int, subchannel: int) -> None:
    data = raw_sectors.cut(raw_sectors.raw(image(), 2, 0, subchannel), size, subchannel)
    assert described(MemorySource(data), 0) == Layout(size, size + subchannel, at)
    later = bytes(150 * (size + subchannel)) + data
    assert described(MemorySource(later), 0) == Layout(size, size + subchannel, at)


def run(data: bytes, size: int, mode: Mode, stride: int = 0) -> Run:
    stride = stride or size
    return Run(0, len(data) // stride, MemorySource(data), 0, size, stride, mode)


@pytest.mark.parametrize("size", [2048, 2352])
@pytest.mark.parametrize("mode", [Mode.MODE1, Mode.MODE2])
@pytest.mark.parametrize("subchannel", [0, 96])
def test_a_sheet_is_disproved(size: int, mode: Mode, subchannel: int) -> None:
    for real, at in ((1, 16), (2, 24)):
        data = raw_sectors.raw(image(), real, 0, subchannel)
        assert judged(run(data, size, mode)) == Layout(2352, 2352 + subchannel, at)


def test_plain_sectors_called_raw() -> None:
    assert judged(run(image(), 2352, Mode.MODE1)) == Layout(2048, 2048, 0)


def test_what_proves_nothing_is_left_to_the_sheet() -> None:
    noise = bytes(2352 * 20)
    assert judged(run(noise, 2352, Mode.MODE2)) == Layout(2352, 2352, 24)
    assert judged(run(noise, 2336, Mode.MODE2)) == Layout(2336, 2336, 8)
    assert judged(run(noise, 2048, Mode.MODE1, 2448)) == Layout(2048, 2448, 0)


def test_a_first_sector_that_is_empty() -> None:
    sectors = raw_sectors.raw(image(), 2)
    data = raw_sectors.mode0(0) + sectors[2352:]
    assert judged(run(data, 2352, Mode.MODE1)) == Layout(2352, 2352, 24)
    data = bytes(2352) + sectors[2352:]
    assert judged(run(data, 2352, Mode.MODE1)) == Layout(2352, 2352, 24)
