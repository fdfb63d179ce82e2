"""In the foreground, and how a mount ends."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.command import (
    COMMAND,
    PATIENCE,
    check_log,
    daemon_pid,
    end_mount,
    environment,
    foreground,
    is_mounted,
    run,
    wait_for_end,
    wait_until,
)
from tests.conftest import MakeImage


@pytest.mark.parametrize("number", [15, 2, 1])
def test_signal_in_the_foreground(
    fuse: None, small_image: Path, tmp_path: Path, number: int
) -> None:
    folder = tmp_path / "m"
    with foreground(small_image, folder) as process:
        assert (folder / "readme.txt").exists()
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert out == ""
    assert "showing Rock Ridge" in err
    assert "WARNING" not in err
    assert not folder.exists()


def test_signal_in_the_background(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"log={log}").returncode == 0
    os.kill(daemon_pid(log), signal.SIGTERM)
    wait_for_end(daemon_pid(log))
    assert not is_mounted(folder)
    assert not folder.exists()
    check_log(log)


def test_unmounting_from_outside_ends_it(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with foreground(small_image, folder) as process:
        end_mount(folder)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert not folder.exists()


def test_debug_logs_requests(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with foreground(small_image, folder, "-d") as process:
        (folder / "readme.txt").read_bytes()
        end_mount(folder)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "DEBUG: lookup" in err


def test_signal_while_busy_serves_open_files_to_their_end(
    fuse: None, make_image: MakeImage, tmp_path: Path
) -> None:
    content = os.urandom(4 << 20)
    image = make_image({"big.bin": content}, "-R")
    folder = tmp_path / "m"
    with foreground(image, folder) as process:
        with (folder / "big.bin").open("rb", buffering=0) as file:
            assert file.read(1000) == content[:1000]
            process.send_signal(15)
            wait_until("it is detached", lambda: not is_mounted(folder))
            wait_until("its folder is gone", lambda: not folder.exists())
            file.seek(3 << 20)
            assert file.read(1 << 20) == content[3 << 20 :]
            assert process.poll() is None
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err


def test_second_signal_ends_at_once(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with foreground(small_image, folder) as process:
        file = os.open(folder / "readme.txt", os.O_RDONLY)
        process.send_signal(15)
        wait_until("its folder is gone", lambda: not folder.exists())
        wait_until("it ends", lambda: _signalled(process))
        _, err = process.communicate(timeout=PATIENCE)
    with pytest.raises(OSError, match="not connected"):
        os.close(file)
    assert process.returncode == 1
    assert "ending with files open" in err


def _signalled(process: "subprocess.Popen[str]") -> bool:
    process.send_signal(15)
    return process.poll() is not None


def caught_starting(image: Path, folder: Path, log: Path) -> "tuple[subprocess.Popen[bytes], int]":
    """The command while it waits for its daemon, which is stopped; and the daemon's process."""
    for _ in range(10):
        log.unlink(missing_ok=True)
        process = subprocess.Popen(
            [*COMMAND, str(image), str(folder), "-o", f"log={log}"], env=environment()
        )
        daemon = _daemon_of(process, folder)
        os.kill(daemon, signal.SIGSTOP)
        if not log.read_text():
            return process, daemon
        os.kill(daemon, signal.SIGCONT)  # it was quicker
        assert process.wait(PATIENCE) == 0
        end_mount(folder)
        wait_for_end(daemon)
    raise AssertionError("the daemon was quicker ten times")


def _daemon_of(process: "subprocess.Popen[bytes]", folder: Path) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    # The folder is made just before the fork.
    wait_until("the daemon is forked", lambda: folder.exists() and bool(children.read_text()))
    return int(children.read_text().split()[0])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_starter_gone_means_no_mount(
    fuse: None, small_image: Path, tmp_path: Path, number: int
) -> None:
    """Ended while it waits for the daemon: the daemon notices and leaves nothing behind."""
    folder, log = tmp_path / "m", tmp_path / "log"
    process, daemon = caught_starting(small_image, folder, log)
    process.send_signal(number)
    if number == signal.SIGINT:
        # This one is handled: it waits until the daemon has cleared away.
        os.kill(daemon, signal.SIGCONT)
        assert process.wait(PATIENCE) == 130
    else:
        assert process.wait(PATIENCE) == -number
        os.kill(daemon, signal.SIGCONT)
        wait_for_end(daemon)
        assert "who asked for it is gone" in log.read_text()
    assert not is_mounted(folder)
    assert not folder.exists()


def test_daemon_that_dies_while_starting(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    process, daemon = caught_starting(small_image, folder, log)
    os.kill(daemon, signal.SIGKILL)
    assert process.wait(PATIENCE) == 1
    assert not is_mounted(folder)
    assert not folder.exists()
