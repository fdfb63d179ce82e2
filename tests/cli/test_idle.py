"""-o idle=MIN: a mount that nobody uses ends, and one in use does not."""

import contextlib
import os
import time
from pathlib import Path

import pytest

from tests.cli.words import assert_failed
from tests.command import (
    check_log,
    daemon_pid,
    is_mounted,
    run,
    take_down,
    wait_for_end,
    wait_until,
)

_SOON = "0.005"  # minutes


def test_an_idle_mount_ends(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"idle={_SOON},log={log}").returncode == 0
    wait_for_end(daemon_pid(log))
    assert not is_mounted(folder)
    assert not folder.exists()
    assert "not used for 0.005 minutes, unmounting" in log.read_text()
    check_log(log)


def test_an_open_file_is_use(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"idle=0.02,log={log}").returncode == 0
    try:
        with (folder / "readme.txt").open("rb") as file:
            wait_until("it was tried", lambda: "in use after all" in log.read_text())
            assert is_mounted(folder)
            assert file.read() == b"hello\n"
        wait_for_end(daemon_pid(log))
        assert not folder.exists()
        check_log(log)
    finally:
        take_down(folder)


def test_looking_into_a_folder_again_is_use(fuse: None, small_image: Path, tmp_path: Path) -> None:
    """Also where the kernel knows the answer."""
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"idle=0.04,log={log}").returncode == 0
    try:
        for _ in range(50):
            assert os.listdir(folder)
            time.sleep(0.1)
        assert is_mounted(folder)
        wait_for_end(daemon_pid(log))
        check_log(log)
    finally:
        take_down(folder)


def test_asking_how_full_it_is_is_no_use(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"idle=0.01,log={log}").returncode == 0

    def gone() -> bool:
        if not is_mounted(folder):
            return True
        with contextlib.suppress(OSError):  # it went between the two
            os.statvfs(folder)
        return False

    wait_until("it ended all the same", gone)
    wait_for_end(daemon_pid(log))


@pytest.mark.parametrize("value", ["0", "-1", "x", "1e3", "", ".", "nan", "10000000"])
def test_bad_values(small_image: Path, value: str) -> None:
    said = "option idle: "
    assert_failed(run(small_image, "-o", f"idle={value}"), 2, said)
