"""What the kernel has to ask for, counted in the log of every request."""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from isomount.sources import LocalSource
from tests.command import PATIENCE, end_mount, foreground
from tests.conftest import MakeImage

_REQUEST = re.compile(r" DEBUG: (\w+)\(")


@pytest.fixture
def asked(
    make_image: MakeImage, tmp_path: Path, fuse: None
) -> Callable[[Callable[[Path], object]], Counter[str]]:
    """What the daemon is asked while something is done with a folder of 20 small files."""
    image = make_image({f"files/f{n:02d}": b"%d" % n * 500 for n in range(20)}, "-R")
    source = LocalSource(image)
    source.read_at(0, source.size)
    tells = source.read_resident(0, 2048) is not None
    source.close()
    if not tells:
        pytest.skip("the temporary folder's file system cannot tell what is in memory")

    def count(visit: Callable[[Path], object]) -> Counter[str]:
        folder = tmp_path / "mount"
        with foreground(image, folder, "-d") as process:
            try:
                visit(folder)
            finally:
                end_mount(folder)
            _, log = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, log
        return Counter(_REQUEST.findall(log))

    return count


Asked = Callable[[Callable[[Path], object]], Counter[str]]


def test_a_long_listing_needs_no_request_a_file(asked: Asked) -> None:
    found = asked(lambda folder: subprocess.run(["ls", "-lR", folder], check=True))
    assert found["getattr"] + found["lookup"] <= 3
    # The kernel asks once whether there are extended attributes, and never again.
    assert found["getxattr"] + found["listxattr"] <= 2


def test_a_small_file_is_there_when_it_is_opened(asked: Asked) -> None:
    def visit(folder: Path) -> None:
        for number in range(20):
            assert (folder / f"files/f{number:02d}").read_bytes() == b"%d" % number * 500

    found = asked(visit)
    assert found["open"] == 20
    assert found["read"] == 0


def test_pages_that_the_kernel_dropped_are_read_again(asked: Asked) -> None:
    """Only the first open hands the content over: later it might wait for a locked page."""

    def visit(folder: Path) -> None:
        file = folder / "files/f07"
        assert file.read_bytes() == b"7" * 500
        with file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        assert file.read_bytes() == b"7" * 500

    found = asked(visit)
    assert found["open"] == 3
    assert found["read"] == 1


def test_a_second_visit_asks_for_no_content_and_no_attributes(asked: Asked) -> None:
    def visit(folder: Path) -> None:
        for _ in range(2):
            for entry in os.scandir(folder / "files"):
                entry.stat(follow_symlinks=False)
                Path(entry).read_bytes()

    found = asked(visit)
    assert found["read"] == 0
    assert found["lookup"] + found["getattr"] <= 3


def test_a_second_walk_is_the_same_and_asks_for_nothing(asked: Asked, way: str) -> None:
    """pyfuse3 cannot tell the kernel to keep a listing; with it each walk lists anew."""

    def walk(folder: Path) -> str:
        words = ["find", str(folder), "-printf", r"%P %s %i %T@\n"]
        found = subprocess.run(words, check=True, capture_output=True, text=True)
        return found.stdout

    def visit(folder: Path) -> None:
        first = walk(folder)
        assert len(first.splitlines()) == 22
        for _ in range(3):
            assert walk(folder) == first

    once, often = asked(walk), asked(visit)
    listed = "readdirplus" if way == "lane" else "readdir"
    walks = 1 if way == "lane" else 4
    assert often[listed] == walks * once[listed] > 0
    assert often["opendir"] == (1 if way == "lane" else walks * once["opendir"])
    assert often["lookup"] + often["getattr"] <= 3


def test_names_that_are_not_there_are_asked_for_once(asked: Asked) -> None:
    def visit(folder: Path) -> None:
        for _ in range(10):
            assert not (folder / "files/.hidden").exists()
            assert not (folder / "autorun.inf").exists()

    assert asked(visit)["lookup"] <= 3


def test_every_request_is_logged(asked: Asked, way: str) -> None:
    """Also one that nobody here knows; libfuse alone refuses that without a word."""

    def seek(folder: Path) -> None:
        with (folder / "files/f07").open("rb") as file:
            assert os.lseek(file.fileno(), 0, os.SEEK_DATA) == 0

    found = asked(seek)
    assert found["lseek"] == (1 if way == "lane" else 0)
    assert found["statfs"] >= 1
    assert found["open"] == 1
