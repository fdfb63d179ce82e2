"""ISZ: every type of chunk, tables, parts by any of their names, what is refused."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers import unpack
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
from tests.containers.packed_builder import isz, isz_header

NOISE = random.Random(1).randbytes(20000)
DATA = (b"isomount " * 3000 + NOISE + bytes(50000) + b"the end" * 999)[: 44 * 2048]
KIND = "packed.isz"


@pytest.mark.parametrize("pointer", [3, 4])
@pytest.mark.parametrize("chunk", [2048, 8192, 3 * 8192, 1 << 20])
def test_chunks(chunk: int, pointer: int) -> None:
    (packed,) = isz(DATA, chunk=chunk, pointer=pointer)
    assert all_of(unpacked(KIND, packed)) == DATA


def test_chunks_that_are_kept_nowhere_else() -> None:
    (packed,) = isz(DATA * 70, chunk=5 << 20)
    source = unpacked(KIND, packed)
    assert all_of(source) == DATA * 70


def test_without_a_table_all_is_stored() -> None:
    packed = isz_header(DATA, 8192) + DATA
    assert all_of(unpacked(KIND, packed)) == DATA


def test_parts_without_a_table_of_them() -> None:
    part = 20000
    files = {}
    cuts = [DATA[at : at + part - 48] for at in range(0, len(DATA), part - 48)]
    for number, cut in enumerate(cuts):
        header = isz_header(DATA, 8192, segment_size=part, segment=number)
        files[f"a.i{number:02}" if number else "a.isz"] = header + cut
    assert all_of(unpacked(KIND, files, "a.isz")) == DATA


@settings(max_examples=25, deadline=None)
# A chunk is in two parts at most: no larger than what a part holds.
@given(st.integers(8300, 40000), st.sampled_from([2048, 8192]), st.data())
def test_any_range_of_parts_of_any_size(part: int, chunk: int, draw: st.DataObject) -> None:
    parts = isz(DATA, chunk=chunk, part=part)
    files = {f"a.i{n:02}" if n else "a.isz": each for n, each in enumerate(parts)}
    source = unpacked(KIND, files, "a.isz")
    offset, length = draw.draw(st.integers(0, len(DATA))), draw.draw(st.integers(0, len(DATA)))
    assert source.read_at(offset, length) == DATA[offset : offset + length]


@pytest.mark.parametrize(
    "names",
    [
        ("Disc 1.isz", "Disc 1.i01", "Disc 1.i02"),
        ("DISC.ISZ", "disc.I01", "Disc.i02"),
        ("d.part01.isz", "d.part02.isz", "d.part03.isz"),
        ("d.part001.isz", "d.part002.isz", "d.part003.isz"),
    ],
)
def test_any_part_may_be_named(names: tuple[str, ...]) -> None:
    parts = isz(DATA, part=10500)
    assert len(parts) == len(names)
    siblings = MemorySiblings(dict(zip(names, parts, strict=True)))
    for name in names:
        source = unpacked_among(KIND, siblings, name)
        assert all_of(source) == DATA
        source.close()
    assert all(file.is_closed for file in siblings.opened)


@pytest.mark.parametrize("name", ["a.isz", "a.i01", "a.i02"])
def test_parts_are_not_taken_for_pieces_of_a_cut_file(tmp_path: Path, name: str) -> None:
    for number, part in enumerate(isz(DATA, part=10500)):
        (tmp_path / (f"a.i{number:02}" if number else "a.isz")).write_bytes(part)
    source = unpack(tmp_path / name).source
    assert source.read_at(0, source.size) == DATA
    source.close()


def test_a_missing_part_is_named() -> None:
    first, _, third = isz(DATA, part=10500)
    siblings = MemorySiblings({"a.isz": first, "a.i02": third})
    with pytest.raises(ImageUnreadableError, match=r"part 2 is missing: a\.i01"):
        unpacked_among(KIND, siblings, "a.isz")
    with pytest.raises(ImageUnreadableError, match=r"part 1 is missing: b\.isz"):
        unpacked(KIND, {"b.i02": third}, "b.i02")


def test_what_is_refused() -> None:
    (packed,) = isz(DATA, encryption=4)
    with pytest.raises(NotAnImageError, match="encrypted by UltraISO"):
        unpacked(KIND, packed)
    (packed,) = isz(DATA, version=2)
    with pytest.raises(NotAnImageError, match="version 2"):
        unpacked(KIND, packed)
    (packed,) = isz(DATA, chunk=16 << 20, pointer=4)
    with pytest.raises(NotAnImageError, match="too large"):
        unpacked(KIND, packed)
    (packed,) = isz(DATA)
    for length in (5, 40, 60):
        with pytest.raises(DamagedImageError):
            unpacked(KIND, packed[:length])


def test_damage_stays_in_its_chunk() -> None:
    (packed,) = isz(DATA)
    start = 48 + 3 * -(-len(DATA) // 8192)
    source = unpacked(KIND, packed[:start] + b"\xff\xff" + packed[start + 2 :])
    with pytest.raises(DamagedDataError):
        source.read_at(0, 1)
    assert source.read_at(8192, len(DATA)) == DATA[8192:]


def test_bytes_changed_by_chance() -> None:
    assert try_damaged(KIND, isz(DATA)[0], 150, 1)
    assert try_damaged(KIND, isz(DATA, part=1 << 20)[0], 150, 2)
