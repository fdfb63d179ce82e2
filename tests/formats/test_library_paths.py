"""ImagePath, compared with pathlib on the tree that the image was made from."""

import errno
import importlib.resources.abc
import io
import os
import pickle
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import isomount
from isomount import Image, ImagePath
from isomount.formats.options import ViewOptions
from tests.authoring import genisoimage, write_tree
from tests.corpus import CORPUS, all_images, needs_corpus
from tests.formats.iso_builder import (
    ROOT,
    IsoImage,
    MemorySource,
    directory_record,
    many_folders,
    nm,
    record,
)
from tests.unit.test_tree_walks import BadSector

FILES: dict[str, bytes | str] = {
    "readme.txt": b"hello\nworld\n",
    "Ünïcode 日本.txt": "größe\n".encode(),
    "a/b/c/deep.tar.gz": bytes(range(256)) * 100,
    "a/b/.hidden": b"",
    "a/up": "..",
    "a/link": "b/c",
    "file link": "readme.txt",
    "dangling": "nowhere/x",
    "loop": "loop",
    "a/[x].txt": b"brackets",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("library") / "tree", FILES)


@pytest.fixture(scope="module")
def image(tree: Path) -> Iterator[Image]:
    with isomount.open(genisoimage(tree.parent / "x.iso", tree, "-R", "-J", "-V", "LIB")) as image:
        yield image


def everything(root: ImagePath) -> list[ImagePath]:
    return sorted(root.rglob("*"))


def test_every_path_is_what_it_is_on_the_disk(tree: Path, image: Image) -> None:
    found = everything(image.root)
    assert [str(path) for path in found] == sorted(
        str(path.relative_to(tree)) for path in tree.rglob("*")
    )
    for path in found:
        there = tree / str(path)
        assert (path.name, path.suffix, path.stem) == (there.name, there.suffix, there.stem)
        assert path.exists() == os.path.exists(there)
        assert path.is_dir() == os.path.isdir(there)
        assert path.is_file() == os.path.isfile(there)
        assert path.is_symlink() == there.is_symlink()
        if path.is_symlink():
            assert path.readlink() == os.readlink(there)
        if path.is_file():
            assert path.read_bytes() == there.read_bytes()
            assert path.stat().st_size == there.stat().st_size
            assert int(path.stat().st_mtime) == int(there.stat().st_mtime)


def test_stat_is_pythons_own(tree: Path, image: Image) -> None:
    file = image.root / "readme.txt"
    node = image.volume.lookup("readme.txt")
    status = file.stat()
    assert isinstance(status, os.stat_result)
    assert stat.filemode(status.st_mode)[0] == "-"
    assert (status.st_ino, status.st_nlink, status.st_dev) == (node.ino, node.nlink, 0)
    assert status.st_mtime_ns == node.mtime_ns
    assert status.st_mtime == node.mtime_ns / 1e9
    assert (status.st_blocks, status.st_size) == (1, 12)
    link = image.root / "file link"
    assert link.stat() == status
    assert stat.S_ISLNK(link.lstat().st_mode)
    assert link.stat(follow_symlinks=False) == link.lstat()
    assert link.exists(follow_symlinks=False)


@given(
    names=st.lists(
        st.sampled_from(["a", "b", "c", "*", "**", "?", "*.txt", "[ab]", "link", "up", "[[]x*"]),
        min_size=1,
        max_size=4,
    )
)
def test_any_pattern(tree: Path, image: Image, names: list[str]) -> None:
    pattern = "/".join(names)
    expected = set(tree.glob(pattern))
    if names[-1] == "**":  # from Python 3.13 on, and here, it matches files as well
        expected |= set(tree.glob(f"{pattern}/*"))
    found = [str(path) for path in image.root.glob(pattern)]
    assert len(found) == len(set(found))
    assert set(found) == {os.path.relpath(path, tree) for path in expected}


def test_a_walk_is_that_of_os_walk(tree: Path, image: Image) -> None:
    expected = {
        os.path.relpath(top, tree): (
            sorted(each for each in below if not (Path(top) / each).is_symlink()),
            sorted(
                [*files, *(each for each in below if (Path(top) / each).is_symlink())],
            ),
        )
        for top, below, files in os.walk(tree)
    }
    found = {
        str(path): (sorted(below), sorted(others)) for path, below, others in image.root.walk()
    }
    assert found == expected


def test_a_walk_leaves_out_what_is_taken_out(image: Image) -> None:
    seen = []
    for path, below, _ in image.root.walk():
        seen.append(str(path))
        if "b" in below:
            below.remove("b")
    assert seen == [".", "a"]


def test_names_lead_to_names(image: Image) -> None:
    root = image.root
    path = root / "a" / "b"
    assert path == root.joinpath("a", "b") == root / "a/./b/" == root / "x" / "/a/b"
    assert hash(path) == hash(root / "a/b")
    assert path.parts == ("a", "b")
    assert path.parent == root / "a"
    assert root.parent == root
    assert (root.name, root.suffix, str(root)) == ("", "", ".")
    assert Path("/out") / str(path) == Path("/out/a/b")
    assert root < path < root / "a/c" <= root / "a/c"
    assert path != "a/b"
    assert repr(path) == f"ImagePath('a/b' in {image.name!r})"
    with pytest.raises(TypeError):
        _ = path < "a/b"


def test_paths_of_two_images_differ(image: Image) -> None:
    with isomount.open(image.name) as other:
        assert other.root != image.root
        with pytest.raises(TypeError):
            _ = other.root < image.root


def test_it_is_a_traversable(image: Image) -> None:
    path: importlib.resources.abc.Traversable = image.root / "readme.txt"
    assert isinstance(path, importlib.resources.abc.Traversable)
    assert path.read_text() == "hello\nworld\n"


def test_text(image: Image) -> None:
    path = image.root / "Ünïcode 日本.txt"
    assert path.read_text() == "größe\n"
    assert path.read_text(encoding="latin-1") == "gröÃ\x9fe\n".replace("ö", "Ã¶")
    with (image.root / "readme.txt").open() as file:
        assert isinstance(file, io.TextIOWrapper)
        assert list(file) == ["hello\n", "world\n"]
    with (image.root / "readme.txt").open("rb") as binary:
        assert isinstance(binary, io.BufferedReader)
        assert binary.readline() == b"hello\n"
    with pytest.raises(isomount.UsageError, match="only read"):
        path.open("w")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [
        ("none", FileNotFoundError, errno.ENOENT),
        ("a/none/x", FileNotFoundError, errno.ENOENT),
        ("dangling", FileNotFoundError, errno.ENOENT),
        ("readme.txt/x", NotADirectoryError, errno.ENOTDIR),
        ("a/b", IsADirectoryError, errno.EISDIR),
        ("loop", isomount.PathError, errno.ELOOP),
    ],
)
def test_errors_are_pythons_own_and_ours(
    image: Image, path: str, kind: type[OSError], code: int
) -> None:
    with pytest.raises(kind) as caught:
        (image.root / path).read_bytes()
    assert isinstance(caught.value, isomount.IsomountError)
    assert (caught.value.errno, caught.value.filename) == (code, path)
    assert str(caught.value).startswith(f"{path}: ")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))


def test_what_is_no_directory_is_not_listed(image: Image) -> None:
    with pytest.raises(isomount.PathNotDirectoryError):
        (image.root / "readme.txt").iterdir()
    with pytest.raises(isomount.PathNotFoundError):
        (image.root / "none").iterdir()
    with pytest.raises(isomount.PathError, match="is no symbolic link"):
        (image.root / "readme.txt").readlink()
    assert list((image.root / "none").walk()) == list((image.root / "none").rglob("*")) == []
    with pytest.raises(isomount.UsageError, match="pattern"):
        list(image.root.glob(""))


def crafted(image: IsoImage) -> Image:
    return Image(MemorySource(image.data()), ViewOptions())


def test_a_lost_directory_is_an_error_of_its_own() -> None:
    image = IsoImage()
    image.root(record(b"A;1"), directory_record(b"GONE", 5000), record(b"Z;1"))
    root = crafted(image).root
    assert [path.name for path in root.iterdir()] == ["a", "gone", "z"]
    gone = root / "gone"
    assert not gone.exists()
    assert not gone.is_dir()
    for look in (gone.stat, gone.iterdir, gone.read_bytes):
        with pytest.raises(isomount.PathError, match="past the end of the image") as caught:
            look()
        assert (caught.value.errno, caught.value.filename) == (errno.EIO, "gone")
    assert list(root.walk()) == [(root, [], ["a", "gone", "z"])]


def test_a_root_on_a_bad_sector_is_told() -> None:
    source = BadSector(many_folders(3).data())
    image = Image(source, ViewOptions())
    source.bad = ROOT
    assert list(image.root.glob("*")) == []
    errors: list[OSError] = []
    assert list(image.root.walk(errors.append)) == []
    assert [(error.errno, error.filename) for error in errors] == [(errno.EIO, ".")]
    with pytest.raises(isomount.PathError):
        (image.root / "d00").stat()


def test_a_walk_ends_whatever_the_disc_says() -> None:
    circle = IsoImage()
    circle.root(directory_record(b"SUB", 40))
    circle.directory(40, directory_record(b"SELF", 40))
    errors: list[OSError] = []
    found = [str(path) for path, _, _ in crafted(circle).root.walk(errors.append)]
    assert found == [".", "sub"]
    assert [str(error) for error in errors] == ["sub/self: it holds itself or nests without end"]

    doubling = IsoImage()
    doubling.root(directory_record(b"A", 40), directory_record(b"B", 40))
    for block in range(40, 80):
        below = (directory_record(name, block + 1) for name in (b"A", b"B"))
        doubling.directory(block, *below)
    doubling.directory(80)
    assert len(list(crafted(doubling).root.rglob("*"))) < 2000

    deep = IsoImage(blocks=4300)
    deep.rock_ridge(directory_record(b"D", 100, use=nm(b"n" * 200)))
    for block in range(100, 4250):
        deep.directory(block, directory_record(b"D", block + 1, use=nm(b"n" * 200)))
    assert sum(1 for _ in crafted(deep).root.walk()) < 4200


@needs_corpus
@pytest.mark.parametrize("name", all_images())
def test_real_images(name: str) -> None:
    """Paths show what the volume holds, and nothing but our own errors comes out of any."""
    try:
        image = isomount.open(CORPUS / name)
    except isomount.IsomountError:
        return
    with image:
        nodes = dict(image.volume.walk())
        found = {str(path): path for path in image.root.rglob("*")}
        assert set(found) == set(nodes) - {"."}
        for text, path in found.items():
            node = nodes[text]
            assert path.node(follow_symlinks=False) == node
            if node.content is None or node.size > 1 << 20:
                continue
            try:
                data = path.read_bytes()
            except isomount.PathError:
                with pytest.raises((isomount.IsomountError, OSError)):
                    image.volume.read(node)
            else:
                assert data == image.volume.read(node)
