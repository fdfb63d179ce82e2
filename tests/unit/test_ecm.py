"""ECM: every type of record, pairs that are counted together, ranges, damage."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers.packed.ecm import EcmSource
from isomount.containers.packed.ecm_index import index_of
from isomount.errors import DamagedDataError, DamagedImageError
from tests.containers.opening import NamedSource, all_of, try_damaged, unpacked
from tests.containers.packed_builder import ecm

CHANCE = random.Random(1)
SYNC = b"\0" + b"\xff" * 10 + b"\0"
KIND = "packed.ecm"
Record = tuple[int, list[bytes]]


def sectors(kind: int, count: int) -> tuple[list[Record], bytes]:
    """Records of that many sectors, and the image that they make: EDC and ECC are zeros."""
    units = [CHANCE.randbytes({1: 2051, 2: 2052, 3: 2328}[kind]) for _ in range(count)]
    if kind == 1:
        return [(1, units)], b"".join(
            SYNC + unit[:3] + b"\1" + unit[3:] + bytes(288) for unit in units
        )
    records: list[Record] = []
    made = b""
    for unit in units:
        head = SYNC + CHANCE.randbytes(3) + b"\2"
        records += [(0, [bytes([byte]) for byte in head]), (kind, [unit])]
        made += head + unit[:4] + unit + bytes(280 if kind == 2 else 4)
    return records, made


def image(*kinds: tuple[int, int]) -> tuple[bytes, bytes]:
    records: list[Record] = []
    made = b""
    for kind, count in kinds:
        if kind == 0:
            data = CHANCE.randbytes(count)
            records.append((0, [bytes([byte]) for byte in data]))
            made += data
        elif kind > 3:  # without sync and header
            units = [CHANCE.randbytes(2052 if kind == 4 else 2328) for _ in range(count)]
            records.append((kind - 2, units))
            made += b"".join(u[:4] + u + bytes(280 if kind == 4 else 4) for u in units)
        else:
            its, its_made = sectors(kind, count)
            records += its
            made += its_made
    return ecm(records), made


@pytest.mark.parametrize(
    "kinds",
    [
        [(1, 1)],
        [(1, 700)],
        [(2, 100)],
        [(3, 40)],
        [(4, 33), (5, 3)],
        [(0, 1), (0, 5000), (1, 3), (2, 1), (3, 2), (2, 9), (0, 16), (1, 40), (0, 2352)],
        [(2, 1), (3, 1), (2, 1), (3, 1), (0, 16)],
    ],
)
def test_records(kinds: list[tuple[int, int]]) -> None:
    packed, made = image(*kinds)
    source = unpacked(KIND, packed)
    assert source.size == len(made)
    assert all_of(source) == made


def test_sectors_that_are_alike_take_one_place() -> None:
    packed, _ = image((2, 2000))
    assert len(index_of(NamedSource("a", packed))) == 1


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 20)), min_size=1, max_size=8), st.data()
)
def test_any_range(kinds: list[tuple[int, int]], draw: st.DataObject) -> None:
    packed, made = image(*kinds)
    source = unpacked(KIND, packed)
    offset, length = draw.draw(st.integers(0, len(made))), draw.draw(st.integers(0, len(made)))
    assert source.read_at(offset, length) == made[offset : offset + length]


def test_what_is_cut_off() -> None:
    packed, _ = image((2, 30), (1, 20))
    for length in (4, 5, 100, len(packed) - 30, len(packed) - 9):
        with pytest.raises(DamagedImageError, match="whose record at byte"):
            unpacked(KIND, packed[:length])
    file = NamedSource("a", packed)
    source = EcmSource(file, index_of(file))
    file.data = packed[:3000]
    with pytest.raises(DamagedDataError):
        source.read_at(2352, 2352)
    assert source.read_at(0, 2352)


def test_bytes_changed_by_chance() -> None:
    packed, _ = image((0, 300), (2, 9), (3, 4), (1, 9))
    assert try_damaged(KIND, packed, 200, 1)
