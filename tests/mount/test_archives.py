"""Mounts of images in archives and in pieces show what the plain image has."""

import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.authoring import run_tool
from tests.conftest import MakeImage, Mounted
from tests.snapshot import snapshot


def _zip(image: Path, folder: Path, method: int) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w", method) as archive:
        archive.write(image, "d/disc.iso")
        archive.writestr("readme.txt", "about it")
    return folder / "a.zip"


def _tar(image: Path, folder: Path) -> Path:
    with tarfile.open(folder / "a.tar.gz", "w:gz") as archive:
        archive.add(image, "d/disc.iso")
    return folder / "a.tar.gz" / "d" / "disc.iso"


def _sevenzip(image: Path, folder: Path) -> Path:
    pytest.importorskip("libarchive")
    run_tool("7z", "a", str(folder / "a.7z"), str(image))
    return folder / "a.7z"


def _split(image: Path, folder: Path) -> Path:
    run_tool("split", "-b", "300000", str(image), str(folder / "disc.iso."))
    return folder / "disc.iso.ac"


MAKERS: dict[str, Callable[[Path, Path], Path]] = {
    "zip stored": lambda image, folder: _zip(image, folder, zipfile.ZIP_STORED),
    "zip deflated": lambda image, folder: _zip(image, folder, zipfile.ZIP_DEFLATED),
    "tar.gz": _tar,
    "7z": _sevenzip,
    "pieces": _split,
}


def test_what_is_shown_is_that_of_the_plain_image(
    mounted: Mounted, make_image: MakeImage, tmp_path: Path
) -> None:
    files: dict[str, bytes | str] = {"a.bin": bytes(range(256)) * 3000, "d/b.txt": b"text"}
    image = make_image(files, "-R")
    with mounted(image) as folder:
        expected = snapshot(folder)
    for name, make in MAKERS.items():
        with mounted(make(image, tmp_path)) as folder:
            assert snapshot(folder) == expected, name
