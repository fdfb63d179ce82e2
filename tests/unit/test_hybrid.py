"""Partition tables of hybrid images, parsed from bytes."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.disc.partitions import Table, read_partitions
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


def gpt(*entries: tuple[str, int, int, str], size: int = 512) -> bytes:
    header = bytearray(92)
    header[:8] = b"EFI PART"
    header[72:80] = (2).to_bytes(8, "little")
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


@given(st.sampled_from((512, 2048)), numbers, st.integers(0, 1 << 40))
def test_gpt(size: int, first: int, more: int) -> None:
    image = bytes(size) + gpt(
        (_EFI, first, first + more, "Boot ü"), (_EFI, 9, 8, "none"), size=size
    )
    (found,) = read_partitions(Bytes(image))
    assert found.table is Table.GPT
    assert (found.number, found.type_id, found.kind) == (1, _EFI, "EFI system")
    assert (found.name, found.start, found.length) == ("Boot ü", first * size, (more + 1) * size)


@given(st.sampled_from((512, 2048)), numbers, numbers)
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
        assert len(read_partitions(Bytes(image))) <= 4 + 2 * 128


def test_boot_code_is_no_table() -> None:
    assert read_partitions(Bytes(b"\xe9" * 510 + b"\x55\xaa")) == []
    assert read_partitions(Bytes(bytes(32768))) == []
