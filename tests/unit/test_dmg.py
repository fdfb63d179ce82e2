"""UDIF: every kind of run, list and resource fork, parts, what is refused, damage."""

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers.packed.adc import unpack_adc
from isomount.errors import (
    DamagedDataError,
    DamagedImageError,
    ImageUnreadableError,
    NotAnImageError,
)
from tests.containers.opening import (
    MemorySiblings,
    all_of,
    try_damaged,
    unpacked,
    unpacked_among,
)
from tests.containers.packed_builder import adc, udif

NOISE = random.Random(1).randbytes(20000)
DATA = (b"isomount" + b"aaa" * 9000 + NOISE + bytes(50000) + b"the end" * 999)[: 200 * 512]
KIND = "packed.dmg"
PACKERS = ["zlib", "bzip2", "xz", "adc", "stored"]


@pytest.mark.parametrize("pack", PACKERS)
@pytest.mark.parametrize("run", [1, 15, 16, 4096])
def test_runs(pack: str, run: int) -> None:
    (packed,) = udif(DATA, pack=pack, run=run)
    assert all_of(unpacked(KIND, packed)) == DATA


@pytest.mark.parametrize("pack", ["zlib", "bzip2", "adc", "stored"])
def test_dmg2img_reads_the_same(tmp_path: Path, pack: str) -> None:
    (tmp_path / "a.dmg").write_bytes(udif(DATA, pack=pack)[0])
    subprocess.run(
        ["dmg2img", tmp_path / "a.dmg", tmp_path / "a.img"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    assert (tmp_path / "a.img").read_bytes() == DATA


def test_a_partition_further_on_leaves_zeros_before_it() -> None:
    (packed,) = udif(DATA, start=77)
    assert all_of(unpacked(KIND, packed)) == bytes(77 * 512) + DATA


def test_a_resource_fork_and_a_trailer_before_the_data() -> None:
    assert all_of(unpacked(KIND, udif(DATA, in_fork=True)[0])) == DATA
    assert all_of(unpacked(KIND, udif(DATA, at_front=True)[0])) == DATA


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(0, len(DATA)), st.integers(0, len(DATA)))
def test_any_range(run: int, offset: int, length: int) -> None:
    source = unpacked(KIND, udif(DATA, run=run)[0])
    assert source.read_at(offset, length) == DATA[offset : offset + length]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([b"ab", b"c" * 80, b"d" * 5, b"eeee"])))
def test_adc(parts: list[bytes]) -> None:
    data = b"".join(parts)
    assert unpack_adc(adc(data), len(data)) == data
    assert unpack_adc(adc(data), len(data) // 2) == data[: len(data) // 2]


@pytest.mark.parametrize(
    "names",
    [("a.dmg", "a.002.dmgpart", "a.003.dmgpart"), ("a.001.dmg", "a.002.dmg", "a.003.dmg")],
)
def test_any_part_may_be_named(names: tuple[str, ...]) -> None:
    parts = udif(DATA, pack="stored", part=len(udif(DATA, pack="stored")[0]) // 5)
    parts = udif(DATA, pack="zlib", part=8000)
    assert len(parts) == len(names)
    siblings = MemorySiblings(dict(zip(names, parts, strict=True)))
    for name in names:
        source = unpacked_among(KIND, siblings, name)
        assert all_of(source) == DATA
        source.close()
    assert all(file.is_closed for file in siblings.opened)
    del siblings.files[names[2]]
    with pytest.raises(ImageUnreadableError, match=r"part 3 is missing: a\.003\.dmg"):
        unpacked_among(KIND, siblings, names[0])


def test_what_is_refused() -> None:
    with pytest.raises(NotAnImageError, match="LZFSE"):
        unpacked(KIND, udif(DATA, kind=0x80000007)[0])
    (packed,) = udif(DATA)
    with pytest.raises(DamagedImageError):
        unpacked(KIND, packed[5000:])
    with pytest.raises(DamagedImageError):
        unpacked(KIND, packed.replace(b"<key>", b"<kay>"))
    with pytest.raises(DamagedImageError):
        unpacked(KIND, b"koly" + bytes(508))


def test_a_kind_of_run_that_is_not_known_is_an_error_where_it_is() -> None:
    source = unpacked(KIND, udif(DATA, kind=0x80000009)[0])
    with pytest.raises(DamagedDataError, match="not known"):
        source.read_at(0, 1)


def test_damage_stays_in_its_run() -> None:
    (packed,) = udif(DATA)
    source = unpacked(KIND, b"\xff" * 3 + packed[3:])
    with pytest.raises(DamagedDataError):
        source.read_at(0, 1)
    assert source.read_at(16 * 512, len(DATA)) == DATA[16 * 512 :]


def test_zeros_without_end_take_no_memory() -> None:
    packed = bytearray(udif(bytes(len(DATA)), run=4096)[0])
    packed[-20:-12] = (1 << 50).to_bytes(8, "big")
    source = unpacked(KIND, bytes(packed))
    assert source.size == 1 << 59
    assert source.read_at(1 << 58, 5000) == bytes(5000)


def test_bytes_changed_by_chance() -> None:
    assert try_damaged(KIND, udif(DATA)[0], 150, 1)
    assert try_damaged(KIND, udif(DATA, in_fork=True, pack="adc")[0], 100, 2)
