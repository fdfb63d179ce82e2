"""Damaged and hostile UDF volumes: copies, tolerance, and everything that must come to an end."""

import contextlib
import logging
import struct
from binascii import crc_hqx
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isomount.blocks import Coded
from isomount.damage import Damage
from isomount.errors import DamagedDataError, DamagedImageError, IsomountError
from isomount.formats.options import ViewOptions
from isomount.formats.udf import UdfView, find
from tests.authoring import genisoimage, write_tree
from tests.formats.udf_builder import (
    DIRECTORY,
    FILE,
    Builder,
    file_entry,
    identifier,
    latin,
    parent,
    short_ad,
    tagged,
)
from tests.formats.udf_partitioned import metadata_image, virtual_image
from tests.formats.udf_walk import opened, overwrite

BLOCK = 2048
MAIN_SEQUENCE, RESERVE_SEQUENCE, ANCHORS = 128, 160, (256, 399)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "isomount.damage")


def small(tmp_path: Path) -> Path:
    builder = Builder()
    builder.root(*builder.add_files([latin("one"), latin("two")]))
    return builder.write(tmp_path / "small.img")


def flip(image: Path, offset: int) -> None:
    """Change one bit."""
    with image.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("lost", [*ANCHORS])
def test_either_anchor_is_enough(tmp_path: Path, lost: int) -> None:
    image = small(tmp_path)
    overwrite(image, lost * BLOCK, bytes(512))
    with opened(image) as found:
        assert found.names() == [b"one", b"two"]


@pytest.mark.parametrize("number", [1, 2])
def test_the_reserve_descriptor_replaces_a_destroyed_one(tmp_path: Path, number: int) -> None:
    image = small(tmp_path)
    overwrite(image, (MAIN_SEQUENCE + number) * BLOCK, b"\xff" * BLOCK)
    with opened(image) as found:
        assert found.names() == [b"one", b"two"]
        assert found.damage.count == 1


def test_a_whole_main_sequence_destroyed_is_replaced(tmp_path: Path) -> None:
    image = small(tmp_path)
    overwrite(image, MAIN_SEQUENCE * BLOCK, bytes(16 * BLOCK))
    with opened(image) as found:
        assert found.names() == [b"one", b"two"]
        assert found.damage.count > 0


def test_a_wrong_crc_is_tolerated_when_there_is_nothing_better(tmp_path: Path) -> None:
    image = small(tmp_path)
    for sequence in (MAIN_SEQUENCE, RESERVE_SEQUENCE):
        for number in (1, 2):
            # Within the entity identifiers of partition and logical volume.
            flip(image, (sequence + number) * BLOCK + 40)
    with opened(image) as found:
        assert found.names() == [b"one", b"two"]


def test_the_newest_descriptor_prevails(tmp_path: Path) -> None:
    class Twice(Builder):
        def sequence(self) -> list[bytes]:
            first, partition, volume, end = super().sequence()
            older = tagged(6, 0, struct.pack("<I", 2) + volume[20:84] + bytes(128) + volume[212:])
            return [first, older, volume, older, partition, end]

    builder = Twice()
    builder.root()
    with opened(builder.write(tmp_path / "a.img")) as found:
        assert found.view.label == "TEST"


def test_what_cannot_be_shown_is_refused_with_one_sentence(tmp_path: Path) -> None:
    for destroyed, word in (
        ([(256, 1), (399, 1)], "anchor"),
        ([(MAIN_SEQUENCE, 16), (RESERVE_SEQUENCE, 16)], "logical volume descriptor"),
        ([(272, 1)], "file set descriptor"),
        ([(273, 1)], "file entry"),
    ):
        image = small(tmp_path)
        for block, count in destroyed:
            overwrite(image, block * BLOCK, bytes(count * BLOCK))
        with pytest.raises(DamagedImageError, match=word) as refused, opened(image):
            pass
        assert str(refused.value).startswith("small.img: ")
        assert "\n" not in str(refused.value)


def test_a_volume_without_a_recognition_sequence_needs_novrs(tmp_path: Path) -> None:
    image = small(tmp_path)
    overwrite(image, 32768, bytes(3 * BLOCK))
    with pytest.raises(AssertionError, match="not recognised"), opened(image):
        pass
    with opened(image, novrs=True) as found:
        assert found.names() == [b"one", b"two"]


@pytest.mark.parametrize("cut", [0.5, 0.9, 0.99])
def test_a_truncated_image_shows_what_is_there(tmp_path: Path, cut: float) -> None:
    folder = write_tree(tmp_path / "tree", {"a": b"a" * 10, "b" * 20: b"b" * 400_000})
    image = genisoimage(tmp_path / "a.iso", folder, "-udf")
    with image.open("r+b") as file:
        file.truncate(int(image.stat().st_size * cut))
    with opened(image) as found:
        assert set(found.names()) == {b"a", b"b" * 20}


def test_a_directory_that_linux_repeats_for_ever_lists_once(tmp_path: Path) -> None:
    """Zeros after the last identifier, and one that runs over the directory's end."""
    for tail in (bytes(400), identifier(latin("cut"), 2)[:-8], b"\x01\x01" + bytes(38)):
        builder = Builder()
        data = parent(1) + identifier(latin("one"), 2) + identifier(latin("two"), 2) + tail
        builder.put(1, file_entry(1, DIRECTORY, len(data), data, ad=3))
        builder.put(2, file_entry(2, FILE, 0, b""))
        with opened(builder.write(tmp_path / "a.img")) as found:
            assert found.names() == [b"one", b"two"]


def test_the_sums_of_identifiers_are_not_held_against_them(tmp_path: Path) -> None:
    builder = Builder()
    wrong = bytearray(identifier(latin("wrong"), 2, location=77))
    wrong[4] ^= 0xFF
    wrong[8:12] = b"\x12\x34\xff\x00"
    builder.root(identifier(latin("one"), 2), bytes(wrong), identifier(latin("two"), 2))
    builder.put(2, file_entry(2, FILE, 0, b""))
    with opened(builder.write(tmp_path / "a.img")) as found:
        assert found.names() == [b"one", b"wrong", b"two"]


def test_an_unreadable_block_of_a_directory_loses_just_that(tmp_path: Path) -> None:
    builder = Builder()
    names = [f"file number {number:04d}" for number in range(200)]
    data = parent(1) + b"".join(identifier(latin(name), 2) for name in names)
    blocks = -(-len(data) // BLOCK)
    extents = [short_ad(BLOCK, 100 + number) for number in range(blocks)]
    extents[2] = short_ad(BLOCK, 900_000)
    builder.put(1, file_entry(1, DIRECTORY, len(data), b"".join(extents)))
    builder.put(2, file_entry(2, FILE, 0, b""))
    builder.put(100, data)
    with opened(builder.write(tmp_path / "a.img")) as found:
        shown = found.names()
        assert len(names) - 2 * BLOCK // 54 < len(shown) < len(names)
        assert shown == [name.encode() for name in names if name.encode() in shown]
        assert shown[-1] == names[-1].encode()
        assert found.damage.count > 0


class Counting:
    """A reader of bytes that counts what it is asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.asked = 0

    def read(self, offset: int, length: int) -> bytes:
        self.asked += 1
        assert self.asked < 200_000, "more work than the image can be worth"
        return self.data[max(0, offset) : max(0, offset) + length]

    def decoded(self, coded: Coded, offset: int, length: int) -> bytes:
        raise NotImplementedError


def exhaust(data: bytes, options: ViewOptions) -> None:
    """Walk, stat and read all there is, but no more than a person would."""
    reader = Counting(data)
    damage = Damage()
    view: UdfView | None = None
    with contextlib.suppress(IsomountError):
        view = find(reader, options, "fuzzed", damage)
    if view is None:
        return
    view.statfs()
    folders, seen = [view.root], {view.root}
    while folders:
        ino = folders.pop()
        with contextlib.suppress(IsomountError):
            view.parent(reader, ino)
        with contextlib.suppress(IsomountError):
            for entry in view.entries(reader, ino):
                look_at(view, reader, entry.node.ino)
                assert entry.name
                if entry.node.is_directory and entry.node.ino not in seen:
                    seen.add(entry.node.ino)
                    folders.append(entry.node.ino)


def look_at(view: UdfView, reader: Counting, ino: int) -> None:
    with contextlib.suppress(IsomountError):
        view.xattrs(reader, ino)
        node = view.node(reader, ino)
        if node.content is not None:
            for at in (0, node.size // 2, max(0, node.size - 100)):
                node.content.read(reader, at, 4096)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Small valid images of several kinds."""
    folder = tmp_path_factory.mktemp("seeds")
    tree = write_tree(folder / "tree", {"a": b"a", "dir/b": b"b" * 9000, "dir/e/f": b""})
    plain = small(folder)
    images = [plain.read_bytes(), genisoimage(folder / "a.iso", tree, "-udf").read_bytes()]
    images.append(metadata_image(folder, scattered=True).read_bytes())
    images += [virtual_image(folder, revision).read_bytes() for revision in (0x0150, 0x0200)]
    return images


# Where the descriptors of the crafted images are, in blocks.
INTERESTING = [128, 129, 130, 131, 256, 272, 273, 274, 275, 282, 283, 292, 293, 302, 303, 304, 399]
mutations = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(INTERESTING), st.integers(0, 450)),
        st.one_of(st.integers(0, 511), st.integers(0, BLOCK - 1)),
        st.one_of(
            st.sampled_from([b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x3f", b"\1", b"\x80"]),
            st.binary(min_size=1, max_size=8),
        ),
    ),
    min_size=1,
    max_size=8,
)
OPTIONS = [ViewOptions(), ViewOptions(novrs=True, undelete=True, unhide=True), ViewOptions(bs=512)]


def resummed(data: bytearray, block: int) -> None:
    """Make the tag of a block right again, so that what it says is believed."""
    start = block * BLOCK
    tag = data[start : start + 16]
    if len(tag) == 16:
        data[start + 4] = 0
        length = int.from_bytes(tag[10:12], "little")
        if start + 16 + length <= len(data):
            crc = crc_hqx(bytes(data[start + 16 : start + 16 + length]), 0)
            data[start + 8 : start + 10] = crc.to_bytes(2, "little")
        data[start + 4] = sum(data[start : start + 16]) & 0xFF


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.data(), mutations, st.sampled_from(OPTIONS), st.booleans())
def test_no_mutation_hangs_or_crashes(
    seeds: list[bytes],
    data: st.DataObject,
    changes: list[tuple[int, int, bytes]],
    options: ViewOptions,
    believable: bool,
) -> None:
    image = bytearray(data.draw(st.sampled_from(seeds)))
    for block, at, junk in changes:
        place = block * BLOCK + at
        image[place : place + len(junk)] = junk[: max(0, len(image) - place)]
        if believable:
            resummed(image, block)
    exhaust(bytes(image), options)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_no_truncation_hangs_or_crashes(seeds: list[bytes], data: st.DataObject) -> None:
    image = data.draw(st.sampled_from(seeds))
    exhaust(image[: data.draw(st.integers(0, len(image)))], ViewOptions())


def test_an_image_that_becomes_shorter_while_open_gives_damage(tmp_path: Path) -> None:
    image = small(tmp_path)
    with opened(image) as found:
        with image.open("r+b") as file:
            file.truncate(BLOCK)
        with pytest.raises(DamagedDataError):
            found.view.node(found.reader, found.view.root)
