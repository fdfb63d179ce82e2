"""Every refusal: its sentence, its exit code, nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.words import assert_failed
from tests.command import (
    ORDINARY_USER,
    PATIENCE,
    daemon_pid,
    environment,
    is_mounted,
    run,
    wait_for_end,
)
from tests.conftest import MakeImage, Mounted


def test_image_that_cannot_be_read(small_image: Path, tmp_path: Path) -> None:
    assert_failed(run(tmp_path / "none.iso", tmp_path / "m"), 11, "no such file")
    assert_failed(run(tmp_path, tmp_path / "m"), 11, "is a folder")
    (tmp_path / "loop.iso").symlink_to("loop.iso")
    assert_failed(run(tmp_path / "loop.iso", tmp_path / "m"), 11, "loop.iso")
    os.mkfifo(tmp_path / "fifo")
    assert_failed(run(tmp_path / "fifo", tmp_path / "m"), 11, "neither a file nor a disc drive")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 100_000, b"PK\3\4" * 30_000])
def test_not_an_image(tmp_path: Path, content: bytes) -> None:
    image = tmp_path / "x.iso"
    image.write_bytes(content)
    assert_failed(run(image, tmp_path / "m"), 30, f"{image}: ")
    assert_failed(run(image, tmp_path / "m", "-f"), 30, f"{image}: ")
    assert not (tmp_path / "m").exists()


def test_image_without_permission(as_root: None, small_image: Path, tmp_path: Path) -> None:
    """The rights are dropped in the process: elsewhere tests may let the user look up more."""
    code = (
        "import os, sys, isomount.cli.mount\n"
        "from isomount.cli import main\n"
        f"os.setgroups([]); os.setresgid(*[{ORDINARY_USER}] * 3)\n"
        f"os.setresuid(*[{ORDINARY_USER}] * 3)\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(small_image), str(tmp_path / "m")],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert_failed(done, 11, "no permission to read it")


def test_log_that_cannot_be_written(small_image: Path, tmp_path: Path) -> None:
    done = run(small_image, tmp_path / "m", "-o", f"log={tmp_path}/none/log")
    assert_failed(done, 2, "log=")
    assert not (tmp_path / "m").exists()


def test_unusable_mount_points(fuse: None, small_image: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert_failed(run(small_image, tmp_path / "file"), 10, "is a file")
    assert_failed(run(small_image, tmp_path / "file/m"), 10, "Not a directory")
    assert_failed(run(small_image, tmp_path / "none/m"), 10, f"folder {tmp_path}/none is missing")
    assert_failed(run(small_image, tmp_path), 10, "is not empty")
    assert_failed(run(small_image, "/proc"), 10, "something else is mounted there already")
    assert_failed(run(small_image, "/proc/m"), 10, "cannot be made")


def test_mount_point_in_use(
    mounted: Mounted, make_image: MakeImage, small_image: Path, tmp_path: Path
) -> None:
    other = make_image({"other": b""}, "-R")
    (tmp_path / "link.iso").symlink_to(small_image)
    with mounted(small_image) as folder:
        assert_failed(run(small_image, folder), 10, "this very image is mounted there already")
        assert_failed(run(tmp_path / "link.iso", folder), 10, "this very image")
        assert_failed(run(other, folder), 10, f"another image, {small_image}, is mounted there")
        assert (folder / "readme.txt").exists()


def test_dead_mount_of_another_kind(fuse: None, small_image: Path, tmp_path: Path) -> None:
    """It is not cleared away: who knows what somebody wants with it."""
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"subtype=other,log={log}").returncode == 0
    os.kill(daemon_pid(log), 9)
    wait_for_end(daemon_pid(log))
    assert_failed(run(small_image, folder), 10, "is dead, its daemon crashed or was killed; clear")
    done = run(small_image, folder)
    remedy = done.stderr.partition("clear it with: ")[2].split()
    assert remedy == ["fusermount3", "-u", "-z", str(folder)]
    assert_failed(run(small_image, folder / "in"), 10, "is dead")
    assert subprocess.run(remedy, check=False, timeout=PATIENCE).returncode == 0
    assert not is_mounted(folder)


def test_hung_mount(fuse: None, small_image: Path, tmp_path: Path) -> None:
    """A mount whose daemon is stopped does not stop the command, and the remedy works."""
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"log={log}").returncode == 0
    pid = daemon_pid(log)
    os.kill(pid, 19)
    try:
        done = run(small_image, folder)
        assert_failed(done, 10, "does not answer, what is mounted there hangs; clear it with")
        assert run("umount", "--lazy", folder).returncode == 0
    finally:
        os.kill(pid, 18)
    wait_for_end(pid)
