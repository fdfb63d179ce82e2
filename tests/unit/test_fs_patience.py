"""Waiting for the image no longer than whoever asked."""

import errno
import os
import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest
import trio

from isomount.errors import DamagedDataError
from isomount.fs.answers import RefusedError
from isomount.fs.patience import Patience, has_signal
from tests.command import wait_until


@pytest.fixture
def stopped() -> Iterator[int]:
    """A process that cannot handle the signals that it gets, as one that waits for a mount."""
    with subprocess.Popen(["sleep", "60"]) as process:
        os.kill(process.pid, signal.SIGSTOP)
        wait_until("it is stopped", lambda: _state(process.pid) == "T")
        yield process.pid
        process.kill()


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(") ")[2][0]


def test_signals_that_wait_are_seen(stopped: int) -> None:
    assert not has_signal(stopped)
    os.kill(stopped, signal.SIGTERM)
    assert has_signal(stopped)


def test_signals_that_are_ignored_do_not_count() -> None:
    pending = signal.SIGUSR1
    signal.pthread_sigmask(signal.SIG_BLOCK, [pending])
    try:
        signal.pthread_kill(threading.get_ident(), pending)
        assert not has_signal(os.getpid())
        signal.sigwait([pending])
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [pending])


def test_a_signal_that_stops_a_program_for_a_while_does_not_count(stopped: int) -> None:
    """After ^Z and fg it expects its answer."""
    for number in (signal.SIGTSTP, signal.SIGCONT, signal.SIGCHLD, signal.SIGWINCH):
        os.kill(stopped, number)
    os.kill(stopped, signal.SIGSTOP)
    assert not has_signal(stopped)


def test_what_cannot_be_seen_has_no_signal() -> None:
    """It may have opened a file that others read now."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert not has_signal(process.pid)
    assert not has_signal(0)


def test_an_answer_in_time() -> None:
    async def ask() -> int:
        return await Patience().wait_for(os.getpid(), lambda: 42)

    assert trio.run(ask) == 42


def test_a_failure_is_what_the_image_says() -> None:
    def fail() -> int:
        raise DamagedDataError("as told")

    async def ask() -> int:
        return await Patience().wait_for(os.getpid(), fail)

    with pytest.raises(DamagedDataError, match="as told"):
        trio.run(ask)


def test_an_interrupted_wait_ends_although_the_image_does_not_answer(stopped: int) -> None:
    answers = threading.Event()

    async def ask() -> bool:
        os.kill(stopped, signal.SIGTERM)
        return await Patience().wait_for(stopped, lambda: answers.wait(60))

    try:
        with pytest.raises(RefusedError) as refusal:
            trio.run(ask)
        assert refusal.value.errno == errno.EINTR
    finally:
        answers.set()
