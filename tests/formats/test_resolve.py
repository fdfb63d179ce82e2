"""Paths that lead through symbolic links, compared with a walk over the same tree on the disk."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import isomount
from isomount.image import Image
from isomount.tree import resolve
from tests.authoring import genisoimage, write_tree

NAMES = ["a", "b", "c", "link", "up", "round", "root", "file", "..", "."]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files: dict[str, bytes | str] = {
        "a/b/c/file": b"deep",
        "a/link": "b/c",
        "a/b/up": "..",
        "a/b/round": "../link/../../b/up",
        "a/root": "../../../..",
        "file": b"top",
        "b": "a/b",
    }
    return write_tree(tmp_path_factory.mktemp("resolve") / "tree", files)


@pytest.fixture(scope="module")
def image(tree: Path) -> Path:
    return genisoimage(tree.parent / "x.iso", tree, "-R")


def real(root: Path, path: str) -> str | None:
    """Where ``path`` leads in the folder ``root``, as if it were the root; None for nowhere."""
    trail: list[str] = []
    todo = [name for name in reversed(path.split("/")) if name not in ("", ".")]
    for _ in range(200):
        if not todo:
            return "/".join(trail)
        here = root.joinpath(*trail)
        if not here.is_dir() or here.is_symlink():
            return None
        name = todo.pop()
        if name == "..":
            del trail[-1:]
        elif os.path.islink(here / name):
            todo += [each for each in reversed(os.readlink(here / name).split("/")) if each != "."]
        elif os.path.lexists(here / name):
            trail.append(name)
        else:
            return None
    return None


@pytest.fixture(scope="module")
def opened(image: Path) -> Iterator[Image]:
    with isomount.open(image) as opened:
        yield opened


@given(path=st.lists(st.sampled_from(NAMES), max_size=8).map("/".join))
def test_any_path(tree: Path, opened: Image, path: str) -> None:
    volume = opened.volume
    expected = real(tree, path)
    if expected is None:
        with pytest.raises(OSError, match=r"No such file|Not a directory|Too many levels"):
            resolve(volume, path)
    else:
        assert resolve(volume, path).ino == volume.lookup(expected).ino
