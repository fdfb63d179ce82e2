"""CHD that is damaged, cut off or made up: a sentence, an error for a hunk, and an end."""

import random
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers.discs.disc import Disc
from isomount.containers.packed.chd import unpack
from isomount.containers.packed.chd.header import read_header
from isomount.containers.packed.chd.huffman import Bits, HuffmanCode, read_map_code
from isomount.containers.packed.chd.map import CompressedMap
from isomount.errors import (
    DamagedDataError,
    DamagedImageError,
    IsomountError,
    NotAnImageError,
)
from tests.containers.chd import (
    DVD,
    HUNK,
    SURROUNDINGS,
    Entry,
    a_disc,
    chd5,
    chd_old,
    content,
    crc16,
    deflated,
    header5,
    metadata,
    packed_hunk,
    packed_map,
    raw_entry,
    stored_hunk,
    whole,
)
from tests.formats.iso_builder import MemorySource


def test_a_wrong_checksum_costs_its_hunk_alone() -> None:
    first, second = b"1" * HUNK, random.Random(1).randbytes(HUNK)
    packed = deflated(first)
    entries = [packed_hunk(0, packed, first, 124), stored_hunk(second, 124 + len(packed))]
    broken = bytes([second[0] ^ 1]) + second[1:]
    head = header5(2 * HUNK, [b"zlib"], 124 + len(packed) + HUNK, 0)
    source = content(head + packed + broken + packed_map(entries, 124))
    assert source.read_at(0, HUNK) == first
    with pytest.raises(DamagedDataError, match="hunk 1 is damaged: its checksum is wrong"):
        source.read_at(HUNK, HUNK)


@pytest.mark.parametrize("version", [3, 4])
def test_a_wrong_crc_of_old_versions_too(version: int) -> None:
    data = bytearray(chd_old(random.Random(1).randbytes(2 * HUNK), version))
    data[-1] ^= 1
    source = content(bytes(data))
    assert len(source.read_at(0, HUNK)) == HUNK
    with pytest.raises(DamagedDataError):
        source.read_at(HUNK, HUNK)


def test_copies_of_copies_in_a_circle_end() -> None:
    entries = [Entry([5], [(1, 32)], raw_entry(5, 0, 1)), Entry([5], [(0, 32)], raw_entry(5, 0, 0))]
    source = content(header5(2 * HUNK, [b"zlib"], 124, 0) + packed_map(entries, 124))
    with pytest.raises(DamagedDataError, match="map entry of hunk 0 is damaged"):
        source.read_at(0, 1)


def test_a_map_with_a_wrong_checksum() -> None:
    entries = [Entry([5], [(0, 32)], raw_entry(5, 0, 0))]
    data = header5(HUNK, [b"zlib"], 124, 0) + packed_map(entries, 124, crc=1)
    with pytest.raises(DamagedImageError, match="checksum"):
        content(data)


def test_more_hunks_than_the_map_has() -> None:
    data = bytearray(chd5(a_disc(), b"zlib", deflated))
    struct.pack_into(">Q", data, 32, 3 << 30)
    with pytest.raises(DamagedImageError):
        content(bytes(data))
    struct.pack_into(">Q", data, 32, 1 << 60)
    with pytest.raises(NotAnImageError, match="hunks"):
        content(bytes(data))


@pytest.mark.parametrize("length", [0, 9, 16, 60, 123, 124, 300])
def test_cut_off(length: int) -> None:
    data = chd5(a_disc(), b"zlib", deflated)
    with pytest.raises((DamagedImageError, DamagedDataError)):
        whole(data[:length].ljust(8, b"M") if length < 8 else data[:length])


def test_unknown_things_are_refused_in_words() -> None:
    data = chd5(a_disc(), b"zlib", deflated)
    with pytest.raises(NotAnImageError, match="codec"):
        content(data[:16] + b"abcd" + data[20:])
    with pytest.raises(NotAnImageError, match="LaserDisc"):
        content(data[:16] + b"avhu" + data[20:])
    with pytest.raises(NotAnImageError, match="version 6"):
        content(data[:12] + (6).to_bytes(4) + data[16:])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 200), st.integers(1, 3000))
def test_any_map_ends(data: bytes, first: int, count: int) -> None:
    head = struct.pack(">IHIHBBBx", len(data), 0, first, 0, 16, 8, 8)
    file = MemorySource(header5(count * HUNK, [b"zlib"], 124, 0) + head + data)
    with pytest.raises(DamagedImageError):  # a checksum that fits would be chance
        CompressedMap(file, read_header(file))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64))
def test_any_code_decodes_or_is_damaged(data: bytes) -> None:
    bits = Bits(data)
    try:
        code = read_map_code(bits)
    except DamagedDataError:
        return
    assert len(code.decode(bits, data, 100)) == 100


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=60))
def test_canonical_codes_come_longest_first(symbols: list[int]) -> None:
    lengths = [1, 2, 3, 4, 5, 6, 7, 7]
    codes = ["1", "01", "001", "0001", "00001", "000001", "0000000", "0000001"]
    bits = "".join(codes[symbol] for symbol in symbols)
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))
    position = Bits(data)
    assert list(HuffmanCode(lengths, 8).decode(position, data, len(symbols))) == symbols
    assert position.position == len(bits)


@pytest.mark.parametrize("seed", range(4))
def test_files_with_changed_bytes_are_read_or_refused(seed: int) -> None:
    random_ = random.Random(seed)
    tag = [b"zlib", b"huff", b"flac", b"cdfl"][seed]
    disc = (b"CHT2", b"TRACK:1 TYPE:MODE1 FRAMES:90 PREGAP:0")
    made = [
        chd5(a_disc(12), b"zlib", deflated, (disc,) if seed % 2 else DVD),
        chd_old(a_disc(12), 1 + seed),
    ]
    made.append(made[0][:16] + tag + made[0][20:])
    for _ in range(60):
        data = bytearray(random_.choice(made))
        for _ in range(random_.choice([1, 2, 8])):
            data[random_.randrange(random_.choice([130, len(data)]))] = random_.randrange(256)
        with suppress(IsomountError):
            found = unpack(MemorySource(bytes(data)), SURROUNDINGS)
            source = found.files[0] if isinstance(found, Disc) else found
            for at in range(0, min(source.size, 1 << 20), HUNK):
                with suppress(IsomountError, OSError):
                    source.read_at(at, HUNK)


def test_hashes_of_writers_are_right() -> None:
    assert crc16(b"123456789") == 0x29B1
    assert metadata(DVD, 0)[:4] == b"DVD "
    assert zlib.decompress(deflated(b"x"), -15) == b"x"
