"""The real command in a process of its own, and mounts that are always taken down again."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# Warnings are errors in the daemon as well.
COMMAND = [sys.executable, "-W", "error", "-m", "isomount"]
CHECKOUT = Path(__file__).resolve().parent.parent

# "nobody", who has no rights anywhere.
ORDINARY_USER = 65534

# Whether mounts use the fast lane or pyfuse3 alone: words for the command. tests/mount tries both.
way: tuple[str, ...] = ()

# How long anything may take before a test calls it stuck, in seconds.
PATIENCE = 30.0

_PID = re.compile(r" isomount\[(\d+)\] ")
_WORRYING = re.compile(r" isomount\[\d+\] (WARNING|ERROR|CRITICAL): |^Traceback ")


def run(
    *words: str | Path,
    user: bool = False,
    cwd: Path | None = None,
    prefix: Iterable[str] = (),
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command with ``words`` to its end, as an ordinary user if ``user``."""
    command = [*prefix, *(as_ordinary_user() if user else ()), *COMMAND, *map(str, words)]
    return subprocess.run(
        command,
        cwd=cwd or "/",
        env=environment(env),
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=PATIENCE,
        check=False,
    )


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """This environment, with the checkout's isomount found first, and no memory of images."""
    ours = {"PYTHONPATH": str(CHECKOUT), "XDG_STATE_HOME": "/dev/null"}
    return {**os.environ, **ours, **(more or {})}


@cache
def as_ordinary_user() -> tuple[str, ...]:
    """The words before a command that make it an ordinary user's."""
    ids = ("setpriv", f"--reuid={ORDINARY_USER}", f"--regid={ORDINARY_USER}", "--clear-groups")
    # Where Python or the checkout lie in root's home, the user may look everything up, but no more.
    looking = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    for prefix in (ids, (*ids, *looking)):
        attempt = subprocess.run(
            [*prefix, sys.executable, "-c", "import isomount, pyfuse3, trio"],
            env=environment(),
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        if attempt.returncode == 0:
            return prefix
    raise AssertionError(f"an ordinary user cannot run the command: {attempt.stderr.decode()}")


def foreground(image: Path, folder: Path, *words: str) -> "subprocess.Popen[str]":
    """The command with -f, once the mount answers, as it tells a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(b"")  # a free address of the kernel's choice, outside the file system
        manager.setblocking(False)
        process = subprocess.Popen(
            [*COMMAND, str(image), str(folder), "-f", *way, *words],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment({"NOTIFY_SOCKET": "@" + manager.getsockname()[1:].decode()}),
        )
        wait_until("it answers", lambda: _is_told(manager) or process.poll() is not None)
    return process


def _is_told(manager: socket.socket) -> bool:
    try:
        return manager.recv(65536).startswith(b"READY=1")
    except BlockingIOError:
        return False


def is_mounted(path: Path) -> bool:
    """Whether anything is mounted on ``path``, without touching it."""
    return str(path) in mount_points()


def mount_points() -> list[str]:
    """Every mount point, without touching any."""
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    return [os.fsdecode(_unescaped(line.split(b" ")[4])) for line in lines]


def _unescaped(field: bytes) -> bytes:
    return re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), field)


def end_mount(path: Path, *, lazy: bool = False) -> None:
    """Unmount ``path`` as anybody may."""
    subprocess.run(
        ["fusermount3", "-u", *(["-z"] if lazy else []), "--", str(path)],
        check=True,
        timeout=PATIENCE,
        capture_output=True,
    )


@contextmanager
def mounted_image(
    image: Path,
    *options: str,
    at: Path,
    log: Path,
    user: bool = False,
    allow: Iterable[str] = (),
) -> Iterator[Path]:
    """Mount ``image`` on ``at``; in the end unmount it, see the daemon end and look at its log.

    ``allow`` holds regular expressions for the warnings that are expected.
    """
    words = [word for option in options for word in ("-o", option)]
    done = run(image, at, *way, *words, "-o", f"log={escaped(log)}", user=user)
    try:
        assert done.returncode == 0, done.stderr
        yield at
    finally:
        take_down(at)
    wait_for_end(daemon_pid(log))
    check_log(log, allow)


def escaped(path: Path) -> str:
    """``path`` as the value of an option."""
    return str(path).replace("\\", "\\\\").replace(",", "\\,")


def take_down(path: Path) -> None:
    """Unmount ``path`` if it is mounted; lazily when it is in use."""
    if not is_mounted(path):
        return
    try:
        end_mount(path)
    except subprocess.CalledProcessError:
        end_mount(path, lazy=True)


def daemon_pid(log: Path) -> int:
    """The daemon's process, as its log says."""
    # The command itself writes there too, before the daemon does.
    found = _PID.findall(log.read_text(errors="replace"))
    assert found, f"{log} does not name the daemon's process"
    return int(found[-1])


def wait_for_end(pid: int, patience: float = PATIENCE) -> None:
    """Wait until the process ``pid`` has ended; kill it and fail when it does not."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        if not poll.poll(patience * 1000):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            raise AssertionError(f"the daemon {pid} did not end")
    finally:
        os.close(handle)


def check_log(log: Path, allow: Iterable[str] = ()) -> None:
    """Fail when ``log`` holds a warning, an error or a traceback that ``allow`` does not match."""
    allowed = [re.compile(pattern) for pattern in allow]
    lines = log.read_text(errors="replace").splitlines()
    worrying = [
        line
        for line in lines
        if _WORRYING.search(line) and not any(pattern.search(line) for pattern in allowed)
    ]
    assert not worrying, "\n".join([f"unexpected in {log}:", *worrying, "all of it:", *lines])


def wait_until(what: str, condition: Callable[[], bool]) -> None:
    """Wait until ``condition()`` is true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.01)
