"""DAX and JISO, the other packed discs of the PSP."""

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.errors import DamagedDataError, DamagedImageError, NotAnImageError
from tests.containers.opening import all_of, try_damaged, unpacked
from tests.containers.packed_builder import dax, jso

NOISE = random.Random(1).randbytes(2 * 8192)
DATA = b"isomount " * 3000 + NOISE + bytes(30000) + b"the end" * 99


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("plain", [(), (0, 2, 3, 9)])
def test_dax(version: int, plain: tuple[int, ...]) -> None:
    source = unpacked("packed.dax", dax(DATA, version, plain if version else ()))
    assert source.size == len(DATA)
    assert all_of(source) == DATA


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=1, max_size=40000), st.sets(st.integers(0, 4)), st.data())
def test_any_range_of_dax(data: bytes, plain: set[int], draw: st.DataObject) -> None:
    source = unpacked("packed.dax", dax(data, 1, sorted(plain)))
    offset, length = draw.draw(st.integers(0, len(data))), draw.draw(st.integers(0, len(data)))
    assert source.read_at(offset, length) == data[offset : offset + length]


def test_areas_of_frames_that_are_not_there() -> None:
    packed = bytearray(dax(DATA, 1, (0,)))
    frames = -(-len(DATA) // 8192)
    packed[32 + 6 * frames :][:8] = struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<II", packed, 32 + 6 * frames, 0xFFFFFFFF, 0xFFFFFFFF)
    source = unpacked("packed.dax", bytes(packed))
    assert source.read_at(8192, 100) == DATA[8192:8292]


def test_damage_of_dax_stays_in_its_frame() -> None:
    packed = bytearray(dax(DATA))
    (place,) = struct.unpack_from("<I", packed, 32 + 4)
    packed[place : place + 4] = b"\xff" * 4
    source = unpacked("packed.dax", bytes(packed))
    assert source.read_at(0, 8192) == DATA[:8192]
    with pytest.raises(DamagedDataError):
        source.read_at(8192, 1)
    with pytest.raises(DamagedImageError, match="whose index"):
        unpacked("packed.dax", bytes(packed[:50]))
    with pytest.raises(NotAnImageError, match="version 2"):
        unpacked("packed.dax", dax(DATA, 2))


@pytest.mark.parametrize("has_headers", [False, True])
@pytest.mark.parametrize("is_raw", [False, True])
def test_jso(has_headers: bool, is_raw: bool) -> None:
    assert all_of(unpacked("packed.jso", jso(DATA, has_headers=has_headers, is_raw=is_raw))) == DATA


def test_jso_by_lzo_is_refused() -> None:
    with pytest.raises(NotAnImageError, match="LZO"):
        unpacked("packed.jso", jso(DATA, method=0))


def test_bytes_changed_by_chance() -> None:
    assert try_damaged("packed.dax", dax(DATA, 1, (1,)), 200, 1)
    assert try_damaged("packed.jso", jso(DATA), 200, 2)
