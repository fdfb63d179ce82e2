"""What a service manager is told, read from a notify socket as systemd's is."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from isomount.daemon.notify import notify
from tests.command import (
    COMMAND,
    PATIENCE,
    daemon_pid,
    end_mount,
    environment,
    is_mounted,
    run,
    take_down,
    wait_for_end,
)


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A service manager's socket, and its address as NOTIFY_SOCKET has it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@isomount-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        listener.settimeout(PATIENCE)
        yield name, listener


def hear(listener: socket.socket) -> list[str]:
    return listener.recv(65536).decode().split("\n")


@pytest.mark.parametrize("by", ["SIGTERM", "fusermount3"])
def test_a_service_tells_its_life(
    fuse: None, manager: tuple[str, socket.socket], small_image: Path, tmp_path: Path, by: str
) -> None:
    address, listener = manager
    folder = tmp_path / "m"
    process = subprocess.Popen(
        [*COMMAND, "-f", str(small_image), str(folder)],
        env=environment({"NOTIFY_SOCKET": address}),
        stderr=subprocess.PIPE,
    )
    try:
        said = hear(listener)
        assert said == ["READY=1", f"STATUS=showing {small_image} (Rock Ridge) on {folder}"]
        assert (folder / "readme.txt").read_bytes() == b"hello\n"  # at once: that is "ready"
        if by == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        else:
            end_mount(folder)
        assert hear(listener)[0] == "STOPPING=1"
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait(PATIENCE)
        take_down(folder)
    assert process.returncode == 0
    assert b"WARNING" not in errors


def test_a_mount_that_fails_is_never_ready(
    fuse: None, manager: tuple[str, socket.socket], tmp_path: Path
) -> None:
    address, listener = manager
    (tmp_path / "text").write_text("no image\n" * 9000)
    done = run("-f", tmp_path / "text", tmp_path / "m", env={"NOTIFY_SOCKET": address})
    assert done.returncode == 30
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.recv(1)


def test_a_daemon_is_not_the_service_that_started_it(
    fuse: None, manager: tuple[str, socket.socket], small_image: Path, tmp_path: Path
) -> None:
    address, listener = manager
    folder, log = tmp_path / "m", tmp_path / "log"
    done = run(small_image, folder, "-o", f"log={log}", env={"NOTIFY_SOCKET": address})
    assert done.returncode == 0
    end_mount(folder)
    wait_for_end(daemon_pid(log))
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.recv(1)


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "vsock:2:3", "@" + "x" * 300])
def test_without_a_manager_nothing_happens(
    fuse: None, small_image: Path, tmp_path: Path, address: str
) -> None:
    folder = tmp_path / "m"
    process = subprocess.Popen(
        [*COMMAND, "-f", str(small_image), str(folder)],
        env=environment({"NOTIFY_SOCKET": address}),
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert b"showing Rock Ridge" in line, line
        assert is_mounted(folder)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait(PATIENCE)
        take_down(folder)
    assert (process.returncode, b"Traceback" in errors) == (0, False)


def test_one_line_each(manager: tuple[str, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with a line end in it is no assignment of its own."""
    address, listener = manager
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert notify("READY=1", "STATUS=a\nERRNO=5 \udcff")
    assert hear(listener) == ["READY=1", "STATUS=a ERRNO=5 \\udcff"]
