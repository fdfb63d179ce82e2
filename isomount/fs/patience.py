"""Requests that block on the image: run in worker threads, and interruptible.

A process that is interrupted (^C while a server hangs) stays in the kernel until its request is
answered. The fast lane receives FUSE_INTERRUPT. pyfuse3 does not pass it on, so there the state of
the requesting process is polled in proc(5).
"""

import errno
import re
import signal
from collections.abc import Callable
from typing import TypeVar

import trio

from isomount.fs.answers import RefusedError

_Answer = TypeVar("_Answer")

# Requests that wait for the image at the same time: a disk serves no more of them any faster, but
# those that a far server keeps waiting must leave room for others.
WAITING, WAITING_FAR = 16, 128
# How often the requesting process is checked for signals, in seconds.
_LOOK = 0.25
# Signals that do not end what a program waits for: stopping (^Z), going on, and news of children,
# of the window's size and of urgent data, which is what the Go runtime uses for scheduling.
_HARMLESS = sum(
    1 << number - 1
    for number in (
        signal.SIGSTOP,
        signal.SIGTSTP,
        signal.SIGTTIN,
        signal.SIGTTOU,
        signal.SIGCONT,
        signal.SIGCHLD,
        signal.SIGWINCH,
        signal.SIGURG,
    )
)
# Lines of /proc/PID/status: signals that are pending (of the thread, of the process), blocked and
# ignored, as hexadecimal masks.
_MASK = re.compile(rb"^(SigPnd|ShdPnd|SigBlk|SigIgn):\s*([0-9a-f]+)$", re.MULTILINE)


class Patience:
    """Runs blocking work in a limited number of threads.

    A thread whose result is no longer needed is abandoned: its read cannot be interrupted.
    """

    def __init__(self, waiting: int = WAITING) -> None:
        self._limiter = trio.CapacityLimiter(waiting)

    async def wait(self, work: Callable[[], _Answer]) -> _Answer:
        """What ``work`` returns. Can be cancelled at any time."""
        return await trio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._limiter)

    async def wait_for(self, pid: int, work: Callable[[], _Answer]) -> _Answer:
        """What ``work`` returns; RefusedError (EINTR) once the process ``pid`` has a signal."""
        answers: list[_Answer] = []
        failure: Exception = RefusedError(errno.EINTR)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_watch, pid, nursery.cancel_scope)
            try:
                answers.append(await self.wait(work))
            except Exception as error:  # the nursery would wrap it in a group
                failure = error
            nursery.cancel_scope.cancel()
        if answers:
            return answers[0]
        raise failure


async def _watch(pid: int, waiting: trio.CancelScope) -> None:
    await trio.sleep(_LOOK)  # most requests are answered by then
    await signalled(pid)
    waiting.cancel()


async def signalled(pid: int) -> None:
    """Wait until the thread ``pid`` has a signal to handle."""
    while not has_signal(pid):
        await trio.sleep(_LOOK)


def has_signal(pid: int) -> bool:
    """Whether the thread ``pid`` has a signal to handle that ends waiting.

    False for a thread that cannot be seen: it may belong to another namespace or user, or have
    opened a file that others read now. One that waits for an answer is always there.
    """
    if pid <= 0:
        return False
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            masks = {name: int(mask, 16) for name, mask in _MASK.findall(file.read())}
    except OSError:
        return False
    pending = masks.get(b"SigPnd", 0) | masks.get(b"ShdPnd", 0)
    held_back = masks.get(b"SigBlk", 0) | masks.get(b"SigIgn", 0) | _HARMLESS
    return bool(pending & ~held_back)
