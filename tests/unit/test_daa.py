"""DAA and GBI: both formats, both codecs, hidden tables, exchanged block types, parts."""

import random
import struct
import subprocess
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers.packed.inflate import inflate_permuted
from isomount.errors import (
    DamagedDataError,
    DamagedImageError,
    ImageUnreadableError,
    IsomountError,
    NotAnImageError,
)
from tests.containers.opening import (
    MemorySiblings,
    all_of,
    try_damaged,
    unpacked,
    unpacked_among,
)
from tests.containers.packed_builder import DAA_TYPES, daa, deflated, with_type

CHANCE = random.Random(1)
NOISE = CHANCE.randbytes(1 << 14)
CALLS = b"".join(b"\xe8" + CHANCE.randbytes(3) + b"\0" + b"code " * 3 for _ in range(2000))
DATA = (b"isomount " * 4000 + NOISE * 2 + bytes(50000) + CALLS)[: 70 * 2048]
KIND = "packed.daa"
# Format 0x110 with every flag that is read: bits hidden, table hidden, the four ways of types.
FLAGS = [0, 0x20000, 0x8000000, 0x8020000, 1 << 23, 2 << 23, 3 << 23]


@pytest.mark.parametrize("magic", [b"DAA", b"GBI"])
@pytest.mark.parametrize("flags", FLAGS)
def test_flags(magic: bytes, flags: int) -> None:
    (packed,) = daa(DATA, magic=magic, flags=flags | 0x100000)
    assert all_of(unpacked(KIND, packed)) == DATA


@pytest.mark.parametrize("widths", [4 << 3 | 1, 6 << 3 | 2, 22 << 3 | 7])
@pytest.mark.parametrize("chunk", [1 << 14, 1 << 16, 1 << 20])
def test_widths_and_chunks(widths: int, chunk: int) -> None:
    widths = max(widths, 11 << 3 | 1)
    (packed,) = daa(DATA, widths=widths, chunk=chunk, has_filter=True)
    assert all_of(unpacked(KIND, packed)) == DATA


@pytest.mark.parametrize("magic", [b"DAA", b"GBI"])
@pytest.mark.parametrize("chunk", [10000, 1 << 16])
def test_the_old_format(magic: bytes, chunk: int) -> None:
    (packed,) = daa(DATA, magic=magic, format=0x100, chunk=chunk)
    assert all_of(unpacked(KIND, packed)) == DATA


@pytest.mark.parametrize("flags", [*FLAGS, "gbi", "old", "filter"])
def test_daa2iso_reads_the_same(tmp_path: Path, flags: int | str) -> None:
    path = tmp_path / "a.daa"
    if flags == "gbi":
        parts = daa(DATA, magic=b"GBI")
    elif flags == "old":
        parts = daa(DATA, format=0x100)
    elif isinstance(flags, str):
        parts = daa(DATA, has_filter=True)
    else:
        parts = daa(DATA, flags=flags | 0x100000)
    path.write_bytes(parts[0])
    subprocess.run(
        ["daa2iso", path, tmp_path / "a.iso"], check=False, capture_output=True, timeout=30
    )  # its exit code says nothing
    assert (tmp_path / "a.iso").read_bytes() == DATA
    assert all_of(unpacked(KIND, parts[0])) == DATA


@pytest.mark.parametrize(
    "names",
    [
        ("a.part01.daa", "a.part02.daa", "a.part03.daa"),
        ("a.part001.daa", "a.part002.daa", "a.part003.daa"),
        ("a.daa", "a.d00", "a.d01"),
        ("A.GBI", "a.d00", "a.D01"),
    ],
)
def test_any_part_may_be_named(names: tuple[str, ...]) -> None:
    parts = daa(DATA, part=14000)
    siblings = MemorySiblings(dict(zip(names, parts, strict=True)))
    for name in names:
        source = unpacked_among(KIND, siblings, name)
        assert all_of(source) == DATA
        source.close()
    assert all(file.is_closed for file in siblings.opened)
    del siblings.files[names[1]]
    with pytest.raises(ImageUnreadableError, match=r"(?i)part 2 is missing: a\.(part0+2\.daa|d00)"):
        unpacked_among(KIND, MemorySiblings({n: siblings.files[n] for n in names[::2]}), names[0])


def test_chunks_that_are_kept_nowhere_else() -> None:
    (packed,) = daa(DATA * 60, chunk=5 << 20, widths=14 << 3 | 1)
    assert all_of(unpacked(KIND, packed)) == DATA * 60


def test_what_is_refused() -> None:
    with pytest.raises(NotAnImageError, match="encrypted by PowerISO"):
        unpacked(KIND, daa(DATA, encrypted=True)[0])
    for flags in (0x4000, 0x80000):
        with pytest.raises(NotAnImageError, match="only PowerISO reads"):
            unpacked(KIND, daa(DATA, flags=flags)[0])
    with pytest.raises(NotAnImageError, match="format 0x120"):
        unpacked(KIND, daa(DATA, format=0x120)[0])
    (packed,) = daa(DATA)
    with pytest.raises(DamagedImageError):
        unpacked(KIND, packed[:70])
    with pytest.raises(DamagedImageError):
        unpacked(KIND, packed[:30] + b"x" + packed[31:])


def test_damage_stays_in_its_chunk() -> None:
    (packed,) = daa(DATA)
    start = struct.unpack_from("<I", packed, 24)[0]
    source = unpacked(KIND, packed[: start + 5] + b"\xff" * 9 + packed[start + 14 :])
    with pytest.raises(DamagedDataError):
        source.read_at(0, 1)
    assert source.read_at(1 << 14, len(DATA)) == DATA[1 << 14 :]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, len(DATA)), st.integers(0, len(DATA)))
def test_any_range(offset: int, length: int) -> None:
    source = unpacked(KIND, daa(DATA)[0])
    assert source.read_at(offset, length) == DATA[offset : offset + length]


# ---------------------------------------------------------------- deflate


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 30), st.sampled_from([1, 9]))
def test_inflate_of_several_blocks(piece: bytes, times: int, level: int) -> None:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    stored = b"".join(
        packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(times)
    )
    stored += packer.flush()
    assert inflate_permuted(stored, len(piece) * times, (0, 1, 2)) == piece * times
    assert inflate_permuted(stored, len(piece), (0, 1, 2)) == piece


@pytest.mark.parametrize("types", DAA_TYPES)
def test_exchanged_types(types: tuple[int, ...]) -> None:
    for data in (NOISE[:3000], b"a" * 9, CALLS):
        packed = deflated(data)
        if packed[0] & 1:
            assert inflate_permuted(with_type(packed, types), len(data), types) == data
    # Blocks that are stored as they are end with a byte: all of their types can be written here.
    stored = b"".join(
        bytes([types[0] << 1 | is_last]) + struct.pack("<HH", 100, 100 ^ 0xFFFF) + NOISE[:100]
        for is_last in (0, 0, 1)
    )
    assert inflate_permuted(stored, 300, types) == NOISE[:100] * 3


def test_deflate_that_is_damaged() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(CALLS) + packer.flush(zlib.Z_FULL_FLUSH) + packer.flush()
    for at in range(300):
        data = packed[:at] + b"\xff" + packed[at + 1 :]
        try:
            assert len(inflate_permuted(data, 2000, (0, 1, 2))) <= 2000
        except DamagedDataError:
            continue
    for end in (0, 1, 5, 100):
        with pytest.raises(DamagedDataError):
            inflate_permuted(packed[:end], len(CALLS), (0, 1, 2))


def test_bytes_changed_by_chance() -> None:
    assert try_damaged(KIND, daa(DATA)[0], 150, 1)
    assert try_damaged(KIND, daa(DATA, format=0x100)[0], 100, 2)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=56, max_size=56), st.data())
def test_any_header_with_a_right_checksum(fields: bytes, draw: st.DataObject) -> None:
    right = daa(DATA)[0]
    kept = draw.draw(st.sets(st.integers(0, 13)))
    header = bytearray(right[:72])
    for number in set(range(14)) - kept:
        at = 16 + 4 * number
        header[at : at + 4] = fields[4 * number : 4 * number + 4]
    data = bytes(header) + struct.pack("<I", zlib.crc32(header)) + right[76:]
    with suppress(IsomountError, OSError):
        source = unpacked(KIND, data)
        for at in range(0, min(source.size, 1 << 18), 1 << 14):
            with suppress(IsomountError, OSError):
                source.read_at(at, 1 << 14)
