"""Finding the volume: descriptors in odd order, damaged, missing; sessions; small blocks."""

from pathlib import Path

import pytest

import isomount
from isomount.errors import DamagedImageError, IsomountError, NotAnImageError, UsageError
from isomount.formats.options import ViewOptions
from tests.formats.iso_builder import (
    DIRECTORY,
    PARENT,
    ROOT,
    SECTOR,
    SELF,
    IsoImage,
    MemorySource,
    Opened,
    descriptor,
    directory_record,
    high_sierra_descriptor,
    opened,
    packed,
    record,
    terminator,
)

ROOT_RECORD = directory_record(SELF, ROOT)
PRIMARY = descriptor(1, ROOT_RECORD)
OTHER = descriptor(1, directory_record(SELF, 40), label=b"OTHER")
BOOT = b"\0CD001\1".ljust(SECTOR, b"\0")
PARTITION = b"\3CD001\1".ljust(SECTOR, b"\0")


def image(*descriptors: bytes) -> IsoImage:
    """Files ``a`` at the usual root, ``other`` at block 40, under those descriptors."""
    made = IsoImage()
    made.root(record(b"A;1"))
    made.directory(40, record(b"OTHER;1"))
    made.descriptors = list(descriptors)
    return made


@pytest.mark.parametrize(
    ("descriptors", "names"),
    [
        ((PRIMARY,), ["a"]),
        ((BOOT, PARTITION, PRIMARY), ["a"]),
        ((PRIMARY, OTHER), ["a"]),
        ((descriptor(1, ROOT_RECORD, version=2),), ["a"]),
        ((terminator(), PRIMARY), None),
        # One that makes no sense is stepped over.
        ((descriptor(1, ROOT_RECORD, block_size=0), OTHER), ["other"]),
        # A supplementary one without Joliet's escapes is no tree of its own.
        ((PRIMARY, descriptor(2, directory_record(SELF, 40))), ["a"]),
        ((b"\1XX001".ljust(SECTOR, b"\0"), PRIMARY), ["a"]),
    ],
)
def test_the_first_primary_descriptor_counts(
    descriptors: tuple[bytes, ...], names: list[str] | None
) -> None:
    if names is None:
        with pytest.raises(NotAnImageError):
            image(*descriptors).open()
    else:
        assert image(*descriptors).open().names() == names


@pytest.mark.parametrize("sector", [16, 50, 99, 100])
def test_descriptors_are_looked_for_up_to_sector_99(sector: int) -> None:
    made = image(*[BOOT] * (sector - 16), PRIMARY)
    made.parts = {offset + 200 * SECTOR: part for offset, part in made.parts.items()}
    made.size += 210 * SECTOR
    made.descriptors[-1] = descriptor(1, directory_record(SELF, 200 + ROOT))
    if sector < 100:
        assert made.open().names() == ["a"]
    else:
        with pytest.raises(NotAnImageError):
            made.open()


def test_a_missing_terminator_does_not_matter() -> None:
    data = bytearray(image(PRIMARY).data())
    data[17 * SECTOR : 18 * SECTOR] = bytes(SECTOR)
    assert opened(bytes(data)).names() == ["a"]
    # Nor that the image ends before a hundred sectors.
    assert opened(bytes(data[: 21 * SECTOR])).names() == ["a"]


@pytest.mark.parametrize("block_size", [0, 1, 256, 3000, 4096, 8224])
def test_a_block_size_that_nothing_has_is_damage(block_size: int) -> None:
    with pytest.raises(
        DamagedImageError, match="descriptor at byte 32768 makes no sense"
    ) as caught:
        image(descriptor(1, ROOT_RECORD, block_size=block_size)).open()
    assert caught.value.exit_code == 31


@pytest.mark.parametrize("block_size", [512, 1024, 2048])
def test_small_blocks(block_size: int) -> None:
    made = IsoImage(block_size, blocks=800)
    # The descriptors stand in sectors of 2048 bytes: the root is behind them.
    made.descriptors = [
        descriptor(1, directory_record(SELF, 200, SECTOR), block_size=block_size, space=800)
    ]
    made.directory(200, record(b"A;1", 150, 5), directory_record(b"D", 220), parent=200)
    made.directory(220, record(b"B;1", 151, 3), parent=200)
    made.put(150, b"hello")
    made.put(151, b"abc")
    result = made.open()
    assert result.names() == ["a", "d", "d/b"]
    assert result.read("a") == b"hello"
    assert result.read("d/b") == b"abc"
    assert result.volume.statfs().block_size == block_size
    assert result.volume.statfs().blocks == 800


def test_only_the_little_endian_halves_count() -> None:
    broken = bytearray(PRIMARY)
    for at in (84, 130, 162, 170):
        broken[at : at + 2] = b"\xde\xad"
    assert image(bytes(broken)).open().names() == ["a"]


@pytest.mark.parametrize("size", [0, 1, SECTOR, 10 * SECTOR])
def test_the_root_is_as_large_as_its_own_record_says(size: int) -> None:
    made = IsoImage()
    made.root(record(b"A;1"), size=size)
    result = made.open()
    assert result.names() == ["a"]
    assert result.volume.node(result.volume.root).size == SECTOR


@pytest.mark.parametrize("space", [0, 25, 1 << 31])
def test_the_volume_size_bounds_nothing(space: int) -> None:
    made = IsoImage(space=space)
    made.rock_ridge(record(b"A;1", 90, 5))
    made.put(90, b"hello")
    result = made.open()
    assert result.read("a") == b"hello"
    assert result.volume.statfs().blocks == space


def test_the_volume_size_is_the_primary_ones_unless_rock_ridge_is_not_wanted() -> None:
    made = IsoImage(space=90)
    made.root(record(b"A;1"))
    made.space = 95
    made.joliet(record(b"\0b"))
    assert made.open().names() == ["b"]
    assert made.open().volume.statfs().blocks == 90
    assert made.open(norock=True).volume.statfs().blocks == 95
    assert made.open(nojoliet=True).volume.statfs().blocks == 90


def test_labels() -> None:
    made = IsoImage()
    made.root(record(b"A;1"))
    made.joliet(record(b"\0b"), label="Ünïcode 日本".ljust(16).encode("utf-16-be"))
    assert made.open().volume.label == "Ünïcode 日本"
    assert made.open(nojoliet=True).volume.label == "LABEL"


# ---------------------------------------------------------------- no volume


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello\n", "is not a disc image"),
        (b"\x80" * 36 * 1024, "is not a disc image that isomount knows; .* told by: file -s "),
        (bytes(36 * 1024), "holds nothing but zeros"),
        (bytes(16 * SECTOR) + PRIMARY[:100], "volume descriptors of ISO 9660, but none"),
    ],
)
def test_what_is_no_image_is_told_so(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "thing.iso"
    path.write_bytes(data)
    with pytest.raises(NotAnImageError, match=words) as caught:
        isomount.open(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 30


@pytest.mark.parametrize("extent", [5000, 0xFFFFFFFF, 30, 0])
def test_a_root_that_is_no_directory_is_damage(extent: int) -> None:
    with pytest.raises(DamagedImageError, match="root directory at byte"):
        image(descriptor(1, directory_record(SELF, extent))).open()


def test_a_root_that_is_a_file_is_damage() -> None:
    made = image(PRIMARY)
    made.put(ROOT, record(SELF, ROOT, SECTOR))
    with pytest.raises(DamagedImageError, match="not a directory"):
        made.open()


class BadSectors(MemorySource):
    def __init__(self, data: bytes, *bad: int) -> None:
        super().__init__(data)
        self.bad = bad

    def read_at(self, offset: int, length: int) -> bytes:
        first, last = offset // SECTOR, (offset + length - 1) // SECTOR
        if any(first <= sector <= last for sector in self.bad):
            raise OSError(5, "Input/output error")
        return super().read_at(offset, length)


def test_a_bad_sector_among_the_descriptors_loses_that_descriptor() -> None:
    data = image(PRIMARY, BOOT).data()
    assert Opened(BadSectors(data, 17, 18), ViewOptions()).names() == ["a"]


def test_a_disc_that_cannot_be_read_is_damage() -> None:
    with pytest.raises(IsomountError):
        Opened(BadSectors(image(PRIMARY).data(), 16), ViewOptions())


# ---------------------------------------------------------------- High Sierra


def high_sierra() -> IsoImage:
    made = IsoImage()
    made.descriptors.append(
        high_sierra_descriptor(record(SELF, 20, SECTOR, flags=DIRECTORY, high_sierra=True))
    )
    old = bytes((90, 1, 1, 0, 0, 0))

    def put(block: int, parent: int, *records: bytes) -> None:
        first = record(SELF, block, SECTOR, flags=DIRECTORY, high_sierra=True, date=old)
        second = record(PARENT, parent, SECTOR, flags=DIRECTORY, high_sierra=True, date=old)
        made.put(block, packed(first, second, *records))

    put(
        20,
        20,
        record(b"SUB", 30, SECTOR, flags=DIRECTORY, high_sierra=True),
        record(b"A.TXT;1", 50, 5, high_sierra=True),
    )
    put(30, 20, record(b"DEEP", 31, SECTOR, flags=DIRECTORY, high_sierra=True))
    put(31, 30, record(b"F;1", 50, 5, high_sierra=True))
    made.put(50, b"hello")
    return made


def test_high_sierra() -> None:
    result = high_sierra().open()
    assert result.views == ["High Sierra"]
    assert result.names() == ["sub", "sub/deep", "sub/deep/f", "a.txt"]
    assert result.read("sub/deep/f") == b"hello"
    assert result.volume.label == "LABEL"
    # A directory has the times of its record in the one above, as in Linux.
    assert result.volume.lookup("sub").mtime_ns == 1580702706 * 10**9


def test_high_sierra_parents_have_the_numbers_that_are_listed() -> None:
    volume = high_sierra().open().volume
    deep, sub = volume.lookup("sub/deep"), volume.lookup("sub")
    assert volume.parent(deep.ino) == sub.ino
    assert volume.node(sub.ino) == sub
    assert volume.parent(sub.ino) == volume.root


# ---------------------------------------------------------------- sessions


def two_sessions() -> bytes:
    """A first session with ``a``, a second at sector 100 with ``a`` and ``b``."""
    first = image(PRIMARY)
    second = IsoImage(space=130)
    second.directory(120, record(b"A;1"), record(b"B;1"), parent=120)
    second.descriptors = [descriptor(1, directory_record(SELF, 120), space=130)]
    data = first.data() + second.data()[: 20 * SECTOR] + second.data()[120 * SECTOR :]
    return data.ljust(140 * SECTOR, b"\0")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["a", "b"]),
        ({"session": 1}, ["a"]),
        ({"session": 2}, ["a", "b"]),
        ({"session": -1}, ["a", "b"]),
        ({"sbsector": 0}, ["a"]),
        ({"sbsector": 100}, ["a", "b"]),
        ({"sbsector": 100, "session": 1}, ["a", "b"]),
    ],
)
def test_a_session_is_chosen(options: dict[str, int], names: list[str]) -> None:
    assert opened(two_sessions(), **options).names() == names


@pytest.mark.parametrize("session", [0, 3, -2, 99])
def test_a_session_that_is_not_there_is_a_wrong_option(session: int) -> None:
    with pytest.raises(UsageError, match="the image has 2 sessions, counted from 1") as caught:
        opened(two_sessions(), session=session)
    assert caught.value.exit_code == 2


def test_one_session_is_session_one_and_the_last() -> None:
    for session in (1, -1):
        assert image(PRIMARY).open(session=session).names() == ["a"]
    with pytest.raises(UsageError, match="the image has 1 session, counted"):
        image(PRIMARY).open(session=2)


def test_no_volume_at_that_sector() -> None:
    with pytest.raises(NotAnImageError):
        opened(two_sessions(), sbsector=7)
