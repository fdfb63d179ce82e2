"""Images of several sessions, and of one session without those before it."""

import errno
import logging
import os
import shutil
from pathlib import Path

import pytest

import isomount
from isomount.blocks import BlockCache, Store
from isomount.errors import PathError
from isomount.formats.disc.sessions import sessions
from isomount.formats.iso9660.descriptors import FIRST_SECTOR
from isomount.image import Image
from isomount.sources import LaterPart
from isomount.survey import survey
from tests.authoring import genisoimage, write_tree
from tests.corpus import CASES, needs_cases
from tests.formats.iso_builder import (
    SECTOR,
    SELF,
    IsoImage,
    MemorySource,
    descriptor,
    directory_record,
    opened,
    record,
)
from tests.formats.multisession import Sessions

BRIDGE = ("-udf", "-R", "-J")


def read(disc: Image, name: str) -> bytes:
    return disc.volume.read(disc.volume.lookup(name))


@pytest.mark.parametrize("options", [(), ("-R",), ("-J",), BRIDGE], ids=str)
def test_the_newest_session_is_shown(options: tuple[str, ...], tmp_path: Path) -> None:
    image = Sessions(tmp_path, options).joined()
    with isomount.open(image) as disc:
        assert read(disc, "changed") == b"changed"
        assert read(disc, "kept") == b"from the first"
        assert str(disc.session) == "session 2 of 2"
        assert disc.shown == f"{disc.view}, session 2 of 2"
        found = survey(disc)
        assert found.sessions == [0, 448]
        assert found.missing == 0
        assert found.damage == []
    with isomount.open(image, session=1) as disc:
        assert read(disc, "changed") == b"old"
        assert str(disc.session) == "session 1 of 2"


def test_udf_of_the_newest_session_on_request(tmp_path: Path) -> None:
    image = Sessions(tmp_path, BRIDGE).joined()
    with isomount.open(image, view="udf") as disc:
        assert read(disc, "changed") == b"changed"
    with isomount.open(image, view="udf", session=1) as disc:
        assert read(disc, "changed") == b"old"


def test_a_file_that_only_one_side_carries_over_keeps_its_bytes(tmp_path: Path) -> None:
    """genisoimage's UDF side of a later session has size 0 for files of an earlier one."""
    made = Sessions(tmp_path, ("-udf", "-J"))
    with isomount.open(made.joined(), view="udf") as disc:
        assert disc.volume.lookup("KEPT.").size == 0
    with isomount.open(made.joined()) as disc:
        assert disc.view == "Joliet"
        assert read(disc, "kept") == b"from the first"


@pytest.mark.parametrize("options", [("-R",), BRIDGE], ids=str)
def test_an_image_that_growisofs_extended(options: tuple[str, ...], tmp_path: Path) -> None:
    with isomount.open(Sessions(tmp_path, options).grown()) as disc:
        assert read(disc, "changed") == b"changed"
        assert read(disc, "kept") == b"from the first"


@pytest.mark.parametrize("options", [("-R",), BRIDGE], ids=str)
def test_a_session_behind_a_blank_front(options: tuple[str, ...], tmp_path: Path) -> None:
    with isomount.open(Sessions(tmp_path, options).blank()) as disc:
        assert read(disc, "changed") == b"changed"
        assert disc.session.start == 448


@pytest.mark.parametrize("options", [("-R",), ("-J",), BRIDGE], ids=str)
def test_a_session_alone_finds_its_offset(options: tuple[str, ...], tmp_path: Path) -> None:
    made = Sessions(tmp_path, options)
    with isomount.open(made.second) as disc:
        assert read(disc, "changed") == b"changed"
        assert read(disc, "new") == b"2"
        assert disc.front == 448 * SECTOR
        assert disc.remark.startswith(f"a session stored alone: the {448 * SECTOR} bytes")
        found = survey(disc)
        assert found.size == made.second.stat().st_size
        assert found.missing == 0
        assert found.damage == []
        # What is on the disc before it is lost, and never zeros.
        with pytest.raises(PathError) as caught:
            disc.open("kept").read()
        assert caught.value.errno == errno.EIO


def test_udf_alone_finds_its_offset(tmp_path: Path) -> None:
    made = Sessions(tmp_path, BRIDGE)
    data = bytearray(made.second.read_bytes())
    recognition = data.index(b"\0BEA01")
    data[16 * SECTOR : 19 * SECTOR] = data[recognition : recognition + 3 * SECTOR]
    made.second.write_bytes(data)
    with isomount.open(made.second) as disc:
        assert disc.views == ["UDF 1.02"]
        assert read(disc, "changed") == b"changed"


def test_a_third_session_counts_from_a_large_second(tmp_path: Path) -> None:
    """genisoimage has each volume's size from its session's start, addresses from the disc's."""
    image = tmp_path / "disc.iso"
    starts = [0, 11700]
    shutil.copy(genisoimage(tmp_path / "1.iso", write_tree(tmp_path / "1", {"1": b"one"})), image)
    second = write_tree(tmp_path / "2", {"2": b"two", "big": b""})
    os.truncate(second / "big", 12_000 * SECTOR)
    append(image, second, starts)
    starts.append(-(-image.stat().st_size // SECTOR) + 6900)
    append(image, write_tree(tmp_path / "3", {"3": b"three"}), starts)
    with isomount.open(image) as disc:
        assert survey(disc).sessions == starts
        assert str(disc.session) == "session 3 of 3"
        assert [read(disc, name) for name in "123"] == [b"one", b"two", b"three"]
        assert disc.volume.lookup("big").size == 12_000 * SECTOR


def append(image: Path, tree: Path, starts: list[int]) -> None:
    """Put a session with ``tree`` behind ``image``, at the last of ``starts``, with holes."""
    os.truncate(image, starts[-1] * SECTOR)
    position = ("-R", "-C", ",".join(map(str, starts[-2:])), "-M", str(image))
    made = genisoimage(image.with_suffix(".part"), tree, *position)
    with made.open("rb") as part, image.open("r+b") as disc:
        disc.truncate(starts[-1] * SECTOR + made.stat().st_size)
        at = starts[-1] * SECTOR
        while data := part.read(1 << 16):
            if any(data):
                disc.seek(at)
                disc.write(data)
            at += len(data)
    made.unlink()


@pytest.mark.parametrize("gap", [0, 150, 2048, 6900, 6902, 11400, 11402 + 300])
def test_the_gaps_between_sessions(gap: int) -> None:
    image = MemorySource(first() + bytes(gap * SECTOR) + second(100 + gap))
    assert sessions(BlockCache(image)) == [0, 100 + gap]


# ---------------------------------------------------------------- crafted


def second(start: int = 100) -> bytes:
    """A session at that sector with one file, ``B``."""
    made = IsoImage(space=start + 40)
    root = start + 20
    made.directory(root, record(b"B;1"), parent=root)
    made.descriptors = [descriptor(1, directory_record(SELF, root), space=start + 40)]
    data = made.data()
    return data[: 20 * SECTOR] + data[root * SECTOR :]


def first(space: int = 100) -> bytes:
    made = IsoImage(space=space)
    made.root(record(b"A;1"))
    return made.data()


def test_a_nested_image_is_no_session() -> None:
    """Its addresses count from itself, wherever it lies."""
    for space in (30, 100):
        for inner in (first(), first(space=400)):
            data = first(space) + inner
            assert sessions(BlockCache(MemorySource(data))) == [0]
            assert opened(data).names() == ["a"]


def test_an_image_behind_another_is_no_session() -> None:
    """Nor is one whose root would be behind the file's end, wherever its address counts from."""
    for space, root in ((30, 400), (30, 5000), (1 << 20, 5000), (1 << 20, 1 << 19)):
        foreign = descriptor(1, directory_record(SELF, root), space=space)
        data = first() + bytes(FIRST_SECTOR * SECTOR) + foreign + bytes(8 * SECTOR)
        found = opened(data)
        assert found.names() == ["a"]
        assert found.damage.findings == []
        assert sessions(BlockCache(MemorySource(data))) == [0]
    # With its path tables where they are counted from itself, a near root does not make it one.
    near = bytearray(descriptor(1, directory_record(SELF, 400), space=500))
    near[140:144] = (18).to_bytes(4, "little")
    data = first() + bytes(FIRST_SECTOR * SECTOR) + near + bytes(8 * SECTOR)
    assert sessions(BlockCache(MemorySource(data))) == [0]


class Counting(MemorySource):
    """How many bytes were read of it."""

    got = 0

    def read_at(self, offset: int, length: int) -> bytes:
        data = super().read_at(offset, length)
        self.got += len(data)
        return data


def test_little_is_read_behind_a_volume() -> None:
    image = Counting(first() + bytes(20_000 * SECTOR))
    assert sessions(BlockCache(image)) == [0]
    assert image.got < 5 << 20


@pytest.mark.parametrize("extent", [1, 30, 110, 1 << 20, (1 << 32) - 1])
def test_claims_in_every_sector_cost_little(extent: int) -> None:
    """Each is judged by one sector, and only some of them are."""
    claim = descriptor(1, directory_record(SELF, extent), space=100)
    image = Counting(first() + claim * 20_000)
    assert len(sessions(BlockCache(image, Store(0)))) == 1
    assert image.got < 8 << 20


def test_a_session_that_is_cut_off_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    whole = first() + second()
    assert opened(whole).names() == ["b"]
    cut = whole[: 120 * SECTOR]
    with caplog.at_level(logging.WARNING):
        found = opened(cut)
    assert found.names() == ["a"]
    assert "session 2 is not whole" in caplog.text
    assert (100 * SECTOR) in [offset for offset, _ in found.damage.findings]


def test_a_gap_that_cannot_be_read_ends_the_search() -> None:
    """Run-out and what lies between the sessions of a disc in a drive."""

    class Drive(MemorySource):
        failed = 0

        def read_at(self, offset: int, length: int) -> bytes:
            if offset + length > 100 * SECTOR:
                self.failed += 1
                raise OSError(errno.EIO, "no seek complete")
            return super().read_at(offset, length)

    drive = Drive(first() + bytes(5000 * SECTOR))
    assert sessions(BlockCache(drive)) == [0]
    assert drive.failed < 10


def test_many_sessions_are_bounded() -> None:
    """Descriptors in every sector that all claim to be sessions."""
    claim = descriptor(1, directory_record(SELF, 1 << 30), space=1)
    data = first(space=20) + claim * 3000
    assert len(sessions(BlockCache(MemorySource(data)))) <= 1000


def test_a_later_part_says_what_is_not_there() -> None:
    part = LaterPart(MemorySource(b"0123456789"), 4)
    assert part.size == 14
    assert part.read_at(6, 3) == b"234"
    assert part.read_resident(4, 2) == b"01"
    assert part.read_resident(3, 2) is None
    assert part.resident_range(3, 2) is None
    with pytest.raises(OSError, match="earlier session") as caught:
        part.read_at(3, 4)
    assert caught.value.errno == errno.EIO


# ---------------------------------------------------------------- real ones


@needs_cases
@pytest.mark.parametrize("name", ["galone.iso", "gsparse.iso", "ggrow.iso", "b2.iso"])
def test_sessions_of_bug_reports(name: str) -> None:
    with isomount.open(CASES / name) as disc:
        assert disc.view == "Rock Ridge"
        assert disc.volume.lookup("f.txt").size == 10


@needs_cases
def test_two_bridges_of_a_bug_report(tmp_path: Path) -> None:
    image = tmp_path / "joined.iso"
    shutil.copy(CASES / "b1.iso", image)
    with image.open("r+b") as file:
        file.seek(448 * SECTOR)
        file.write((CASES / "b2.iso").read_bytes())
    with isomount.open(image) as disc:
        assert str(disc.session) == "session 2 of 2"
        assert disc.volume.lookup("f.txt").size == 10
        assert len(read(disc, "k.txt")) == 5
