"""Images that are a partition of a disk's image: found without being told where."""

import errno
import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import isomount
from isomount.errors import DamagedImageError, NotAnImageError, UsageError
from isomount.image import ViewOptions, open_image
from isomount.survey import survey
from tests.authoring import genisoimage, write_tree, xorriso
from tests.corpus import SHARED
from tests.unit.test_hybrid import apple, gpt, mbr

_BASIC = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"
_AT = 1 << 20


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("iso")
    tree = write_tree(folder / "tree", {"a.txt": b"iso\n", "sub/big": bytes(300_000)})
    return genisoimage(folder / "x.iso", tree, "-R", "-V", "INSIDE").read_bytes()


@pytest.fixture(scope="module")
def udf(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], bytes]:
    folder = tmp_path_factory.mktemp("udf")

    def make(block_size: int) -> bytes:
        image = folder / f"{block_size}.udf"
        with image.open("wb") as file:
            file.truncate(1200 * max(block_size, 512))
        words = ["mkudffs", "--media-type=hd", f"--blocksize={block_size}", "--label=UDFPART"]
        subprocess.run([*words, str(image)], check=True, capture_output=True, timeout=60)
        return image.read_bytes()

    return make


def disk(table: bytes, *parts: tuple[int, bytes]) -> io.BytesIO:
    """An image of a disk with ``table`` at its start, and parts at some bytes."""
    size = max([len(table), *(at + len(data) for at, data in parts)])
    image = bytearray(size)
    image[: len(table)] = table
    for at, data in parts:
        image[at : at + len(data)] = data
    return io.BytesIO(bytes(image))


def mbr_of(data: bytes, size: int, kind: int = 0x83) -> bytes:
    return mbr((0, kind, _AT // size, -(-len(data) // size)))


def gpt_of(data: bytes, size: int) -> bytes:
    last = _AT // size + -(-len(data) // size) - 1
    table = gpt((_BASIC, _AT // size, last, "data"), size=size)
    return mbr((0, 0xEE, 1, 0xFFFF)).ljust(size, b"\0") + table


def apple_of(data: bytes, size: int) -> bytes:
    own = ("Apple", "Apple_partition_map", 1, 2)
    return apple(own, ("disc", "Apple_HFS", _AT // size, -(-len(data) // size)), size=size)


@pytest.mark.parametrize("size", [512, 2048, 4096])
@pytest.mark.parametrize(
    ("table", "words"),
    [
        (mbr_of, "MBR partition 1"),
        (gpt_of, "GPT partition 1"),
        (apple_of, "Apple partition 2"),
    ],
)
def test_an_image_in_a_partition_is_found(
    table: Callable[[bytes, int], bytes], words: str, size: int, iso: bytes
) -> None:
    file = disk(table(iso, size), (_AT, iso))
    with isomount.open(file) as image:
        assert (image.root / "a.txt").read_text() == "iso\n"
        assert (image.root / "sub/big").read_bytes() == bytes(300_000)
        assert (image.offset, image.shown) == (_AT, f"Rock Ridge of {words}")
        assert image.partition is not None
        found = survey(image)
        assert image.partition in found.partitions
        assert (found.offset, found.size, found.missing) == (_AT, image.partition.length, 0)
        assert found.damage == []
        number = image.partition.number
    with isomount.open(file, partition=number) as image:
        assert image.label == "INSIDE"
    with isomount.open(file, offset=_AT) as image:
        assert image.label == "INSIDE"
        assert (image.partition, image.shown) == (None, f"Rock Ridge from byte {_AT}")
        assert survey(image).missing == 0
    with pytest.raises(NotAnImageError):
        isomount.open(file, offset=0)


@pytest.mark.parametrize("size", [512, 2048, 4096])
def test_udf_in_a_partition(size: int, udf: Callable[[int], bytes]) -> None:
    data = udf(size)
    with isomount.open(disk(mbr_of(data, 512, 0x07), (_AT, data))) as image:
        assert (image.label, image.shown) == ("UDFPART", f"{image.view} of MBR partition 1")
        assert image.view.startswith("UDF")


def test_a_logical_partition(iso: bytes) -> None:
    length = len(iso) // 512
    first, second = 2048, 6000
    file = disk(
        mbr((0, 0x83, 64, 100), (0, 0x0F, first, 20_000)),
        (first * 512, mbr((0, 0x83, 8, 10), (0, 0x05, second - first, length + 8))),
        (second * 512, mbr((0, 0x83, 8, length))),
        ((second + 8) * 512, iso),
    )
    for options in (ViewOptions(), ViewOptions(partition=6)):
        with open_image(file, options) as image:
            assert image.shown == "Rock Ridge of MBR partition 6"
            assert image.offset == (second + 8) * 512


def test_the_tables_of_public_tools(iso: bytes, tmp_path: Path) -> None:
    for label in ("dos", "gpt"):
        path = tmp_path / "disk.img"
        path.write_bytes(b"")
        os.truncate(path, 8 << 20)
        at = 2 << 20
        script = f"start={_AT // 512},size={_AT // 512}\nstart={at // 512}\n"
        words = ["sfdisk", "-q", f"--label={label}", str(path)]
        subprocess.run(words, input=script.encode(), check=True, timeout=60)
        with path.open("r+b") as file:
            file.seek(at)
            file.write(iso)
        with isomount.open(path) as image:
            assert (image.offset, image.label) == (at, "INSIDE")
            assert image.partition is not None
            assert image.partition.number == 2


def test_the_first_partition_that_is_an_image(iso: bytes, tmp_path: Path) -> None:
    other = genisoimage(
        tmp_path / "other.iso", write_tree(tmp_path / "other", {"other.txt": b"2"}), "-V", "OTHER"
    ).read_bytes()
    at, then = 4096, 4096 + len(iso) // 512
    table = mbr((0, 0x0C, 2048, 64), (0, 0x83, at, len(iso) // 512), (0, 0x83, then, 9999))
    file = disk(table, (2048 * 512, b"FAT32   "), (at * 512, iso), (then * 512, other))
    with isomount.open(file) as image:
        assert (image.label, image.shown) == ("INSIDE", "Rock Ridge of MBR partition 2")
    with isomount.open(file, partition=3) as image:
        assert image.label == "OTHER"
    with pytest.raises(NotAnImageError, match=r"> \(MBR partition 1\): is too short"):
        isomount.open(file, partition=1)
    with pytest.raises(UsageError, match="none of that number, but MBR 1, MBR 2, MBR 3"):
        isomount.open(file, partition=4)
    with pytest.raises(UsageError, match="exclude each other"):
        isomount.open(file, partition=1, offset=512)
    with pytest.raises(UsageError, match="has only"):
        isomount.open(file, offset=1 << 40)
    with pytest.raises(NotAnImageError, match=r"\(from byte 512\): begins with zeros"):
        isomount.open(file, offset=512)


def test_an_image_of_the_family_that_was_asked_for(iso: bytes, udf: Callable[[int], bytes]) -> None:
    other, then = udf(512), _AT + len(iso)
    table = mbr((0, 0x83, _AT // 512, len(iso) // 512), (0, 0x07, then // 512, len(other) // 512))
    with isomount.open(disk(table, (_AT, iso), (then, other)), view="udf") as image:
        assert image.label == "UDFPART"


def test_a_hybrid_image_stays_what_it_is(tmp_path: Path) -> None:
    """Its partitions begin where the image does, or hold what it boots from."""
    tree = write_tree(tmp_path / "tree", {"a.txt": b"whole\n"})
    # A second volume descriptor set lies in partition 1, whose addresses count from there.
    path = xorriso(tmp_path / "x.iso", tree, "-R", "-partition_offset", "16", "-V", "HYBRID")
    with isomount.open(path) as image:
        assert (image.offset, image.partition, image.shown) == (0, None, "Rock Ridge")
        assert survey(image).partitions
        assert (image.root / "a.txt").read_text() == "whole\n"
    with isomount.open(path, partition=1) as image:
        assert image.offset == 16 * 2048
        assert (image.root / "a.txt").read_text() == "whole\n"


def test_the_whole_file_is_a_partition_too(iso: bytes) -> None:
    table = mbr((0, 0x17, 0, len(iso) // 512))
    with isomount.open(io.BytesIO(table + iso[512:]), partition=1) as image:
        assert (image.offset, image.label) == (0, "INSIDE")


def test_a_damaged_image_in_a_partition_says_where(iso: bytes) -> None:
    damaged = iso[: 16 * 2048] + iso[16 * 2048 : 16 * 2048 + 128] + bytes(2048 * 8)
    with pytest.raises(DamagedImageError, match=r"> \(MBR partition 1\): the volume descriptor"):
        isomount.open(disk(mbr_of(iso, 512), (_AT, damaged)))


def test_a_partition_ends_where_its_table_says(iso: bytes) -> None:
    """What is missing is missing, though the disk goes on."""
    table = mbr((0, 0x83, _AT // 512, len(iso) // 512 - 400))
    with isomount.open(disk(table, (_AT, iso), (_AT + len(iso), bytes(1 << 20)))) as image:
        assert survey(image).missing == 400 * 512
    with isomount.open(disk(mbr((0, 0x83, _AT // 512, 1 << 31)), (_AT, iso))) as image:
        assert image.blocks.size == len(iso), "no more than there is"


def test_hostile_tables_hold_no_image() -> None:
    beyond = mbr(*[(0, 0x83, 0xFFFFFFFF, 0xFFFFFFFF)] * 4)
    ends = gpt((_BASIC, 1 << 62, 1 << 63, "far"), (_BASIC, 34, (1 << 64) - 1, "long"))
    apples = apple(*[("x", "Apple_HFS", n, 0xFFFFFFFF) for n in range(1, 120)])
    for table in (beyond, bytes(512) + ends, apples):
        with pytest.raises(NotAnImageError):
            isomount.open(disk(table, (1 << 18, b"x")))


def test_a_table_that_cannot_be_read_hides_no_other_partition(iso: bytes) -> None:
    extended = 8 << 20

    class Torn(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() <= extended < self.tell() + (size or 0):
                raise OSError(errno.EIO, "torn")
            return super().read(size)

    table = mbr((0, 0x83, _AT // 512, len(iso) // 512), (0, 0x0F, extended // 512, 2048))
    file = Torn(disk(table, (_AT, iso), (extended, bytes(1 << 20))).getvalue())
    with isomount.open(file) as image:
        assert (image.label, image.shown) == ("INSIDE", "Rock Ridge of MBR partition 1")


@pytest.mark.parametrize(("before", "found"), [(31, True), (32, False)])
def test_so_many_partitions_are_tried(before: int, found: bool, iso: bytes) -> None:
    others = [(_BASIC, 64 + number, 64 + number, "other") for number in range(before)]
    inside = (_BASIC, _AT // 512, _AT // 512 + len(iso) // 512 - 1, "inside")
    table = mbr((0, 0xEE, 1, 0xFFFF)) + gpt(*others, inside)
    file = disk(table, (_AT, iso))
    if found:
        with isomount.open(file) as image:
            assert image.label == "INSIDE"
    else:
        with pytest.raises(NotAnImageError):
            isomount.open(file)
    with isomount.open(file, partition=before + 1) as image:
        assert image.label == "INSIDE"


@pytest.mark.skipif(not (SHARED / "cases").is_dir(), reason="the cases are not here")
@pytest.mark.parametrize(
    ("name", "view", "file"),
    [("iso_mbr.img", "Rock Ridge", "sub/b.txt"), ("u_512_mbr.img", "UDF 2.01", "small.txt")],
)
def test_the_shared_cases(name: str, view: str, file: str) -> None:
    for options in (ViewOptions(), ViewOptions(partition=1), ViewOptions(offset=_AT)):
        with open_image(SHARED / "cases" / name, options) as image:
            assert image.view == view
            assert (image.root / file).read_bytes()
