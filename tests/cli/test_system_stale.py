"""What a killed daemon leaves behind does not stop the next mount."""

import os
from pathlib import Path

import pytest

from tests.cli.words import assert_failed, mount_line
from tests.command import daemon_pid, mount_points, run, take_down, wait_for_end
from tests.conftest import Mounted

_SAYS = "cleared away the mount of {}, whose daemon had died"


def leave_dead_mount(image: Path, folder: Path, log: Path, *, user: bool = False) -> None:
    done = run(image, folder, "-o", f"log={log}", user=user)
    assert done.returncode == 0, done.stderr
    os.kill(daemon_pid(log), 9)
    wait_for_end(daemon_pid(log))


@pytest.mark.parametrize("user", [False, True])
def test_the_next_mount_clears_it_away(
    mounted: Mounted, small_image: Path, user_folder: Path, user: bool
) -> None:
    image, folder = user_folder / "small.iso", user_folder / "m"
    image.write_bytes(small_image.read_bytes())
    leave_dead_mount(image, folder, user_folder / "log", user=user)
    log = user_folder / "log2"
    done = run(image, folder, "-o", f"log={log}", user=user)
    try:
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == f"isomount: {folder}: {_SAYS.format(image)}\n"
        assert mount_points().count(str(folder)) == 1
        assert f" fuse.isomount {image} " in mount_line(folder)
    finally:
        take_down(folder)
    wait_for_end(daemon_pid(log))
    assert not folder.exists()  # the first one had made it, and did not live to remove it


def test_a_folder_of_ones_own_is_kept(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log2"
    folder.mkdir()
    leave_dead_mount(small_image, folder, tmp_path / "log")
    done = run(small_image, folder, "-o", f"log={log}")
    take_down(folder)
    assert _SAYS.format(small_image) in done.stderr
    wait_for_end(daemon_pid(log))
    assert folder.is_dir()


def test_not_for_an_image_that_cannot_be_mounted(
    fuse: None, small_image: Path, tmp_path: Path
) -> None:
    """What is wrong with the image is told first, and the dead mount still marks its place."""
    folder = tmp_path / "m"
    leave_dead_mount(small_image, folder, tmp_path / "log")
    try:
        assert_failed(run(tmp_path / "none.iso", folder), 11, "no such file")
        assert str(folder) in mount_points()
    finally:
        take_down(folder)


def test_another_users_stays(small_image: Path, user_folder: Path) -> None:
    image, folder = user_folder / "small.iso", user_folder / "m"
    image.write_bytes(small_image.read_bytes())
    leave_dead_mount(image, folder, user_folder / "log")
    try:
        done = run(image, folder, user=True)
        assert done.returncode == 10, done.stderr
        assert "cleared away" not in done.stderr
        assert str(folder) in mount_points()
    finally:
        take_down(folder)
