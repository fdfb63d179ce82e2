"""Programs run against the clock, each in a session of its own that can be ended whole."""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from tests.benchmarks.places import memory_folder

Command = Sequence[str]

# How long a killed program may take to disappear, in seconds.
_LAST_WAIT = 5.0


class MeasurementError(Exception):
    """One measurement could not be made; the message is the table's footnote."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of programs that were run at the same time."""

    seconds: float
    outputs: tuple[bytes, ...]  # standard output and error of each


def run(*commands: Command, limit: float) -> Ran:
    """Run all ``commands`` at once until the last has ended.

    MeasurementError is raised when one takes more than ``limit`` seconds or ends with an error.
    """
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(_scratch()) for _ in commands]
        begin = time.perf_counter()
        started = [_start(*pair) for pair in zip(commands, files, strict=True)]
        try:
            done = all(_ended(process, begin + limit) for process in started)
            seconds = time.perf_counter() - begin
        finally:
            end_all(started)
        if not done:
            raise MeasurementError(f"not done after {limit:.0f} s")
        outputs = tuple(_content(file) for file in files)
    for command, process, output in zip(commands, started, outputs, strict=True):
        if process.returncode:
            raise MeasurementError(f"{os.path.basename(command[0])} failed: {last_line(output)}")
    return Ran(seconds, outputs)


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait for the end of ``process``; False when it still runs at ``deadline``."""
    # Popen.wait() with a timeout only looks every 50 ms.
    handle = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        left = max(0.0, deadline - time.perf_counter())
        return bool(poll.poll(left * 1000)) and process.wait() is not None
    finally:
        os.close(handle)


def last_line(output: bytes) -> str:
    """The last line of ``output`` that is not empty, for people."""
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1][:160] if lines else "no word why"


def end_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Kill those of ``processes`` that still run, with all that they started."""
    for process in processes:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            # A program that waits for a dead mount goes when the mount is taken down.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LAST_WAIT)


def _start(command: Command, output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C"},
        cwd="/",
        start_new_session=True,
    )


@contextlib.contextmanager
def _scratch() -> Iterator[IO[bytes]]:
    # A file and no pipe: a daemon that keeps its output open would never end a pipe.
    with tempfile.TemporaryFile(dir=memory_folder()) as file:
        yield file


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
