"""Partition tables of hybrid images, parsed from bytes."""

import uuid
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.errors import UsageError
from isomount.formats.disc.partitions import Table, candidates, numbered, read_partitions
from tests.unit.test_eltorito import Bytes

_EFI = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"


def mbr(*entries: tuple[int, int, int, int]) -> bytes:
    """A sector with (status, type, first sector, sectors) each."""
    table = b"".join(
        bytes([status, 0, 0, 0, kind, 0, 0, 0])
        + start.to_bytes(4, "little")
        + length.to_bytes(4, "little")
        for status, kind, start, length in entries
    )
    return bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"


def gpt(*entries: tuple[str, int, int, str], size: int = 512, table_at: int = 2) -> bytes:
    """A header with its checksum, and behind it the entries."""
    header = bytearray(92)
    header[:8] = b"EFI PART"
    header[12:16] = (92).to_bytes(4, "little")
    header[72:80] = table_at.to_bytes(8, "little")
    header[80:84] = len(entries).to_bytes(4, "little")
    header[84:88] = (128).to_bytes(4, "little")
    table = b"".join(
        (
            uuid.UUID(kind).bytes_le
            + uuid.uuid4().bytes
            + first.to_bytes(8, "little")
            + last.to_bytes(8, "little")
            + bytes(8)
            + name.encode("utf-16-le")
        ).ljust(128, b"\0")
        for kind, first, last, name in entries
    )
    header[16:20] = zlib.crc32(header).to_bytes(4, "little")
    return bytes(header).ljust(size, b"\0") + table


def apple(*entries: tuple[str, str, int, int], size: int = 512) -> bytes:
    blocks = [
        (
            b"PM\0\0"
            + len(entries).to_bytes(4, "big")
            + start.to_bytes(4, "big")
            + length.to_bytes(4, "big")
            + name.encode().ljust(32, b"\0")
            + kind.encode().ljust(32, b"\0")
        ).ljust(size, b"\0")
        for name, kind, start, length in entries
    ]
    return bytes(size) + b"".join(blocks)


numbers = st.integers(0, 0xFFFFFFFF)


@given(
    st.lists(
        st.tuples(st.sampled_from((0, 0x80)), st.integers(0, 255), numbers, numbers), max_size=4
    )
)
def test_mbr(entries: list[tuple[int, int, int, int]]) -> None:
    found = read_partitions(Bytes(mbr(*entries)))
    assert [(each.active, int(each.type_id, 16), each.start, each.length) for each in found] == [
        (status == 0x80, kind, start * 512, length * 512)
        for status, kind, start, length in entries
        if length
    ]


@given(st.sampled_from((512, 2048, 4096)), numbers, st.integers(0, 1 << 40))
def test_gpt(size: int, first: int, more: int) -> None:
    image = bytes(size) + gpt(
        (_EFI, first, first + more, "Boot ü"), (_EFI, 9, 8, "none"), size=size
    )
    (found,) = read_partitions(Bytes(image))
    assert found.table is Table.GPT
    assert (found.number, found.type_id, found.kind) == (1, _EFI, "EFI system")
    assert (found.name, found.start, found.length) == ("Boot ü", first * size, (more + 1) * size)


@given(st.sampled_from((512, 2048, 4096)), numbers, numbers)
def test_apple(size: int, start: int, length: int) -> None:
    image = apple(
        ("Apple", "Apple_partition_map", 1, 2), ("disc", "Apple_HFS", start, length), size=size
    )
    found = read_partitions(Bytes(image))
    assert [(each.number, each.name, each.type_id) for each in found] == [
        (1, "Apple", "Apple_partition_map"),
        (2, "disc", "Apple_HFS"),
    ]
    assert (found[1].start, found[1].length) == (start * size, length * size)


@given(st.binary(max_size=8192))
def test_anything_is_parsed(data: bytes) -> None:
    for image in (data, bytes(510) + b"\x55\xaaEFI PART" + data, bytes(512) + b"PM" + data):
        found = read_partitions(Bytes(image))
        assert len(found) <= 4 + 4 * 128 + 2 * 128
        assert all(0 < each.start < len(image) for each in candidates(Bytes(image)))


def test_boot_code_is_no_table() -> None:
    assert read_partitions(Bytes(b"\xe9" * 510 + b"\x55\xaa")) == []
    assert read_partitions(Bytes(bytes(32768))) == []


def chain_of(*sectors: tuple[int, bytes], size: int = 1 << 20) -> Bytes:
    """An image with an MBR, and its like, in the sectors of these numbers."""
    image = bytearray(size)
    for number, sector in sectors:
        image[number * 512 : number * 512 + 512] = sector
    return Bytes(bytes(image))


def test_logical_partitions_count_from_their_own_table() -> None:
    image = chain_of(
        (0, mbr((0, 0x83, 10, 5), (0, 0x0F, 100, 900))),
        (100, mbr((0, 0x07, 8, 20), (0, 0x05, 50, 100))),
        (150, mbr((0, 0x83, 4, 30))),
    )
    found = [(each.number, each.start // 512) for each in candidates(image)]
    assert found[:3] == [(1, 10), (5, 108), (6, 154)]
    assert [each.number for each in read_partitions(image)] == [1, 2, 5, 6]


def test_a_chain_of_logical_partitions_that_runs_in_a_circle_ends() -> None:
    circle = mbr((0, 0x83, 1, 1), (0, 0x05, 0, 9))
    found = read_partitions(chain_of((0, mbr((0, 0x05, 100, 9))), (100, circle)))
    assert [each.number for each in found] == [1, 5]
    # As long a chain as there is room for, each sector leading to the next one.
    links = [(100 + n, mbr((0, 0x83, 1, 1), (0, 0x05, n + 1, 9))) for n in range(1000)]
    found = read_partitions(chain_of((0, mbr((0, 0x05, 100, 9))), *links))
    assert len(found) == 1 + 128


def test_a_reserve_gpt_is_read_where_the_main_one_is_damaged() -> None:
    for size in (512, 2048, 4096):
        main = bytes(size) + gpt((_EFI, 5, 6, "main"), size=size)
        blocks = -(-len(main) // size) + 3
        reserve = gpt((_EFI, 7, 8, "reserve"), size=size, table_at=blocks)[: 2 * size]
        table, header = reserve[size:].ljust(size, b"\0"), reserve[:size]
        image = main.ljust(blocks * size, b"\0") + table + header
        assert [each.name for each in read_partitions(Bytes(image))] == ["main"]
        wrong = image[: size + 60] + b"\xff" + image[size + 61 :]
        assert [each.name for each in read_partitions(Bytes(wrong))] == ["reserve"]
        neither = wrong[:-size] + bytes(size)
        assert [each.name for each in read_partitions(Bytes(neither))] == ["main"]


def test_which_partition_a_number_means() -> None:
    # A GPT with the MBR that protects it: the same number in both, and the table's is the GPT's.
    image = mbr((0, 0xEE, 1, 999), (0, 0x83, 3, 1)) + gpt((_EFI, 5, 6, "x"))
    image = image.ljust(8192, b"\0")
    assert [(each.table, each.start) for each in numbered(Bytes(image), 1)] == [(Table.GPT, 2560)]
    # The MBR's second one is at 3 blocks of 512 bytes, or 2048: with 4096 it is behind the end.
    assert [each.start for each in numbered(Bytes(image), 2)] == [1536, 6144]
    with pytest.raises(UsageError, match="partition=3: there is none of that number, but GPT 1"):
        numbered(Bytes(image), 3)
    with pytest.raises(UsageError, match="begins at byte 2560, and the image ends at byte 2048"):
        numbered(Bytes(image[:2048]), 1)
    with pytest.raises(UsageError, match="no partition table"):
        numbered(Bytes(bytes(4096)), 1)
