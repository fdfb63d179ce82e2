"""Compressed images through real mounts: bytes as in the plain one, and what is kept of them."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.authoring import genisoimage, run_tool, write_tree
from tests.command import COMMAND, PATIENCE, environment, run, take_down, wait_until
from tests.conftest import Mounted
from tests.containers.streams import cache, content

__all__ = ["cache"]

_FILES: dict[str, bytes | str] = {
    "a.bin": content(3_000_000, 1),
    "deep/b.bin": content(2_000_000, 2),
    "last.txt": b"the end\n",
}
_PACKERS = {
    "gz": "gzip -c {}",
    "bz2": "bzip2 -c {}",
    "xz": "xz -0 -c {}",
    "blocks.xz": "xz -0 -c --block-size=1MiB {}",
    "zst": "zstd -qc {}",
    "dependent.lz4": "lz4 -qc -BD -B4 {}",
    "twice.gz.xz": "gzip -c {} | xz -0 -c",
}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compressed")
    return genisoimage(folder / "image.iso", write_tree(folder / "tree", _FILES), "-R")


def _packed(image: Path, kind: str, folder: Path) -> Path:
    path = folder / f"image.iso.{kind}"
    run_tool("sh", "-c", f"{_PACKERS[kind].format(image)} >{path}")
    return path


def _check(folder: Path) -> None:
    for name, data in reversed(_FILES.items()):
        assert (folder / name).read_bytes() == data


@pytest.mark.parametrize("kind", _PACKERS)
def test_the_bytes_are_those_of_the_plain_image(
    image: Path, tmp_path: Path, cache: Path, mounted: Mounted, kind: str
) -> None:
    packed = _packed(image, kind, tmp_path)
    for _ in range(2):
        with mounted(packed) as folder:
            _check(folder)


def test_what_takes_long_is_said(image: Path, tmp_path: Path, cache: Path) -> None:
    packed = _packed(image, "dependent.lz4", tmp_path)
    found = run("ls", packed)
    assert found.returncode == 0
    assert "is decompressed once, into" in found.stderr
    assert str(cache) in found.stderr
    assert run("cat", packed, "last.txt").stdout == "the end\n"
    assert "decompressed" not in run("ls", packed).stderr


def test_a_killed_mount_leaves_an_index_that_is_gone_on_with(
    image: Path, tmp_path: Path, cache: Path
) -> None:
    packed, folder = _packed(image, "gz", tmp_path), tmp_path / "folder"
    folder.mkdir()
    command = [*COMMAND, "-f", str(packed), str(folder)]
    for name in ("a.bin", "deep/b.bin"):
        with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as process:
            try:
                wait_until("the mount answers", lambda: os.path.ismount(folder))
                assert (folder / name).read_bytes() == _FILES[name]
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait(PATIENCE)
                take_down(folder)
    (points,) = (cache / "indexes").glob("*.points")
    size = points.stat().st_size
    assert size > 4 * 44
    started = time.monotonic()
    assert run("cat", packed, "last.txt").stdout == "the end\n"
    assert time.monotonic() - started < PATIENCE
    assert points.stat().st_size >= size
