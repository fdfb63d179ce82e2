"""UDF volumes of every kind that public tools or a few descriptors can make."""

import os
import stat
from io import BytesIO
from pathlib import Path
from typing import Any

import pycdlib
import pytest

import isomount
from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.errors import DamagedDataError, DamagedImageError, StaleNodeError, UsageError
from isomount.formats.base import View
from isomount.formats.options import ViewOptions
from isomount.formats.udf import find
from isomount.sources import LocalSource
from tests.authoring import genisoimage, mkudffs, write_tree
from tests.formats.udf_builder import (
    Builder,
    latin,
)
from tests.formats.udf_walk import opened, read_whole

BLOCK = 2048


@pytest.mark.parametrize("size", [512, 1024, 2048, 4096, 8192, 16384, 32768])
def test_every_sector_size_is_found(tmp_path: Path, size: int) -> None:
    image = mkudffs(tmp_path / "a.img", "-m", "hd", "--label", "Größe", blocks=1024, size=size)
    for options in ({}, {"bs": size}):
        with opened(image, **options) as found:
            assert found.view.label == "Größe"
            assert found.view.name == "UDF 2.01"
            assert found.view.statfs().block_size == size
            assert found.view.is_empty(found.reader)
            assert found.damage.count == 0
    with pytest.raises(DamagedImageError), opened(image, bs=size * 2 if size < 4096 else 512):
        pass


@pytest.mark.parametrize(("size", "blocks"), [(512, 1025), (512, 2049), (1024, 513), (1024, 1025)])
def test_a_last_anchor_where_one_of_larger_sectors_would_be(
    tmp_path: Path, size: int, blocks: int
) -> None:
    """Its location, counted in smaller sectors, tells of nothing that is missing before it."""
    image = mkudffs(tmp_path / "a.img", "-m", "hd", "--label", "x", blocks=blocks, size=size)
    with isomount.open(image) as disc:
        assert (disc.label, disc.front) == ("x", 0)
        assert disc.root.is_dir()


@pytest.mark.parametrize(
    ("media", "revision"),
    [
        ("hd", "1.02"),
        ("dvd", "1.02"),
        ("cdr", "1.50"),
        ("cdrw", "1.50"),
        ("cdr", "2.00"),
        ("cdrw", "2.01"),
        ("dvdrw", "2.01"),
        ("dvdr", "2.01"),
        ("bdr", "2.50"),
        ("bdr", "2.60"),
    ],
)
def test_every_medium_that_mkudffs_makes(tmp_path: Path, media: str, revision: str) -> None:
    image = mkudffs(
        tmp_path / "a.img", "-m", media, "-r", revision, "--mode=0750", "--uid=7", blocks=40000
    )
    with opened(image) as found:
        root = found.view.node(found.reader, found.view.root)
        assert found.view.name == f"UDF {revision}"
        assert stat.S_IMODE(root.mode) == 0o750
        assert root.uid == 7
        # Whatever is not lost+found is nothing.
        assert set(found.names()) <= {b"lost+found"}
        assert found.damage.count == 0


FILES: dict[str, bytes | str] = {
    "readme.txt": b"hello",
    "empty": b"",
    "big.bin": bytes(range(256)) * 4000,
    "deep/er/and/deeper/file": b"x" * 3000,
    "Ünïcode/日本語.txt": "日本".encode(),
    "a" * 60 + ".txt": b"long name",
}


def test_a_bridge_by_genisoimage(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", FILES)
    image = genisoimage(
        tmp_path / "a.iso", folder, "-udf", "-R", "-J", "-V", "BRIDGE", "-input-charset", "utf-8"
    )
    with opened(image) as found:
        assert found.view.label == "BRIDGE"
        tree = found.walk()
        for name, data in FILES.items():
            assert isinstance(data, bytes)
            assert read_whole(found.reader, tree[name.encode()]) == data
        assert not found.view.is_empty(found.reader)


def test_a_bridge_by_pycdlib(tmp_path: Path) -> None:
    image = tmp_path / "a.iso"
    iso = pycdlib.PyCdlib()
    iso.new(udf="2.60")
    iso.add_fp(BytesIO(b"hello"), 5, "/HELLO.;1", udf_path="/hello.txt")
    iso.add_directory("/DIR", udf_path="/dir")
    iso.add_fp(BytesIO(b"z" * 5000), 5000, "/DIR/Z.;1", udf_path="/dir/zed")
    iso.add_symlink(udf_symlink_path="/sym", udf_target="dir/zed")
    iso.write(str(image))
    iso.close()
    with opened(image) as found:
        tree = found.walk()
        assert set(tree) == {b".", b"hello.txt", b"dir", b"dir/zed", b"sym"}
        assert read_whole(found.reader, tree[b"dir/zed"]) == b"z" * 5000
        assert tree[b"sym"].target == b"dir/zed"


def test_plain_iso9660_and_junk_are_no_udf(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", {"a": b"a"})
    genisoimage(tmp_path / "plain.iso", folder)
    (tmp_path / "junk").write_bytes(bytes(range(256)) * 3000)
    (tmp_path / "short").write_bytes(b"x")
    for name in ("plain.iso", "junk", "short"):
        reader = BlockCache(LocalSource(tmp_path / name))
        for options in (ViewOptions(), ViewOptions(novrs=True)):
            assert find(reader, options, name, Damage()) is None
        reader.close()


def test_recognition_needs_few_reads(tmp_path: Path) -> None:
    """An image that is no UDF costs next to nothing to tell."""

    class Counting(LocalSource):
        reads = 0

        def read_at(self, offset: int, length: int) -> bytes:
            self.reads += 1
            assert length <= BLOCK
            return super().read_at(offset, length)

    image = genisoimage(tmp_path / "a.iso", write_tree(tmp_path / "tree", FILES), "-R", "-J")
    source = Counting(image)
    reader = BlockCache(source)
    assert find(reader, ViewOptions(), image.name, Damage()) is None
    assert source.reads < 16
    reader.close()


def test_opening_reads_no_more_than_descriptors(tmp_path: Path) -> None:
    """Mounting does not depend on how many files there are."""

    class Counting(LocalSource):
        bytes_read = 0

        def read_at(self, offset: int, length: int) -> bytes:
            self.bytes_read += length
            return super().read_at(offset, length)

    builder = Builder(blocks=3000)
    builder.root(*builder.add_files([latin(f"file {number}") for number in range(2000)], 700))
    source = Counting(builder.write(tmp_path / "a.img"))
    reader = BlockCache(source)
    view: View | None = find(reader, ViewOptions(), "a.img", Damage())
    assert view is not None
    assert source.bytes_read < 128 << 10
    reader.close()


def test_every_inode_number_makes_its_node_again(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", FILES)
    image = genisoimage(tmp_path / "a.iso", folder, "-udf")
    with opened(image) as found:
        view, reader = found.view, found.reader
        for node in found.walk().values():
            again = view.node(reader, node.ino)
            assert again._replace(data=None) == node._replace(data=None)
            assert node.ino > 1
        assert view.parent(reader, view.root) == view.root
        deep = found.walk()[b"deep/er"]
        assert view.parent(reader, deep.ino) == found.walk()[b"deep"].ino
        assert view.directory_size(reader, deep.ino) == deep.size
        with pytest.raises(StaleNodeError):
            view.node(reader, reader.size + BLOCK)
        with pytest.raises(StaleNodeError):
            view.node(reader, view.root + 5)
        with pytest.raises(DamagedDataError):
            view.node(reader, 16 * BLOCK)


def three_sessions(image: Path, folder: Path) -> list[int]:
    """Three sessions by genisoimage in one file; the sectors where they start."""
    starts: list[int] = []
    for number in (1, 2, 3):
        part = image.with_suffix(f".{number}")
        tree = write_tree(folder / str(number), {f"file{number}": bytes([number]) * 10})
        start = -(-image.stat().st_size // BLOCK // 16) * 16 if starts else 0
        options = ["-C", f"{starts[-1]},{start}", "-M", str(image)] if starts else []
        genisoimage(part, tree, "-udf", "-R", *options)
        with image.open("ab") as file:
            os.truncate(file.fileno(), start * BLOCK)
            file.write(part.read_bytes())
        starts.append(start)
    return starts


def root_names(image: Path, **options: Any) -> list[str]:
    with isomount.open(image, view="udf", **options) as disc:
        return sorted(str(path) for path in disc.root.iterdir())


def test_the_last_session_is_shown_and_any_other_on_request(tmp_path: Path) -> None:
    image = tmp_path / "multi.img"
    starts = three_sessions(image, tmp_path)
    names = ["file1", "file2", "file3"]
    assert root_names(image) == names
    assert root_names(image, session="last") == names
    options: dict[str, Any]
    for number, start in enumerate(starts, 1):
        for options in ({"session": number}, {"session": start}, {"sbsector": start}):
            if options != {"session": 0}:  # sessions count from 1
                assert root_names(image, **options) == names[:number]
    with pytest.raises(UsageError, match="has 3 sessions"):
        isomount.open(image, session=4)


def test_sessions_by_mkudffs_each_found_by_its_own_anchor(tmp_path: Path) -> None:
    image = tmp_path / "multi.img"
    for number, label in enumerate(("first", "second", "third")):
        start = (f"--startblock={number * 320}",) if number else ()
        mkudffs(image, "--label", label, *start, blocks=(number + 1) * 320)
    labels: list[tuple[dict[str, Any], str]] = [
        ({}, "third"),
        ({"session": 320}, "second"),
        ({"session": 2}, "second"),
        ({"session": 1}, "first"),
    ]
    for options, label in labels:
        with isomount.open(image, **options) as disc:
            assert disc.label == label
            assert str(disc.session).endswith(" of 3")
    with opened(image, lastblock=319) as by_last, opened(image, anchor=319) as by_anchor:
        assert by_last.view.label == by_anchor.view.label == "first"
