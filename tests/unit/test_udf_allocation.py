"""Allocation descriptors over an image in memory, against a model of one byte at a time."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import Coded
from isomount.damage import Damage
from isomount.errors import DamagedDataError
from isomount.formats.udf.allocation import EXTENDED, LONG, SHORT, Allocation
from isomount.formats.udf.space import PhysicalPartition, Space, SparablePartition
from tests.formats.udf_builder import extended_ad, long_ad, short_ad, tagged

BLOCK = 512


class Memory:
    """A reader of bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.reads = 0

    def read(self, offset: int, length: int) -> bytes:
        assert offset >= 0
        assert length >= 0
        self.reads += 1
        return self.data[offset : offset + length]

    def decoded(self, coded: Coded, offset: int, length: int) -> bytes:
        raise NotImplementedError


def space(start: int = 0) -> Space:
    result = Space(BLOCK, Damage())
    result.partitions.append(PhysicalPartition(BLOCK, start))
    return result


def blocks(count: int) -> bytearray:
    """Blocks that differ from each other and within."""
    return bytearray(
        b"".join(struct.pack("<HH", number, at) for number in range(count) for at in range(128))
    )


def content(image: bytearray, descriptors: bytes, size: int, kind: int = SHORT) -> Allocation:
    """A file whose descriptors stand at the end of the image."""
    offset = len(image)
    image += descriptors
    return Allocation(space(), 0, kind, size, offset, len(descriptors))


extents = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 3 * BLOCK), st.integers(0, 28)), max_size=12
)


@given(extents, st.integers(0, 9 * BLOCK), st.sampled_from([SHORT, LONG, EXTENDED]), st.data())
def test_reads_as_the_descriptors_say(
    pieces: list[tuple[int, int, int]], size: int, kind: int, data: st.DataObject
) -> None:
    image = blocks(32)
    writers: dict[int, Callable[..., bytes]] = {
        SHORT: short_ad,
        LONG: long_ad,
        EXTENDED: extended_ad,
    }
    write = writers[kind]
    model = b""
    descriptors = b""
    for recorded, length, block in pieces:
        rounded = -(-length // BLOCK) * BLOCK
        run = bytes(image[block * BLOCK : block * BLOCK + rounded])
        model += run if recorded == 0 else bytes(rounded)
        descriptors += write(length, block, kind=recorded)
    model = model[:size].ljust(size, b"\0")
    file = content(image, descriptors, size, kind)
    reader = Memory(bytes(image))
    offset = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size))
    assert file.read(reader, offset, length) == model[offset : offset + length]
    assert file.read(reader, 0, size) == model


def chain(image: bytearray, links: int, first: int) -> bytes:
    """One block of data a link; link ``n`` lies in block ``first`` + ``n``; the first one's."""
    for number in range(links):
        body = short_ad(BLOCK, number % 20)
        if number + 1 < links:
            body += short_ad(BLOCK, first + number + 1, kind=3)
        block = tagged(258, 0, struct.pack("<II", 0, len(body)) + body)
        start = (first + number) * BLOCK
        image[start : start + len(block)] = block
    return short_ad(BLOCK, first, kind=3)


def test_a_long_chain_is_read_from_any_place_and_remembered_sparsely() -> None:
    links = 5000
    image = blocks(20) + bytearray(links * BLOCK)
    head = chain(image, links, 20)
    file = content(image, head, links * BLOCK)
    reader = Memory(bytes(image))
    for number in (links - 1, 0, 2500, 4999, 1):
        block = number % 20 * BLOCK
        assert file.read(reader, number * BLOCK, BLOCK) == image[block : block + BLOCK]
    assert len(file._links) <= 1024
    before = reader.reads
    file.read(reader, (links - 1) * BLOCK, BLOCK)
    file.read(reader, 0, BLOCK)
    assert reader.reads - before < 100


def test_a_chain_in_a_circle_ends() -> None:
    image = blocks(8)
    for block, following in ((5, 6), (6, 7), (7, 5)):
        body = short_ad(BLOCK, following, kind=3)
        descriptor = tagged(258, 0, struct.pack("<II", 0, len(body)) + body)
        image[block * BLOCK : block * BLOCK + len(descriptor)] = descriptor
    file = content(image, short_ad(BLOCK, 0) + short_ad(BLOCK, 5, kind=3), 1 << 50)
    reader = Memory(bytes(image))
    assert file.read(reader, 0, 2 * BLOCK) == image[:BLOCK]
    with pytest.raises(DamagedDataError, match="circle"):
        file.read(reader, 1 << 49, 10)


def test_a_chain_in_a_circle_that_claims_data_ends_far_out_as_well() -> None:
    image = blocks(8)
    body = short_ad(BLOCK, 1) + short_ad(BLOCK, 5, kind=3)
    descriptor = tagged(258, 0, struct.pack("<II", 0, len(body)) + body)
    image[5 * BLOCK : 5 * BLOCK + len(descriptor)] = descriptor
    file = content(image, short_ad(BLOCK, 5, kind=3), 1 << 60)
    with pytest.raises(DamagedDataError, match="circle"):
        file.read(Memory(bytes(image)), 1 << 59, 10)


def test_a_link_that_is_no_allocation_extent_is_damage() -> None:
    image = blocks(8)
    file = content(image, short_ad(BLOCK, 0) + short_ad(BLOCK, 5, kind=3), 4 * BLOCK)
    reader = Memory(bytes(image))
    assert file.read(reader, 0, 4 * BLOCK) == image[:BLOCK]
    with pytest.raises(DamagedDataError):
        file.read(reader, BLOCK, BLOCK)


def test_data_past_the_end_of_the_image_is_damage() -> None:
    image = blocks(4)
    file = content(image, short_ad(BLOCK, 3) + short_ad(BLOCK, 99), 2 * BLOCK)
    reader = Memory(bytes(image))
    assert file.read(reader, 0, 2 * BLOCK) == image[3 * BLOCK : 4 * BLOCK]
    with pytest.raises(DamagedDataError):
        file.read(reader, BLOCK, 1)


def test_an_unknown_partition_is_damage() -> None:
    image = blocks(4)
    file = content(image, long_ad(BLOCK, 0, partition=7), BLOCK, LONG)
    with pytest.raises(DamagedDataError):
        file.read(Memory(bytes(image)), 0, 1)


@given(st.binary(max_size=256), st.integers(0, 1 << 62), st.integers(0, (1 << 62) + 100))
def test_any_descriptors_are_read_or_damage(descriptors: bytes, size: int, offset: int) -> None:
    for kind in (SHORT, LONG, EXTENDED):
        image = blocks(8)
        file = content(image, descriptors, size, kind)
        try:
            data = file.read(Memory(bytes(image)), offset, 4096)
        except DamagedDataError:
            continue
        assert len(data) <= 4096


@given(st.dictionaries(st.integers(0, 9).map(lambda n: n * 4), st.integers(50, 60)))
def test_a_sparable_partition_replaces_whole_packets(replaced: dict[int, int]) -> None:
    image = blocks(100)
    reader = Memory(bytes(image))
    sparable = Space(BLOCK, Damage())
    sparable.partitions.append(SparablePartition(BLOCK, 2, 4, replaced))
    file = Allocation(sparable, 0, SHORT, 40 * BLOCK, len(image), 8)
    reader = Memory(bytes(image) + short_ad(40 * BLOCK, 0))
    expected = b""
    for block in range(40):
        packet = block // 4 * 4
        place = replaced[packet] + block % 4 if packet in replaced else 2 + block
        expected += image[place * BLOCK : place * BLOCK + BLOCK]
    assert file.read(reader, 0, 40 * BLOCK) == expected
