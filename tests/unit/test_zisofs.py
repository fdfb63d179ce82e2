"""zisofs: files stored as compressed blocks."""

import bz2
import importlib
import lzma
import random
import struct
import sys
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import BlockCache, Concatenation, Content, SingleExtent
from isomount.errors import DamagedDataError
from isomount.formats.zisofs import ZisofsContent, zisofs_content
from tests.formats.iso_builder import MemorySource

# These packages have no types.
lz4_block: Any = importlib.import_module("lz4.block")
lz4_frame: Any = importlib.import_module("lz4.frame")

MAGIC_1 = bytes.fromhex("37e45396c9dbd607")
MAGIC_2 = bytes.fromhex("ef2255a1bc1b95a0")
SHIFT = 15
BLOCK = 1 << SHIFT

Encode = Callable[[bytes], bytes]

ENCODERS: dict[int, tuple[bytes, Encode]] = {
    1: (b"PZ", zlib.compress),
    2: (b"XZ", lzma.compress),
    3: (b"L4", lambda block: bytes(lz4_block.compress(block, store_size=False))),
    4: (b"ZD", zstandard.compress),
    5: (b"B2", bz2.compress),
}


def text(size: int) -> bytes:
    """Bytes that compress, but not to nothing, and that differ from block to block."""
    words = random.Random(1).choices([b"alpha ", b"beta ", b"gamma ", b"\n"], k=size // 4)
    return b"".join(words)[:size].ljust(size, b".")


def stored(blocks: Iterable[bytes], header: bytes, width: int) -> bytes:
    """A compressed file out of its header and encoded blocks."""
    blocks = list(blocks)
    position = len(header) + width * (len(blocks) + 1)
    pointers = b""
    for block in blocks:
        pointers += position.to_bytes(width, "little")
        position += len(block)
    return header + pointers + position.to_bytes(width, "little") + b"".join(blocks)


def split(data: bytes, shift: int = SHIFT) -> list[bytes]:
    return [data[at : at + (1 << shift)] for at in range(0, len(data), 1 << shift)]


def encoded(data: bytes, encode: Encode, shift: int = SHIFT) -> list[bytes]:
    return [encode(block) if any(block) else b"" for block in split(data, shift)]


def version_1(data: bytes, shift: int = SHIFT) -> bytes:
    header = MAGIC_1 + struct.pack("<IBBxx", len(data), 4, shift)
    return stored(encoded(data, zlib.compress, shift), header, 4)


def version_2(data: bytes, codec: int, shift: int = SHIFT, encode: Encode | None = None) -> bytes:
    header = MAGIC_2 + struct.pack("<BBBBQ4x", 0, 6, codec, shift, len(data))
    return stored(encoded(data, encode or ENCODERS[codec][1], shift), header, 8)


class Opened:
    """A compressed file in an image that holds nothing else."""

    def __init__(
        self, image: bytes, size: int, algorithm: bytes = b"pz", shift: int = SHIFT
    ) -> None:
        self.blocks = BlockCache(MemorySource(image))
        header = 16 if algorithm == b"pz" else 24
        extent = SingleExtent(0, len(image))
        self.content = zisofs_content(extent, algorithm, header, shift, size)

    def read(self, offset: int, length: int) -> bytes:
        return self.content.read(self.blocks, offset, length)

    def whole(self) -> bytes:
        return self.read(0, self.content.size)


DATA = text(3 * BLOCK + 100)


@pytest.mark.parametrize("shift", [14, 15, 16, 17])
def test_version_1(shift: int) -> None:
    opened = Opened(version_1(DATA, shift), len(DATA), shift=shift)
    assert isinstance(opened.content, ZisofsContent)
    assert opened.content.size == len(DATA)
    assert opened.whole() == DATA


@pytest.mark.parametrize("codec", list(ENCODERS))
@pytest.mark.parametrize("shift", [15, 17, 20])
def test_version_2(codec: int, shift: int) -> None:
    algorithm = ENCODERS[codec][0]
    opened = Opened(version_2(DATA, codec, shift), len(DATA), algorithm, shift)
    assert isinstance(opened.content, ZisofsContent)
    assert opened.whole() == DATA


@pytest.mark.parametrize("algorithm", [b"xz", b"l4", b"zd", b"b2", b"PZ"])
def test_the_header_says_which_codec_it_is(algorithm: bytes) -> None:
    assert Opened(version_2(DATA, 2), len(DATA), algorithm).whole() == DATA


def test_lz4_frames_are_read_as_well_as_blocks() -> None:
    image = version_2(DATA, 3, encode=lz4_frame.compress)
    assert Opened(image, len(DATA), b"L4").whole() == DATA


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_files_of_any_size(size: int) -> None:
    data = text(size)
    assert Opened(version_1(data), size).whole() == data
    assert Opened(version_2(data, 1), size, b"PZ").whole() == data


def test_equal_pointers_are_a_block_of_zeros() -> None:
    data = text(BLOCK) + bytes(2 * BLOCK) + text(50)
    image = version_1(data)
    assert len(image) < 2 * BLOCK
    assert Opened(image, len(data)).whole() == data
    assert Opened(version_2(bytes(100), 4), 100, b"ZD").whole() == bytes(100)


def test_reads_in_any_order() -> None:
    opened = Opened(version_1(DATA), len(DATA))
    chosen = random.Random(2)
    for _ in range(200):
        offset, length = chosen.randrange(len(DATA) + 10), chosen.randrange(2 * BLOCK)
        assert opened.read(offset, length) == DATA[offset : offset + length]


def test_the_real_size_cuts_the_last_block() -> None:
    """bsdtar writes blocks that inflate to more than the file has."""
    assert Opened(version_1(text(BLOCK)), 100).whole() == text(BLOCK)[:100]


def damaged(image: bytes, at: int) -> bytes:
    return image[:at] + bytes([image[at] ^ 0xFF]) + image[at + 1 :]


def test_damage_loses_its_own_block_only() -> None:
    image = version_1(DATA)
    second = int.from_bytes(image[20:24], "little")
    opened = Opened(damaged(image, second), len(DATA))
    assert opened.read(0, BLOCK) == DATA[:BLOCK]
    assert opened.read(2 * BLOCK, BLOCK) == DATA[2 * BLOCK : 3 * BLOCK]
    # A read that begins before the damage gives what there is.
    assert opened.read(BLOCK - 10, 100) == DATA[BLOCK - 10 : BLOCK]
    for offset in (BLOCK, 2 * BLOCK - 1):
        with pytest.raises(DamagedDataError):
            opened.read(offset, 10)


@pytest.mark.parametrize("codec", list(ENCODERS))
def test_damage_of_any_codec_is_damage(codec: int) -> None:
    algorithm = ENCODERS[codec][0]
    image = version_2(text(BLOCK), codec)
    start = 24 + 16
    for broken in (image[:start] + bytes(len(image) - start), image[: start + 20]):
        with pytest.raises(DamagedDataError):
            Opened(broken, BLOCK, algorithm).whole()


@pytest.mark.parametrize(
    ("pointers", "words"),
    [
        ((900, 800), "ends before it begins"),
        ((0, 0xFFFFFFFF), "larger than any codec makes it"),
        ((0xFFFF0000, 0xFFFF0100), "past the end|cut off"),
    ],
)
def test_pointers_that_lead_nowhere(pointers: tuple[int, int], words: str) -> None:
    image = MAGIC_1 + struct.pack("<IBBxx", BLOCK, 4, SHIFT) + struct.pack("<II", *pointers)
    with pytest.raises(DamagedDataError, match=words):
        Opened(image + bytes(100), BLOCK).whole()


def test_too_little_in_a_block_is_damage() -> None:
    image = stored([zlib.compress(b"short")], MAGIC_1 + bytes(8), 4)
    with pytest.raises(DamagedDataError, match="does not have 32768 bytes"):
        Opened(image, BLOCK).whole()


def test_a_pointer_table_past_the_end_is_damage() -> None:
    with pytest.raises(DamagedDataError):
        Opened(MAGIC_1 + bytes(8), BLOCK).whole()


def test_an_unknown_codec_says_so() -> None:
    image = version_2(DATA, 9, encode=zlib.compress)
    with pytest.raises(DamagedDataError, match="codec 9 is not known"):
        Opened(image, len(DATA), b"PZ").whole()


def test_version_2_without_its_header_is_damage() -> None:
    image = b"x" + version_2(DATA, 1)[1:]
    with pytest.raises(DamagedDataError, match="lacks its header"):
        Opened(image, len(DATA), b"PZ").whole()


def test_version_1_does_without_its_magic() -> None:
    assert Opened(bytes(8) + version_1(DATA)[8:], len(DATA)).whole() == DATA


@pytest.mark.parametrize(("codec", "package"), [(3, "lz4"), (4, "zstandard")])
def test_a_missing_package_is_named(
    codec: int, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (package, "lz4.block", "lz4.frame"):
        monkeypatch.setitem(sys.modules, name, None)
    opened = Opened(version_2(DATA, codec), len(DATA), ENCODERS[codec][0])
    with pytest.raises(
        DamagedDataError, match=rf"{package} is missing: install isomount\[codecs\]"
    ):
        opened.whole()


@pytest.mark.parametrize(
    ("algorithm", "shift", "size"),
    [
        (b"pz", 13, 9),
        (b"pz", 18, 9),
        (b"PZ", 21, 9),
        (b"??", 15, 9),
        (b"", 15, 9),
        (b"PZ", 255, 9),
        # No file can be that long.
        (b"PZ", 15, 1 << 63),
    ],
)
def test_parameters_that_zisofs_does_not_have_show_what_is_stored(
    algorithm: bytes, shift: int, size: int
) -> None:
    content = SingleExtent(3, 4)
    assert zisofs_content(content, algorithm, 16, shift, size) is content


def test_a_stored_file_in_several_runs() -> None:
    image = version_1(DATA)
    parts: list[Content] = [SingleExtent(100, 5000), SingleExtent(9000, len(image) - 5000)]
    disc = bytes(100) + image[:5000] + bytes(3900) + image[5000:]
    content = zisofs_content(Concatenation(parts), b"pz", 16, SHIFT, len(DATA))
    assert content.read(BlockCache(MemorySource(disc)), 0, len(DATA)) == DATA


def test_a_record_that_claims_less_than_is_stored() -> None:
    """bsdtar's do; Linux reads on."""
    image = version_1(DATA)
    content = zisofs_content(SingleExtent(0, 100), b"pz", 16, SHIFT, len(DATA))
    assert content.read(BlockCache(MemorySource(image)), 0, len(DATA)) == DATA


def test_records_that_share_an_extent_do_not_share_blocks() -> None:
    """With another size or block size the same bytes are another file."""
    blocks = BlockCache(MemorySource(version_1(DATA)))
    extent = SingleExtent(0, blocks.size)
    short = zisofs_content(extent, b"pz", 16, SHIFT, 100)
    assert short.read(blocks, 0, 100) == DATA[:100]
    whole = zisofs_content(extent, b"pz", 16, SHIFT, len(DATA))
    assert whole.read(blocks, 0, len(DATA)) == DATA
    other = zisofs_content(extent, b"pz", 16, 17, len(DATA))
    with pytest.raises(DamagedDataError):
        other.read(blocks, 0, len(DATA))


@given(
    st.binary(max_size=300),
    st.sampled_from([b"pz", b"PZ"]),
    st.integers(0, 1 << 62),
    st.integers(0, 1 << 62),
    st.booleans(),
)
def test_any_stored_bytes_are_data_or_damage(
    image: bytes, algorithm: bytes, size: int, offset: int, magic: bool
) -> None:
    if magic:
        image = (MAGIC_2 + image).ljust(300, b"\0")
    opened = Opened(image, size, algorithm)
    with suppress(DamagedDataError):
        assert len(opened.read(offset, 70_000)) <= max(0, min(70_000, size - offset))


@given(
    st.sampled_from(list(ENCODERS)),
    st.integers(0, 5000),
    st.integers(1, 255),
)
def test_any_damage_is_data_or_damage(codec: int, at: int, flip: int) -> None:
    image = bytearray(version_2(text(BLOCK + 10), codec))
    image[at % len(image)] ^= flip
    opened = Opened(bytes(image), BLOCK + 10, ENCODERS[codec][0])
    with suppress(DamagedDataError):
        assert len(opened.read(0, 2 * BLOCK)) <= BLOCK + 10
