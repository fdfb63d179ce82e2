"""Where an image says the same thing twice and differently: which one counts, and that it is noted.

The table in docs/choosing.md has a line for each.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

import isomount
from isomount.errors import DamagedImageError
from tests.conftest import MakeImage
from tests.corpus import CASES, needs_cases
from tests.formats.iso_builder import (
    ROOT,
    ROOT_USE,
    SECTOR,
    IsoImage,
    Opened,
    both32,
    directory_record,
    field,
    nm,
    opened,
    px,
    record,
)
from tests.formats.udf_builder import Builder, tagged

DESCRIPTOR = 16 * SECTOR
SPACE_SIZE, BLOCK_SIZE, PATH_TABLE_L, PATH_TABLE_M, ROOT_RECORD = 80, 128, 140, 148, 156
BEYOND = 0x00FFFFFF


def noted(found: Opened, words: str) -> list[int]:
    """The image bytes of the findings that have ``words`` in them."""
    return [offset for offset, what in found.damage.findings if words in what]


def halves(little: int, big: int) -> bytes:
    """A number whose two byte orders say different things."""
    return struct.pack("<I", little) + struct.pack(">I", big)


# ---------------------------------------------------------------- byte orders


def with_numbers(extent: bytes, size: bytes, *, use: bytes = b"") -> IsoImage:
    """A file ``a`` of five bytes at block 30, with those numbers in its record."""
    made = IsoImage()
    made.put(30, b"hello")
    name = b"A.;1"
    one = record(name, 30, 5, use=use)
    assert one[2:18] == both32(30) + both32(5)
    other = record(b"B.;1", 30, 5, use=use)
    made.root(one[:2] + extent + size + one[18:], other, use=ROOT_USE if use else b"")
    return made


NUMBERS: list[tuple[bytes, bytes]] = [
    (both32(30), halves(0, 5)),
    (both32(30), halves(5, 0)),
    (both32(30), halves(BEYOND, 5)),
    (both32(30), halves(5, BEYOND)),
    (both32(30), halves(5, 4)),
    (halves(0, 30), both32(5)),
    (halves(30, 0), both32(5)),
    (halves(BEYOND, 30), both32(5)),
    (halves(30, BEYOND), both32(5)),
    (halves(30, 31), both32(5)),
    (halves(0, 30), halves(0, 5)),
]


@pytest.mark.parametrize(("extent", "size"), NUMBERS)
@pytest.mark.parametrize("use", [b"", nm(b"a") + px(0o100644)], ids=["plain", "Rock Ridge"])
def test_of_a_records_byte_orders_the_possible_one_counts(
    extent: bytes, size: bytes, use: bytes
) -> None:
    found = with_numbers(extent, size, use=use).open()
    name = found.names()[0]
    assert found.read(name) == b"hello"
    assert len(noted(found, "byte orders of a directory record")) == 1


def test_records_that_agree_are_no_damage() -> None:
    found = with_numbers(both32(30), both32(5)).open()
    assert found.read("a") == b"hello"
    assert found.damage.count == 0


def test_a_directory_whose_place_only_one_byte_order_knows() -> None:
    made = IsoImage()
    made.put(30, b"hello")
    made.directory(40, record(b"A;1", 30, 5))
    sub = directory_record(b"SUB", 40)
    made.root(sub[:2] + halves(0, 40) + halves(0, SECTOR) + sub[18:])
    found = made.open()
    assert found.names() == ["sub", "sub/a"]
    assert found.read("sub/a") == b"hello"


@pytest.mark.parametrize(
    ("at", "data", "what"),
    [
        (BLOCK_SIZE, b"\0\0\x08\0", "logical block size"),
        (BLOCK_SIZE, b"\0\x08\0\0", "logical block size"),
        (SPACE_SIZE, halves(0, 100), "volume space size"),
        (SPACE_SIZE, halves(100, 7), "volume space size"),
        (ROOT_RECORD + 2, halves(0, ROOT), "root directory's record"),
        (ROOT_RECORD + 2, halves(ROOT, 0), "root directory's record"),
        (ROOT_RECORD + 2, halves(BEYOND, ROOT), "root directory's record"),
    ],
)
def test_of_a_descriptors_byte_orders_the_possible_one_counts(
    at: int, data: bytes, what: str
) -> None:
    made = IsoImage()
    made.root(record(b"A;1", 30, 5))
    image = bytearray(made.data())
    image[DESCRIPTOR + at : DESCRIPTOR + at + len(data)] = data
    found = opened(bytes(image))
    assert found.names() == ["a"]
    assert found.view.statfs().blocks == 100
    assert noted(found, f"byte orders of the {what}") == [DESCRIPTOR]


def test_of_rock_ridges_byte_orders_the_possible_one_counts() -> None:
    twin = struct.pack(">IIII", 0o100750, 1, 7, 8)
    mode_lost = b"".join(bytes(4) + twin[at : at + 4] for at in range(0, 16, 4))
    moved = px(0o40755, 2)
    made = IsoImage()
    made.directory(40, record(b"IN;1", use=nm(b"in") + px(0o100644)), use=moved)
    made.rock_ridge(
        record(b"A;1", 30, 5, use=nm(b"a") + field(b"PX", mode_lost)),
        record(b"D", use=nm(b"d") + moved + field(b"CL", halves(0, 40))),
        record(b"L", use=px(0o120777) + field(b"CE", halves(0, 50) + both32(0) + both32(6))),
    )
    made.put(50, nm(b"l"))
    found = made.open()
    tree = found.tree()
    assert (tree["a"].mode, tree["a"].uid, tree["a"].gid) == (0o100750, 7, 8)
    assert "d/in" in tree
    assert "l" in tree
    assert noted(found, "continuation field disagree")


@needs_cases
def test_a_record_of_a_bug_report() -> None:
    with isomount.open(CASES / "rec_le0.iso") as disc:
        assert disc.volume.read(disc.volume.lookup("a.txt")) == b"hello"


# ---------------------------------------------------------------- descriptor and path table


def broken_root(data: bytes, extent: int, kinds: tuple[int, ...] = (1, 2)) -> bytes:
    """The image with that extent in the root records of its descriptors."""
    image = bytearray(data)
    for sector in (16, 17):
        at = sector * SECTOR
        if image[at] in kinds:
            image[at + ROOT_RECORD + 2 : at + ROOT_RECORD + 10] = both32(extent)
    return bytes(image)


def subdirectory(data: bytes, sector: int = 16) -> int:
    """The block of the first directory below the root."""
    at = sector * SECTOR + PATH_TABLE_L
    table = int.from_bytes(data[at : at + 4], "little") * SECTOR
    return int.from_bytes(data[table + 10 + 2 : table + 10 + 6], "little")


@pytest.mark.parametrize("options", [(), ("-R",), ("-J",), ("-R", "-J")], ids=str)
@pytest.mark.parametrize("wrong", ["zero", "beyond", "subdirectory", "file"])
def test_a_wrong_root_record_gives_way_to_the_path_table(
    wrong: str, options: tuple[str, ...], make_image: MakeImage
) -> None:
    image = make_image({"a.txt": b"text" * 2000, "sub/b": b"b", "sub/deep/c": b"c"}, *options)
    data = image.read_bytes()
    extents: dict[str, Callable[[], int]] = {
        "zero": lambda: 0,
        "beyond": lambda: 500_000,
        "subdirectory": lambda: subdirectory(data),
        "file": lambda: data.index(b"texttext") // SECTOR,
    }
    found = opened(broken_root(data, extents[wrong]()))
    assert sorted(found.names()) == ["a.txt", "sub", "sub/b", "sub/deep", "sub/deep/c"]
    assert found.read("a.txt") == b"text" * 2000
    assert DESCRIPTOR in noted(found, "the path table leads to byte")


def test_type_m_leads_to_the_root_where_type_l_is_lost(make_image: MakeImage) -> None:
    image = bytearray(broken_root(make_image({"a": b"a"}).read_bytes(), 0))
    image[DESCRIPTOR + PATH_TABLE_L : DESCRIPTOR + PATH_TABLE_L + 4] = both32(0)[:4]
    assert opened(bytes(image)).names() == ["a"]
    image[DESCRIPTOR + PATH_TABLE_M : DESCRIPTOR + PATH_TABLE_M + 4] = both32(BEYOND)[4:]
    with pytest.raises(DamagedImageError):
        opened(bytes(image))


def test_a_path_table_that_is_wrong_changes_nothing(make_image: MakeImage) -> None:
    image = bytearray(make_image({"a": b"a", "sub/b": b"b"}).read_bytes())
    at = DESCRIPTOR + PATH_TABLE_L
    table = int.from_bytes(image[at : at + 4], "little") * SECTOR
    image[table + 2 : table + 6] = struct.pack("<I", subdirectory(bytes(image)))
    found = opened(bytes(image))
    assert found.names() == ["a", "sub", "sub/b"]
    assert found.damage.count == 0


@needs_cases
@pytest.mark.parametrize("name", ["root_zero.iso", "root_beyond.iso", "root_subdir.iso"])
def test_roots_of_bug_reports(name: str) -> None:
    with isomount.open(CASES / name) as disc:
        assert {str(path) for path in disc.root.iterdir()} == {"a.txt", "sub"}
        assert "the path table leads to" in disc.damage.findings[0][1]


# ---------------------------------------------------------------- UDF


def test_of_two_anchors_the_one_that_leads_to_a_volume_counts(tmp_path: Path) -> None:
    builder = Builder()
    builder.root()
    image = builder.write(tmp_path / "u.img")
    data = bytearray(image.read_bytes())
    elsewhere = struct.pack("<IIII", 16 * SECTOR, 300, 16 * SECTOR, 320)
    data[256 * SECTOR : 256 * SECTOR + 512] = tagged(2, 256, elsewhere.ljust(496, b"\0"))
    image.write_bytes(data)
    with isomount.open(image) as disc:
        assert disc.label == "TEST"
        found = dict(disc.damage.findings)
        assert "an anchor leads to no volume" in found[256 * SECTOR]


def test_what_the_main_sequence_lacks_comes_from_the_reserve_one(tmp_path: Path) -> None:
    builder = Builder()
    builder.root()
    image = builder.write(tmp_path / "u.img")
    data = bytearray(image.read_bytes())
    data[130 * SECTOR : 131 * SECTOR] = bytes(SECTOR)
    image.write_bytes(data)
    with isomount.open(image) as disc:
        assert disc.label == "TEST"
        assert "the reserve at byte" in disc.damage.findings[0][1]
