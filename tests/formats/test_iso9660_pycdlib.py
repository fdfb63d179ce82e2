"""pycdlib, a strict reader and writer by somebody else, as a second opinion."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pycdlib
import pytest

import isomount
from isomount.formats.options import Family, ViewOptions
from isomount.image import open_image
from tests.authoring import genisoimage, write_tree
from tests.corpus import Case, cases

# Larger images take pycdlib, which reads them whole, too long.
_SIZE_AT_MOST = 8 << 20
_ISO = ViewOptions(view=Family.ISO9660)
_TREES = {
    "rr_path": _ISO,
    "joliet_path": ViewOptions(view=Family.ISO9660, norock=True),
}


def theirs(disc: Any, argument: str) -> dict[str, tuple[str, int]]:
    """What pycdlib lists: path to kind and size."""
    found: dict[str, tuple[str, int]] = {}
    for folder, _, _ in disc.walk(**{argument: "/"}):
        for child in disc.list_children(**{argument: folder}):
            if child is None or child.is_dot() or child.is_dotdot():
                continue
            path = f"{folder.rstrip('/')}/{_name(child, argument)}".lstrip("/")
            found[path] = _kind(child)
    # Emptied of relocated directories, this folder is hidden here.
    found.pop("rr_moved", None)
    found.pop(".rr_moved", None)
    return found


def _name(child: Any, argument: str) -> str:
    if argument == "rr_path":
        return str(child.rock_ridge.name().decode())
    return str(child.file_identifier().decode("utf-16-be")).removesuffix(";1").rstrip(".")


def _kind(child: Any) -> tuple[str, int]:
    if child.is_dir():
        return "directory", 0
    if child.rock_ridge is not None and child.rock_ridge.is_symlink():
        return "link", len(child.rock_ridge.symlink_path())
    return "file", int(child.get_data_length())


def ours(path: Path, options: ViewOptions) -> dict[str, tuple[str, int]]:
    """What we list of it."""
    with open_image(path, options) as disc:
        return {
            name: ("directory", 0)
            if node.is_directory
            else ("link" if node.target is not None else "file", node.size)
            for name, node in disc.volume.walk()
            if name != "."
        }


def agree(path: Path) -> Iterator[str]:
    """Compare each tree that both know, and name it."""
    disc = pycdlib.PyCdlib()
    disc.open(str(path))
    has = {"rr_path": disc.has_rock_ridge(), "joliet_path": disc.has_joliet()}
    for argument, options in _TREES.items():
        if has[argument]:
            assert ours(path, options) == theirs(disc, argument), argument
            yield argument
    disc.close()


Author = Callable[[Any], None]


def rock_ridge(disc: Any) -> None:
    disc.add_directory("/DIR", rr_name="dir")
    disc.add_fp(io.BytesIO(b"hello"), 5, "/DIR/A.;1", rr_name="a")
    disc.add_fp(io.BytesIO(b""), 0, "/EMPTY.;1", rr_name="empty")
    disc.add_fp(io.BytesIO(b"n"), 1, "/LONG.;1", rr_name="n" * 248)
    disc.add_symlink("/LINK.;1", "link", "../x/./dir/a")
    disc.add_hard_link(iso_old_path="/DIR/A.;1", iso_new_path="/HARD.;1", rr_name="hard")


def joliet(disc: Any) -> None:
    disc.add_directory("/DIR", joliet_path="/Ünïcode dir")
    disc.add_fp(io.BytesIO(b"hello"), 5, "/DIR/A.;1", joliet_path="/Ünïcode dir/日本.txt")


def deep(disc: Any) -> None:
    path = iso = ""
    for level in range(1, 11):
        path, iso = f"level{level}", f"{iso}/D{level}"
        disc.add_directory(iso, rr_name=path)
    disc.add_fp(io.BytesIO(b"leaf"), 4, f"{iso}/F.;1", rr_name="leaf")


@pytest.mark.parametrize(
    ("options", "author", "trees"),
    [
        ({"rock_ridge": "1.09"}, rock_ridge, ["rr_path"]),
        ({"rock_ridge": "1.10"}, rock_ridge, ["rr_path"]),
        ({"rock_ridge": "1.12"}, rock_ridge, ["rr_path"]),
        ({"rock_ridge": "1.09", "xa": True}, rock_ridge, ["rr_path"]),
        ({"rock_ridge": "1.09"}, deep, ["rr_path"]),
        ({"joliet": 1}, joliet, ["joliet_path"]),
        ({"joliet": 3}, joliet, ["joliet_path"]),
    ],
)
def test_images_that_pycdlib_writes(
    options: dict[str, Any], author: Author, trees: list[str], tmp_path: Path
) -> None:
    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=3, **options)
    author(disc)
    path = tmp_path / "image.iso"
    disc.write(str(path))
    disc.close()
    assert list(agree(path)) == trees


def test_its_rock_ridge_details_are_ours(tmp_path: Path) -> None:
    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=3, rock_ridge="1.09")
    rock_ridge(disc)
    path = tmp_path / "image.iso"
    disc.write(str(path))
    disc.close()
    with isomount.open(path) as image:
        volume = image.volume
        assert volume.lookup("link").target == b"../x/./dir/a"
        assert volume.read(volume.lookup("dir/a")) == b"hello"
        assert volume.read(volume.lookup("hard")) == b"hello"
        # It counts one link, so nothing says that the two are one file.
        assert volume.lookup("hard").nlink == 1


def test_genisoimages_images(tmp_path: Path) -> None:
    folder = write_tree(
        tmp_path / "tree",
        {"a": b"1", "d/e/f/g/h/i/j/k/deep": b"22", "link": "a", "n" * 60: b"333", "é.txt": b""},
    )
    path = genisoimage(tmp_path / "image.iso", folder, "-R", "-J", "-D")
    assert list(agree(path)) == ["rr_path", "joliet_path"]


# Images that pycdlib refuses, fails on or never ends with, and those that it lists otherwise.
_NOT_READ = {
    "isolyzer__iso9660_apple.iso",
    "java-iso-tools__test.iso",
    "libappimage__AppImageExtract_6_no_magic_bytes-x86_64.AppImage",
    "libarchive__test_fuzz_1.iso",
    "libarchive__test_read_format_iso_rockridge_cl_re_control.iso",
    "libarchive__test_read_format_iso_rockridge_zf_overflow.iso",
    *(f"syz__iso9660_{number}.img" for number in ("05", "08", "11", "14")),
}
_LISTED_OTHERWISE = {
    # It shows the Joliet tree even where that one is empty.
    "clamav__iso_no_joliet.logo.iso",
    # Sizes of files beyond the image's end become negative.
    "govmomi__ttylinux-pc_i486-16.1.iso",
    # Of several sections only one counts.
    "libarchive__test_read_format_iso_multi_extent.iso",
    "libcdio__multi_extent_8k.iso",
    "libcdio__multi_extent_8k_emul_toc_padded.iso",
    "libcdio__multi_extent_8k_joliet.iso",
}
SMALL = [
    case
    for case in cases()
    if case.mounts
    and case.view == "iso9660"
    and case.image not in _NOT_READ | _LISTED_OTHERWISE
    and case.path.stat().st_size <= _SIZE_AT_MOST
]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.image)
def test_real_images_that_pycdlib_can_read(case: Case) -> None:
    assert set(agree(case.path)) <= _TREES.keys()
