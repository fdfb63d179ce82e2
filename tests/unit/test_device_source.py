"""What a disc in a drive has unwritten: told from its table of contents, never asked for."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.sources import LocalSource, open_source
from isomount.sources.local import device
from isomount.sources.local.device import DeviceSource, Part, session_gaps, split

_DATA, _AUDIO = True, False
_SECTOR = 2048


@pytest.mark.parametrize(
    ("tracks", "newest", "gaps"),
    [
        ([(0, _DATA)], 0, []),
        ([(0, _DATA), (20_000, _DATA)], 20_000, [range(8_600, 20_000)]),
        (
            [(0, _DATA), (20_000, _DATA), (40_000, _DATA)],
            40_000,
            [range(8_600, 20_000), range(33_100, 40_000)],
        ),
        # Two tracks of data in one session.
        ([(0, _DATA), (20_000, _DATA)], 0, []),
        # Audio, then a session of data; audio behind the data, all of it one session.
        ([(0, _AUDIO), (9_000, _AUDIO), (90_000, _DATA)], 90_000, [range(78_600, 90_000)]),
        ([(0, _DATA), (9_000, _AUDIO)], 0, []),
        # Nonsense.
        ([(0, _DATA), (300, _DATA)], 300, [range(300)]),
        ([(0, _DATA), (9_000, _DATA)], 5_000, []),
        ([(0, _DATA)], 77, []),
    ],
)
def test_gaps_between_sessions(
    tracks: list[tuple[int, bool]], newest: int, gaps: list[range]
) -> None:
    assert session_gaps(tracks, newest) == gaps


@given(
    st.lists(st.integers(0, 99), max_size=8, unique=True),
    st.integers(0, 100 * _SECTOR),
    st.integers(0, 100 * _SECTOR),
)
def test_parts_are_all_of_a_range(places: list[int], offset: int, length: int) -> None:
    places.sort()
    pairs = zip(places[::2], places[1::2], strict=False)
    gaps = [range(start * _SECTOR, stop * _SECTOR) for start, stop in pairs]
    parts = list(split(range(offset, offset + length), gaps))
    at = offset
    for part, kind in parts:
        assert part.start == at
        at = part.stop
        assert len(part)
        inside = any(gap.start <= part.start and part.stop <= gap.stop for gap in gaps)
        assert inside == (kind is Part.GAP)
    assert at == offset + length


class Disc(DeviceSource):
    """A file for a device, some of whose sectors cannot be read."""

    def __init__(self, path: Path, *bad: int, gaps: tuple[range, ...] = ()) -> None:
        self.bad = {number * _SECTOR for number in bad}
        super().__init__(path)
        self._gaps = list(gaps)
        self.asked: list[int] = []

    def _read_sectors(self, offset: int, length: int) -> bytes:
        assert self._descriptor is not None
        if offset in self.bad:
            raise OSError(61, "No data available")
        return os.pread(self._descriptor.number, length, offset)

    def _read_recorded(self, offset: int, length: int) -> bytes:
        self.asked.append(offset)
        return super()._read_recorded(offset, length)


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    path = tmp_path / "disc"
    path.write_bytes(os.urandom(20 * _SECTOR))
    return path


@pytest.mark.parametrize(
    ("bad", "left"), [((), 20), ((19,), 19), ((18, 19), 18), ((17, 18, 19), 18), ((18,), 20)]
)
def test_run_out_blocks_are_no_part_of_it(
    disc: Path, bad: tuple[int, ...], left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_is_drive", lambda descriptor: True)
    source = Disc(disc, *bad)
    assert source.size == left * _SECTOR
    assert source.measure() == left * _SECTOR
    assert source.read_at(0, 3) == disc.read_bytes()[:3]


def test_a_gap_reads_as_zeros_and_is_not_asked_for(disc: Path) -> None:
    gap = range(4 * _SECTOR, 7 * _SECTOR)
    source = Disc(disc, gaps=(gap,))
    data = disc.read_bytes()
    expected = data[: gap.start] + bytes(len(gap)) + data[gap.stop :]
    assert source.read_at(0, 20 * _SECTOR) == expected
    # The sector behind the gap shares a page with it, so it is read without the page cache.
    assert source.asked == [0, 8 * _SECTOR]
    assert source.read_resident(5 * _SECTOR, 10) is None
    assert source.read_resident(7 * _SECTOR, 10) is None
    assert source.read_resident(0, 10) is not None


def test_only_a_block_device_is_one(disc: Path) -> None:
    assert type(open_source(disc)) is LocalSource
    with pytest.raises(OSError, match=re.escape("there is no such file")):
        open_source(disc.with_name("none"))
