"""The bytes of files: sections, interleaving, extended attribute records, cut images."""

import os
from pathlib import Path

import pytest

import isomount
from isomount.errors import DamagedDataError, StaleNodeError
from isomount.formats.iso9660.content import Interleaved
from tests.formats.iso_builder import (
    DIRECTORY,
    MULTI_EXTENT,
    SECTOR,
    IsoImage,
    directory_record,
    nm,
    opened,
    px,
    record,
)


def numbered(sectors: int) -> bytes:
    """Sectors that tell which they are."""
    return b"".join(b"%08d" % number * 256 for number in range(sectors))


DATA = numbered(100)


def image(*records: bytes, block_size: int = SECTOR) -> IsoImage:
    """Those files, and from block 50 on bytes that tell where they are."""
    made = IsoImage(block_size)
    made.root(*records)
    made.put(50, DATA)
    return made


def section(extent: int, size: int, last: bool = False) -> bytes:
    return record(b"M.BIN;1", extent, size, flags=0 if last else MULTI_EXTENT)


def test_one_section() -> None:
    assert image(record(b"M.BIN;1", 52, 3000)).open().read("m.bin") == DATA[2 * SECTOR :][:3000]


@pytest.mark.parametrize(
    "sections",
    [
        [(50, 2 * SECTOR), (52, SECTOR)],
        [(50, SECTOR), (60, SECTOR), (55, 100)],
        # Sections that are no multiple of a block join byte for byte.
        [(50, 1000), (60, 1), (55, 3000)],
        [(50, 0), (60, 10)],
        [(50 + n, 7 * n % SECTOR) for n in range(50)] * 3,
    ],
)
def test_sections_join_byte_for_byte(sections: list[tuple[int, int]]) -> None:
    records = [section(*each, last=n == len(sections) - 1) for n, each in enumerate(sections)]
    result = image(record(b"BEFORE;1"), *records, record(b"Z;1")).open()
    assert result.names() == ["before", "m.bin", "z"]
    expected = b"".join(DATA[(start - 50) * SECTOR :][:size] for start, size in sections)
    assert result.read("m.bin") == expected
    node = result.volume.lookup("m.bin")
    assert node.size == len(expected)
    assert result.volume.node(node.ino).size == node.size
    for offset in range(0, len(expected), max(1, len(expected) // 50)):
        assert result.volume.read(node, offset, 3000) == expected[offset : offset + 3000]


def test_the_first_sections_attributes_and_the_last_ones_name_count() -> None:
    made = IsoImage()
    made.rock_ridge(
        record(b"M;1", 50, 5, flags=MULTI_EXTENT, use=nm(b"first") + px(0o100600)),
        record(b"M;1", 51, 5, use=nm(b"last") + px(0o100644)),
    )
    opened_image = made.open()
    assert opened_image.names() == ["last"]
    assert opened_image.volume.lookup("last").mode == 0o100600


def test_a_file_whose_last_section_is_missing_is_left_out() -> None:
    result = image(section(50, 10), record(b"Z;1", 50, 5)).open()
    assert result.names() == ["z"]
    result = image(record(b"A;1"), section(50, 10)).open()
    assert result.names() == ["a"]
    assert result.damage.count == 1


def test_a_lost_last_section_does_not_take_the_next_files() -> None:
    """Whoever asks for the number of such a file is not given another one."""
    result = image(section(50, 10), record(b"Z;1", 50, 5)).open()
    first = result.volume.lookup("z").ino - len(section(50, 10))
    with pytest.raises(StaleNodeError):
        result.volume.node(first)


def test_a_directory_has_one_section_whatever_its_flag_says() -> None:
    made = image(record(b"D", 40, SECTOR, flags=DIRECTORY | MULTI_EXTENT), record(b"Z;1"))
    made.directory(40, record(b"IN;1"))
    assert made.open().names() == ["d", "d/in", "z"]


def test_more_than_4_gib_in_sections(tmp_path: Path) -> None:
    """A sparse image with a file of 9 GB; its bytes are right on both sides of every border."""
    size = 0xFFFFF800
    blocks = size // SECTOR
    made = IsoImage()
    made.root(section(100, size), section(100 + blocks, size), section(100 + 2 * blocks, 9, True))
    path = made.write(tmp_path / "large.iso")
    marks = {0: b"begin", size - 4: b"first+second", 2 * size - 3: b"end123456"}
    with path.open("r+b") as file:
        os.truncate(file.fileno(), 100 * SECTOR + 2 * size + 9)
        for offset, mark in marks.items():
            os.pwrite(file.fileno(), mark, 100 * SECTOR + offset)
    with isomount.open(path) as disc:
        node = disc.volume.lookup("m.bin")
        assert node.size == 2 * size + 9
        for offset, mark in marks.items():
            assert disc.volume.read(node, offset, len(mark)) == mark
        assert disc.volume.read(node, 2 * size + 8) == b"\0"


def test_cruft_masks_the_top_byte_of_sizes() -> None:
    made = image(record(b"A;1", 50, 0x05000010), directory_record(b"D", 40))
    made.directory(40)
    assert made.open(cruft=True).volume.lookup("a").size == 0x10
    assert made.open().volume.lookup("a").size == 0x05000010
    assert made.open(cruft=True).volume.lookup("d").size == SECTOR


# ---------------------------------------------------------------- interleaved files


@pytest.mark.parametrize(("unit", "gap"), [(1, 1), (2, 1), (1, 3), (3, 2)])
@pytest.mark.parametrize("size", [0, 1, SECTOR, 3 * SECTOR, 5 * SECTOR + 7])
def test_interleaved_files(unit: int, gap: int, size: int) -> None:
    result = image(record(b"I;1", 50, size, unit=unit, gap=gap)).open()
    parts = [DATA[at * SECTOR :][: unit * SECTOR] for at in range(0, 100, unit + gap)]
    expected = b"".join(parts)[:size]
    assert result.read("i") == expected
    node = result.volume.lookup("i")
    assert isinstance(node.content, Interleaved)
    assert node.content.end == (
        50 * SECTOR + size + max(0, size - 1) // (unit * SECTOR) * gap * SECTOR
    )
    for offset in range(0, size, 999):
        assert result.volume.read(node, offset, 2500) == expected[offset : offset + 2500]


def test_a_unit_without_a_gap_means_nothing() -> None:
    assert image(record(b"I;1", 50, 5000, unit=1)).open().read("i") == DATA[:5000]


def test_interleaved_sections_join() -> None:
    first = record(b"I;1", 50, SECTOR + 1, unit=1, gap=1, flags=MULTI_EXTENT)
    result = image(first, record(b"I;1", 60, 5)).open()
    expected = DATA[:SECTOR] + DATA[2 * SECTOR :][:1] + DATA[10 * SECTOR :][:5]
    assert result.read("i") == expected


def test_an_interleaved_file_that_is_cut_off() -> None:
    data = image(record(b"I;1", 50, 4 * SECTOR, unit=1, gap=1)).data()
    result = opened(data[: 54 * SECTOR + 10])
    node = result.volume.lookup("i")
    assert node.content is not None
    expected = DATA[:SECTOR] + DATA[2 * SECTOR : 3 * SECTOR] + DATA[4 * SECTOR :][:10]
    assert node.content.read(result.blocks, 0, 4 * SECTOR) == expected
    with pytest.raises(DamagedDataError):
        node.content.read(result.blocks, 3 * SECTOR, 1)


# ---------------------------------------------------------------- extended attribute records


def test_data_begin_after_the_extended_attribute_record() -> None:
    result = image(record(b"X;1", 50, 10, xar=2)).open()
    assert result.read("x") == DATA[2 * SECTOR :][:10]


def test_an_interleaved_file_has_that_record_in_a_unit_of_its_own() -> None:
    result = image(record(b"X;1", 50, SECTOR + 9, xar=1, unit=2, gap=3)).open()
    assert result.read("x") == DATA[5 * SECTOR :][: SECTOR + 9]


def test_a_directory_may_have_one_too() -> None:
    made = image(record(b"D", 40, SECTOR, flags=DIRECTORY, xar=1))
    made.directory(41, record(b"IN;1"))
    result = made.open()
    assert result.names() == ["d", "d/in"]
    node = result.volume.lookup("d")
    assert result.volume.node(node.ino) == node
    assert result.volume.parent(node.ino) == result.volume.root


def test_permissions_in_it_are_not_looked_at() -> None:
    made = image(record(b"X;1", 50, 10, xar=1))
    made.put(50, bytes(10) + b"\xff\xff" + bytes(2036))
    assert made.open().volume.lookup("x").mode == 0o100555


# ---------------------------------------------------------------- cut images


def test_a_cut_file_reads_up_to_the_cut() -> None:
    data = image(record(b"A;1", 50, 3 * SECTOR)).data()
    result = opened(data[: 51 * SECTOR + 700])
    node = result.volume.lookup("a")
    assert node.size == 3 * SECTOR
    assert node.content is not None
    assert node.content.read(result.blocks, 0, 1 << 20) == DATA[: SECTOR + 700]
    for offset in (SECTOR + 700, 2 * SECTOR, 3 * SECTOR - 1):
        with pytest.raises(DamagedDataError):
            node.content.read(result.blocks, offset, 1)
    with pytest.raises(DamagedDataError):
        result.volume.read(node)


def test_the_last_bytes_of_an_image_are_read() -> None:
    data = image(record(b"A;1", 50, 700)).data()[: 50 * SECTOR + 700]
    assert opened(data).read("a") == DATA[:700]


@pytest.mark.parametrize("extent", [0, 99, 5000, 0xFFFFFFFF])
def test_an_empty_file_may_be_anywhere(extent: int) -> None:
    result = image(record(b"E;1", extent, 0)).open()
    assert result.read("e") == b""
    assert result.volume.lookup("e").size == 0


def test_a_file_past_the_end_is_listed_and_damage_to_read() -> None:
    result = image(record(b"A;1", 0xFFFFFFFF, 0xFFFFFFFF)).open()
    node = result.volume.lookup("a")
    assert node.size == 0xFFFFFFFF
    with pytest.raises(DamagedDataError):
        result.volume.read(node, 0, 1)


def test_a_cut_directory_shows_what_is_left_of_it() -> None:
    made = IsoImage()
    made.root(directory_record(b"D", 200, 3 * SECTOR))
    made.directory(200, *(record(b"F%03d;1" % number) for number in range(100)))
    whole = made.open()
    cut = opened(made.data()[: 201 * SECTOR])
    assert len(whole.names()) == 101
    assert 40 < len(cut.names()) < 60
    assert cut.names() == whole.names()[: len(cut.names())]
    assert cut.damage.count >= 1


# ---------------------------------------------------------------- directories that disagree


def test_the_larger_size_of_a_directory_counts() -> None:
    """Its own record and the one above may differ; entries are shown while they make sense."""
    made = IsoImage()
    size = made.directory(40, *(record(b"F%03d;1" % number) for number in range(100)))
    assert size == 2 * SECTOR
    data = bytearray(made.parts[40 * SECTOR])
    made.root(directory_record(b"D", 40, SECTOR))
    assert len(made.open().names()) == 101
    data[10:14] = SECTOR.to_bytes(4, "little")
    made.put(40, bytes(data))
    made.root(directory_record(b"D", 40, size))
    made.descriptors = made.descriptors[:1]
    result = made.open()
    assert len(result.names()) == 101
    node = result.volume.lookup("d")
    assert node.size == SECTOR
    assert result.volume.node(node.ino) == node


def test_a_directory_without_a_record_of_its_own_stays_one() -> None:
    made = IsoImage()
    made.root(directory_record(b"D", 40))
    made.put(40, record(b"F;1", 50, 4).ljust(SECTOR, b"\0"))
    result = made.open()
    assert result.names() == ["d", "d/f"]
    node = result.volume.lookup("d")
    assert node.is_directory
    assert result.volume.node(node.ino) == node
