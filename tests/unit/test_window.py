"""A window on a source: the same bytes, counted from its start, and none beyond its end."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import BlockCache
from isomount.errors import ClosedError
from isomount.sources import LocalSource, Window
from tests.uncached import DATA, Remote


@given(st.integers(0, len(DATA) - 1), st.none() | st.integers(0, 2 * len(DATA)), st.data())
def test_its_bytes_are_a_slice(start: int, length: int | None, data: st.DataObject) -> None:
    window = Window(Remote(), start, length)
    expected = DATA[start:] if length is None else DATA[start : start + length]
    assert window.size == len(expected)
    offset, count = (data.draw(st.integers(0, len(DATA))) for _ in range(2))
    assert window.read_at(offset, count) == expected[offset : offset + count]
    assert BlockCache(window).read(offset, count) == expected[offset : offset + count]


def test_what_is_in_memory_is_handed_on(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(DATA)
    source = LocalSource(tmp_path / "image")
    window = Window(source, 1000, 2000)
    assert source.read_resident(1000, 2000) is not None, "no page cache to test with"
    resident = window.read_resident(10, 50)
    assert resident is not None
    assert bytes(resident) == DATA[1010:1060]
    assert bytes(window.read_resident(1990, 50) or b"") == DATA[2990:3000]
    handed = window.resident_range(10, 50)
    assert handed is not None
    assert (handed.offset, len(handed)) == (1010, 50)
    assert window.resident_range(1990, 50) is None, "it ends before the source"
    assert window.block_size is None
    window.close()
    with pytest.raises(ClosedError):
        source.read_at(0, 1)


def test_it_grows_to_its_length_and_no_farther() -> None:
    source = Remote(DATA[:1000])
    bounded, open_ended = Window(source, 500, 600), Window(source, 500)
    assert (bounded.size, open_ended.size) == (500, 500)
    source.data = DATA[:2000]
    assert (bounded.measure(), open_ended.measure()) == (600, 1500)
    assert bounded.read_at(450, 1000) == DATA[950:1100]
