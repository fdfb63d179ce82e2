"""UIF: versions with zlib and LZMA, runs on a grid and off it, what is encrypted, damage."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers.base import OtherKindError
from isomount.errors import DamagedDataError, DamagedImageError, NotAnImageError
from tests.containers.opening import all_of, try_damaged, unpacked
from tests.containers.packed_builder import uif

NOISE = random.Random(1).randbytes(30000)
DATA = (b"isomount " * 4000 + NOISE + bytes(50000) + b"the end" * 999)[: 50 * 2048]
KIND = "packed.uif"


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("has_filter", [False, True])
@pytest.mark.parametrize("run", [1, 7, 8, 4000])
def test_versions(version: int, run: int, has_filter: bool) -> None:
    packed = uif(DATA, version=version, run=run, has_filter=has_filter)
    assert all_of(unpacked(KIND, packed)) == DATA


def test_a_last_sector_that_is_not_full() -> None:
    data = DATA[:-1000]
    assert all_of(unpacked(KIND, uif(data, last=1048))) == data


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 20), st.integers(0, len(DATA)), st.integers(0, len(DATA)))
def test_any_range(run: int, offset: int, length: int) -> None:
    source = unpacked(KIND, uif(DATA, run=run))
    assert source.read_at(offset, length) == DATA[offset : offset + length]


def test_what_is_refused() -> None:
    for packed in (uif(DATA, version=2, key=3), uif(DATA, magic=b"bsdr")):
        with pytest.raises(NotAnImageError, match="encrypted by MagicISO"):
            unpacked(KIND, packed)
    with pytest.raises(DamagedImageError):
        unpacked(KIND, uif(DATA, magic=b"what"))
    with pytest.raises(DamagedImageError):
        unpacked(KIND, uif(DATA)[1000:])
    with pytest.raises(OtherKindError):
        unpacked(KIND, b"bbis")


def test_damage_stays_in_its_run() -> None:
    source = unpacked(KIND, b"\xff" * 3 + uif(DATA)[3:])
    with pytest.raises(DamagedDataError):
        source.read_at(0, 1)
    assert source.read_at(8 * 2048, len(DATA)) == DATA[8 * 2048 :]


def test_bytes_changed_by_chance() -> None:
    assert try_damaged(KIND, uif(DATA), 150, 1)
    assert try_damaged(KIND, uif(DATA, version=3, run=7), 100, 2)
