"""A desktop session for each module of tests, and the discs that they show in it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.authoring import genisoimage, write_tree
from tests.command import ORDINARY_USER
from tests.desktop.session import HOME, Session, session

# 2026-07-14 12:00 UTC, for every file on every disc.
WHEN = 1784030400

MakeDisc = Callable[..., Path]


@pytest.fixture(scope="module")
def desktop(fuse: None, as_root: None) -> Iterator[Session]:
    """A running desktop session of an ordinary user's."""
    with session() as running:
        yield running


@pytest.fixture
def make_disc(desktop: Session, tmp_path: Path) -> MakeDisc:
    """``make_disc({"a.txt": b"..."}, "LABEL")``: an image in the user's home, by its path there."""

    def make(files: dict[str, bytes | str], label: str) -> Path:
        tree = write_tree(tmp_path / label, files)
        for path in tree.rglob("*"):
            os.utime(path, (WHEN, WHEN), follow_symlinks=False)
        image = genisoimage(desktop.home / f"{label}.iso", tree, "-R", "-J", "-V", label)
        os.chown(image, ORDINARY_USER, ORDINARY_USER)
        return HOME / image.name

    return make
