"""A short way from one request to the next, past the event loop.

pyfuse3 goes through trio's whole loop for every request: a lock that always lets others go first,
then epoll. But a program that works its way through a disc sends its next request some microseconds
after our answer, and where that finds this process asleep, waking it takes longer than answering.
So here a free lock is taken at once, and while requests follow each other closely the descriptor is
looked at a moment longer before the loop is asked to wait for it.

pyfuse3 finds its event loop under the name ``trio`` in its own namespace. What is put there instead
is how it supports asyncio too (pyfuse3.asyncio).
"""

import os
import select
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pyfuse3
import trio

# Seconds. How long to look out for the next request: answering one takes 20 to 50 microseconds.
_LOOKOUT = 60e-6
# A wait that was shorter than this was for somebody who is busy with the disc.
_BUSY = 3 * _LOOKOUT
# Then everything else on the loop has its turn. A worker's result needs two or three of them.
_TURN = 0.5e-3


async def main(meanwhile: Callable[[], bool]) -> None:
    """Serve requests, as pyfuse3.main does.

    While the next one is looked out for, ``meanwhile`` is called: it does some 50 microseconds of
    work, or answers False.
    """
    loop = _Loop(meanwhile)
    vars(pyfuse3)["trio"] = loop
    try:
        await pyfuse3.main()
    finally:
        vars(pyfuse3)["trio"] = trio


class _Lock:
    """A lock that is taken without a round of the loop when it is free. Whoever comes may take it.

    The tasks that it keeps apart are all alike, so it need not be fair.
    """

    def __init__(self) -> None:
        self._held = False
        self._waiting = trio.lowlevel.ParkingLot()

    async def __aenter__(self) -> None:
        while self._held:
            await self._waiting.park()
        self._held = True

    async def __aexit__(self, *reason: object) -> None:
        self._held = False
        self._waiting.unpark()


class _LowLevel:
    """trio.lowlevel, but for the waiting."""

    def __init__(self, meanwhile: Callable[[], bool]) -> None:
        self._meanwhile = meanwhile
        self._poll: select.poll | None = None
        # With one processor alone, looking out would only keep the others from sending requests.
        self._lookout = _LOOKOUT if len(os.sched_getaffinity(0)) > 1 else 0.0
        self._turn_ends = 0.0
        self._is_busy = False

    def __getattr__(self, name: str) -> Any:
        return getattr(trio.lowlevel, name)

    async def wait_readable(self, descriptor: int) -> None:
        """Return once there is a request, or the end of the session."""
        begin = perf_counter()
        if begin < self._turn_ends and self._is_there_soon(descriptor, begin):
            return
        await trio.lowlevel.wait_readable(descriptor)
        now = perf_counter()
        self._turn_ends = now + _TURN
        self._is_busy = now - begin < _BUSY

    def _is_there_soon(self, descriptor: int, now: float) -> bool:
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLIN)
        poll = self._poll.poll
        if poll(0):
            return True
        if not self._is_busy:
            return False
        end = now + self._lookout
        while now < min(end, self._turn_ends):
            if self._meanwhile():
                end = perf_counter() + self._lookout
            else:
                os.sched_yield()  # whoever is to send it may need this processor
            if poll(0):
                return True
            now = perf_counter()
        return False


class _Loop:
    """The module trio as pyfuse3 uses it."""

    Lock = _Lock

    def __init__(self, meanwhile: Callable[[], bool]) -> None:
        self.lowlevel = _LowLevel(meanwhile)

    def __getattr__(self, name: str) -> Any:
        return getattr(trio, name)
