"""CISO and ZSO: versions, alignment, wrapped places, short last blocks, damage, other discs."""

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers.packed.cso import CsoSource
from isomount.errors import DamagedDataError, DamagedImageError, NotAnImageError
from tests.containers.opening import all_of, try_damaged, unpacked
from tests.containers.packed_builder import cso
from tests.formats.iso_builder import MemorySource

NOISE = random.Random(1).randbytes(3 * 2048)
DATA = b"isomount " * 3000 + NOISE + bytes(9000) + b"the end" * 99
KIND = "packed.cso"


@pytest.mark.parametrize("block", [512, 2048, 16384])
@pytest.mark.parametrize("shift", [0, 2, 7])
@pytest.mark.parametrize(
    ("magic", "version"), [(b"CISO", 0), (b"CISO", 1), (b"CISO", 2), (b"ZISO", 1)]
)
def test_versions(magic: bytes, version: int, shift: int, block: int) -> None:
    packed = cso(DATA, magic=magic, version=version, shift=shift, block=block)
    source = unpacked(KIND, packed)
    assert source.size == len(DATA)
    assert all_of(source) == DATA


def test_the_header_size_is_not_believed() -> None:
    assert all_of(unpacked(KIND, cso(DATA, header=0))) == DATA


def test_a_last_block_that_was_filled_up_first() -> None:
    filled = DATA.ljust(-(-len(DATA) // 16384) * 16384, b"\0")
    for version in (1, 2):
        packed = bytearray(cso(filled, version=version, block=16384))
        packed[8:16] = len(DATA).to_bytes(8, "little")
        assert all_of(unpacked(KIND, bytes(packed))) == DATA


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([b"a" * 700, bytes(900), NOISE[:1500]]), min_size=1, max_size=20),
    st.sampled_from([(b"CISO", 1), (b"CISO", 2), (b"ZISO", 1)]),
    st.integers(0, 4),
    st.data(),
)
def test_any_range(
    parts: list[bytes], kind: tuple[bytes, int], shift: int, draw: st.DataObject
) -> None:
    data = b"".join(parts)
    source = unpacked(KIND, cso(data, magic=kind[0], version=kind[1], shift=shift))
    offset = draw.draw(st.integers(0, len(data)))
    length = draw.draw(st.integers(0, len(data)))
    assert source.read_at(offset, length) == data[offset : offset + length]


class Large(MemorySource):
    """A file of more than 2 GiB: an index, then blocks that are stored as they are."""

    block = 1 << 20

    def __init__(self, count: int) -> None:
        start = 1 << 20
        places = [start + number * self.block for number in range(count + 1)]
        marked = [place & 0x7FFFFFFF | 1 << 31 for place in places]
        head = struct.pack("<4sIQIBBxx", b"CISO", 24, count * self.block, self.block, 1, 0)
        super().__init__(head + struct.pack(f"<{count + 1}I", *marked))
        self.size = places[-1]

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < len(self.data):
            return self.data[offset : offset + length]
        return (offset // self.block).to_bytes(4, "little") * (min(length, self.size - offset) // 4)


@pytest.mark.parametrize("count", [2047, 2048, 3000, 5000])
def test_places_that_wrapped_at_2_gib(count: int) -> None:
    source = CsoSource(Large(count))
    for number in {0, 1, 2045, 2046, 2047, 2048, 2999, 4094, 4095, 4096, count - 1}:
        if number < count:
            data = source.read_at(number << 20, 8)
            assert data == (number + 1).to_bytes(4, "little") * 2


def test_damage_stays_in_its_block() -> None:
    packed = bytearray(cso(DATA))
    place = struct.unpack_from("<I", packed, 24 + 4 * 3)[0]
    packed[place : place + 4] = b"\xff" * 4
    source = unpacked(KIND, bytes(packed))
    assert source.read_at(0, 3 * 2048) == DATA[: 3 * 2048]
    assert source.read_at(4 * 2048, 2048) == DATA[4 * 2048 :][:2048]
    with pytest.raises(DamagedDataError):
        source.read_at(3 * 2048, 10)


def test_what_is_cut_off() -> None:
    packed = cso(DATA)
    with pytest.raises(DamagedImageError, match=r"\(CSO\) whose index"):
        unpacked(KIND, packed[:40])
    with pytest.raises(DamagedImageError, match=r"\(CSO\) whose header"):
        unpacked(KIND, packed[:20])
    source = unpacked(KIND, packed[:-300])
    assert source.read_at(0, 2048) == DATA[:2048]
    with pytest.raises(DamagedDataError):
        source.read_at(len(DATA) - 100, 100)


def test_discs_of_the_gamecube_are_named() -> None:
    disc = b"CISO" + struct.pack("<I", 2 << 20) + b"\1\1\0\1" + bytes(0x8000 - 12) + bytes(9999)
    with pytest.raises(NotAnImageError, match="GameCube or Wii disc"):
        unpacked(KIND, disc)


def test_a_header_that_says_what_cannot_be() -> None:
    with pytest.raises(DamagedImageError, match="header"):
        unpacked(KIND, b"CISO" + bytes(range(8, 80)))


def test_bytes_changed_by_chance() -> None:
    for version in (1, 2):
        assert try_damaged(KIND, cso(DATA, version=version, shift=1), 200, version)
