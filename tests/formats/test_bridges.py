"""Which side of a bridge disc is shown: the one that loses less of the other."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import isomount
from isomount.blocks import BlockCache
from isomount.formats.compare import Losses, compare
from isomount.formats.node import Entry, Node
from isomount.image import Image
from tests.authoring import genisoimage, write_tree
from tests.formats.bridges import bridge
from tests.formats.iso_builder import MemorySource

LARGE = 5 << 30


def node_of(disc: Image, path: str) -> Node:
    return disc.volume.lookup(path)


def udf_name(disc: Image) -> str:
    return next(name for name in disc.views if name.startswith("UDF"))


# ---------------------------------------------------------------- whole images by genisoimage


def unix_tree(path: Path) -> Path:
    """A tree of which genisoimage's UDF keeps little."""
    tree = write_tree(path, {"bin/run": b"#!", "plain": b"p", "start": "bin/run"})
    (tree / "bin" / "run").chmod(0o755)
    os.mkfifo(tree / "pipe")
    os.link(tree / "bin" / "run", tree / "hard")
    return tree


def test_rock_ridge_is_shown_where_udf_loses_links_and_modes(tmp_path: Path) -> None:
    image = genisoimage(
        tmp_path / "image.iso", unix_tree(tmp_path / "tree"), "-udf", "-R", "-J", "-cache-inodes"
    )
    with isomount.open(image) as disc:
        assert disc.view == "Rock Ridge"
        assert disc.remark == ""
        assert node_of(disc, "start").target == b"bin/run"
        assert stat.S_ISFIFO(node_of(disc, "pipe").mode)
        run = node_of(disc, "bin/run")
        assert stat.S_IMODE(run.mode) == 0o755
        assert run.ino == node_of(disc, "hard").ino
    with isomount.open(image, view="udf") as disc:
        assert disc.view == "UDF 1.02"
        assert node_of(disc, "start").size == 0


def test_extract_takes_the_richer_side(tmp_path: Path) -> None:
    image = genisoimage(tmp_path / "image.iso", unix_tree(tmp_path / "tree"), "-udf", "-R")
    with isomount.open(image) as disc:
        disc.extract(tmp_path / "out")
    assert os.readlink(tmp_path / "out" / "start") == "bin/run"
    assert os.access(tmp_path / "out" / "bin" / "run", os.X_OK)
    assert stat.S_ISFIFO((tmp_path / "out" / "pipe").lstat().st_mode)


@pytest.mark.parametrize("options", [{}, {"uid": 1000, "gid": 1000, "mode": "644", "umask": "077"}])
def test_who_looks_makes_no_difference(options: dict[str, Any], tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"a": b"a"})
    (tree / "a").chmod(0o640)
    image = genisoimage(tmp_path / "image.iso", tree, "-udf", "-R")
    with isomount.open(image, **options) as disc:
        assert disc.view == "Rock Ridge"


@pytest.mark.parametrize("options", [("-r", "-J"), ("-J",), ()])
def test_udf_is_shown_where_it_loses_nothing(options: tuple[str, ...], tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"Some Directory/A longer name.text": b"a", "empty": b""})
    image = genisoimage(tmp_path / "image.iso", tree, "-udf", *options)
    with isomount.open(image) as disc:
        assert disc.view == "UDF 1.02"
        assert disc.remark == ""


@pytest.mark.parametrize(
    "files",
    [
        {"VIDEO_TS/VIDEO_TS.IFO": b"DVDVIDEO-VMG"},
        {"BDMV/index.bdmv": b"INDX0200"},
        {"sources/install.wim": b"MSWIM", "setup.exe": b"MZ"},
        {"sources/boot.wim": b"MSWIM", "bootmgr": b"x"},
    ],
    ids=["DVD-Video", "Blu-ray", "Windows", "Windows PE"],
)
def test_discs_that_are_read_by_udf_keep_it(files: dict[str, bytes | str], tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {**files, "link": "setup.exe"})
    image = genisoimage(tmp_path / "image.iso", tree, "-udf", "-R")
    with isomount.open(image) as disc:
        assert disc.view == "UDF 1.02"


def test_relocated_directories_are_no_loss(tmp_path: Path) -> None:
    deep = "/".join(f"d{number}" for number in range(10))
    tree = write_tree(tmp_path / "tree", {f"{deep}/file": b"x"})
    image = genisoimage(tmp_path / "image.iso", tree, "-udf", "-R")
    with isomount.open(image) as disc:
        assert disc.volume.read(node_of(disc, f"{deep}/file")) == b"x"


# ---------------------------------------------------------------- sides that differ, by pycdlib


def test_files_of_one_side_only(tmp_path: Path) -> None:
    with isomount.open(bridge(tmp_path / "u.iso", both=2, udf_only=1, iso_only=0)) as disc:
        assert disc.view == udf_name(disc)
        assert node_of(disc, "u0").size == 3
    with isomount.open(bridge(tmp_path / "i.iso", both=2, udf_only=0, iso_only=1)) as disc:
        assert disc.view == "Rock Ridge"
        assert node_of(disc, "i0").size == 3


def test_where_each_side_loses_something_it_is_said(tmp_path: Path) -> None:
    image = bridge(tmp_path / "image.iso", both=1, udf_only=1, iso_only=0, link=True)
    with isomount.open(image) as disc:
        assert disc.view == udf_name(disc), "a file weighs more than a link"
        assert "-o view=iso9660 shows Rock Ridge, which lacks 1 file" in disc.remark
        assert "lacks 1 link, device or empty file" in disc.remark
    image = bridge(tmp_path / "more.iso", both=1, udf_only=1, iso_only=2)
    with isomount.open(image) as disc:
        assert disc.view == "Rock Ridge"
        assert disc.remark.startswith("Rock Ridge is shown, which lacks 1 file; -o view=udf shows")


def test_an_iso_tree_that_only_says_what_to_read_instead(tmp_path: Path) -> None:
    image = bridge(tmp_path / "image.iso", both=0, udf_only=5, iso_only=1)
    with isomount.open(image) as disc:
        assert disc.view == udf_name(disc)


# ---------------------------------------------------------------- the comparison itself


class Side:
    """A view made of a dictionary: names to sizes, dictionaries, or nodes."""

    name = "side"
    label = ""
    root = 2
    folds_case = False

    def __init__(self, tree: dict[str, Any]) -> None:
        self.listed = 0
        self._trees: dict[int, dict[str, Any]] = {2: tree}

    def entries(self, reader: object, ino: int, position: int = 0) -> Any:
        for number, (name, what) in enumerate(self._trees[ino].items()):
            self.listed += 1
            yield Entry(number, name.encode(), self._node(ino, number, what))

    def _node(self, above: int, number: int, what: Any) -> Node:
        ino = above * 1000 + number
        if isinstance(what, dict):
            self._trees[ino] = what
            return made(stat.S_IFDIR | 0o555, ino=ino)
        if isinstance(what, Node):
            return what
        return made(stat.S_IFREG | 0o444, what, ino=ino)


def made(mode: int, size: int = 0, *, ino: int = 9, data: int | None = None, uid: int = 0) -> Node:
    return Node(ino, mode, uid, 0, 1, size, 0, 0, 0, data=data)


def losses(
    iso: dict[str, Any], udf: dict[str, Any], *, posix: bool = False
) -> tuple[Losses, Losses]:
    reader = BlockCache(MemorySource(bytes(2048)))
    found = compare(reader, Side(iso), Side(udf), posix=posix)  # type: ignore[arg-type]
    return found.iso, found.udf


def test_files_empty_or_cut_on_one_side() -> None:
    assert losses({"a": 5}, {"a": 0}) == (Losses(), Losses(files=1))
    assert losses({"a": LARGE % (1 << 32)}, {"a": LARGE}) == (Losses(files=1), Losses())
    assert losses({"d": {"a": 5}}, {"d": {}}) == (Losses(), Losses(files=1))
    assert losses({"a": 5}, {"a": 5}) == (Losses(), Losses())


def test_links_and_devices() -> None:
    link, device = made(stat.S_IFLNK | 0o777), made(stat.S_IFCHR | 0o600)
    assert losses({"a": link, "b": device}, {"a": 0}) == (Losses(), Losses(kinds=2))
    assert losses({"a": 0}, {"a": link}) == (Losses(kinds=1), Losses())


def test_modes_and_owners_count_where_rock_ridge_records_them() -> None:
    iso, udf = {"a": made(stat.S_IFREG | 0o755, 1)}, {"a": made(stat.S_IFREG | 0o444, 1)}
    assert losses(iso, udf, posix=True) == (Losses(), Losses(rights=1))
    assert losses(iso, udf) == (Losses(), Losses())
    owned = {"a": made(stat.S_IFREG | 0o444, 1, uid=1000)}
    assert losses(owned, udf, posix=True) == (Losses(), Losses(rights=1))


def test_names_that_differ_are_one_thing() -> None:
    """By case, by where the bytes are, and by kind and size."""
    assert losses({"A.TXT": 1}, {"a.txt": 1}) == (Losses(), Losses())
    iso = {"longna~1": made(stat.S_IFREG | 0o444, 7, data=4096), "empty_na": 0, "program_": {}}
    udf = {"a long name": made(stat.S_IFREG | 0o444, 7, data=4096), "empty name": 0}
    assert losses(iso, {**udf, "Program Files": {"x": 1}}) == (Losses(names=3), Losses())
    assert losses({"whole-name": 3}, {"whole-n": 3}) == (Losses(), Losses(names=1))


def test_a_walk_is_bounded_and_judges_only_what_it_saw() -> None:
    """What stands behind the part that was looked at may be the same on both sides."""
    names = [f"{n:05}" for n in range(5000)]
    iso = Side(dict.fromkeys(names, 1))
    udf = Side(dict.fromkeys(reversed(names), 1))
    found = compare(BlockCache(MemorySource(b"x")), iso, udf, posix=False)  # type: ignore[arg-type]
    assert found == (Losses(), Losses())
    assert iso.listed <= 1024
    assert udf.listed <= 1024
    wide = {f"d{n}": {f"e{m}": {"f": 1} for m in range(30)} for n in range(30)}
    side = Side(wide)
    assert compare(BlockCache(MemorySource(b"x")), side, Side(wide), posix=False) == (  # type: ignore[arg-type]
        Losses(),
        Losses(),
    )
    assert side.listed <= 2 * 1024


def test_a_large_directory_does_not_hide_the_others() -> None:
    link = made(stat.S_IFLNK | 0o777)
    many = dict.fromkeys((f"{n:05}" for n in range(20_000)), 1)
    iso, udf = {"a": many, "b": {"link": link}}, {"a": many, "b": {"link": 0}}
    assert losses(iso, udf) == (Losses(), Losses(kinds=1))


def test_a_large_directory_is_read_on_when_the_others_are_done() -> None:
    """What stands in it in another order, or a link after many files."""
    files = dict.fromkeys((f"{n:05}" for n in range(900)), 1)
    link = made(stat.S_IFLNK | 0o777)
    iso, udf = {**files, "link": link, "d": {}}, {"d": {}, "link": 0, **files}
    assert losses(iso, udf) == (Losses(), Losses(kinds=1))
    assert losses({**files, "Z": 1}, {"z": 1, **files}) == (Losses(), Losses())


def test_a_name_that_stands_twice_counts_once() -> None:
    class Twice(Side):
        def entries(self, reader: object, ino: int, position: int = 0) -> Any:
            for entry in super().entries(reader, ino):
                yield from (entry, entry)

    found = compare(BlockCache(MemorySource(b"x")), Twice({"a": 1}), Side({"a": 1}), posix=False)  # type: ignore[arg-type]
    assert found == (Losses(), Losses())


def test_directories_of_zeros_end_a_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 200 directories that are said to lie in the same 256 MiB of nothing."""
    tree = write_tree(tmp_path / "tree", {f"d{n:03}/file": b"x" for n in range(200)})
    image = genisoimage(tmp_path / "image.iso", tree, "-udf", "-r")
    size = image.stat().st_size
    with image.open("r+b") as file:
        file.truncate(size + (256 << 20))
        file.seek(16 * 2048 + 156 + 2)
        file.seek(2048 * int.from_bytes(file.read(4), "little"))
        root = bytearray(file.read(200 * 200))
        at = patched = 0
        while patched < 200:
            if root[at] == 0:
                at = (at // 2048 + 1) * 2048
                continue
            if root[at + 33 : at + 34] not in b"\0\1":
                for field, value in ((2, size // 2048), (10, 256 << 20)):
                    root[at + field : at + field + 4] = value.to_bytes(4, "little")
                    root[at + field + 4 : at + field + 8] = value.to_bytes(4, "big")
                patched += 1
            at += root[at]
        file.seek(-len(root), os.SEEK_CUR)
        file.write(root)
    lengths: list[int] = []
    read = BlockCache.read

    def counted(self: BlockCache, offset: int, length: int) -> bytes:
        lengths.append(length)
        return read(self, offset, length)

    monkeypatch.setattr(BlockCache, "read", counted)
    isomount.open(image, view="udf").close()
    without_comparison = sum(lengths)
    lengths.clear()
    with isomount.open(image) as disc:
        assert disc.view == "UDF 1.02"
    assert 8 << 20 < sum(lengths) - without_comparison < 10 << 20


# More directories than the walk comes to; each cuts a different number of files.
ORDER = """
from tests.formats.test_bridges import losses
files = [f"{n:02}" for n in range(50)]
iso = {f"d{n}": {name: int(name) < n for name in files} for n in range(50)}
udf = {f"d{n}": dict.fromkeys(files, 1) for n in range(50)}
print(losses(iso, udf))
"""


def test_the_choice_is_the_same_in_every_run() -> None:
    """That is, it does not depend on the hashes of names, which Python seeds at random."""
    said = {
        subprocess.run(
            [sys.executable, "-c", ORDER],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


def test_directories_that_hold_themselves_end() -> None:
    tree: dict[str, Any] = {"a": 1}
    tree["self"] = tree
    assert losses(tree, tree) == (Losses(), Losses())
