"""Where the kernel's requests come in, and who answers them.

The frequent ones are answered at once, by isomount.fs.Frequent. The others are handed to pyfuse3,
which thinks that it reads /dev/fuse: in truth a socket, one message for each request and answer.
It writes its answers in our own thread, so only short ones can go that way.

A program that works its way through a disc sends its next request some microseconds after our
answer, and where that finds this process asleep, waking it takes longer than answering. So while
requests follow each other closely, the next one is looked out for a moment before the event loop
is asked to wait for it.
"""

import errno
import logging
import os
import select
import socket
from contextlib import ExitStack, suppress
from time import perf_counter

import pyfuse3
import trio

from isomount.blocks import NotResidentError
from isomount.fs import Frequent
from isomount.fs.lane import wire
from isomount.fs.lane.splice import Splice
from isomount.sources import FileRange

_log = logging.getLogger("isomount.daemon")

# Seconds. How long to look out for the next request: answering one takes 20 to 50 microseconds.
_LOOKOUT = 60e-6
# A wait that was shorter than this was for somebody who is busy with the disc.
_BUSY = 3 * _LOOKOUT
# After so long everything else on the loop has its turn: soon while others work on an answer, which
# needs two or three turns.
_TURN = 20e-3
_SHORT_TURN = 0.5e-3

# What the kernel wants to have room for, at the least (FUSE_MIN_READ_BUFFER).
_ROOM = 8192
# What pyfuse3 answers is shorter, so that much of it fits into the socket.
_ANSWER_AT_MOST = 4096
# How the kernel says that the session is over: unmounted, or aborted.
_ENDS = (errno.ENODEV, errno.ECONNABORTED)
# How it says that an answer is not wanted any more.
_UNWANTED = (errno.ENOENT, *_ENDS)


class Gate:
    """The descriptor of a mount.

    pyfuse3 shall be given the mount point "/dev/fd/N", where N is ``for_pyfuse3``, and closes that.
    ``spliced_at_most`` is how long a range of a file may be that is sent as such.
    """

    def __init__(self, device: int) -> None:
        """Takes ``device``, which is closed if this fails."""
        with ExitStack() as stack:
            stack.callback(os.close, device)
            os.set_blocking(device, False)
            self._device = device
            self._splice = Splice(device)
            stack.callback(self._splice.close)
            self.spliced_at_most = self._splice.at_most
            self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.callback(self._ours.close)
            self._ours.setblocking(False)
            self.for_pyfuse3 = theirs.detach()
            self._resources = stack.pop_all()
        self._buffer = memoryview(bytearray(_ROOM))
        self._poll = select.poll()
        self._poll.register(device, select.POLLIN)
        # With one processor alone, looking out would only keep the others from sending requests.
        self._lookout = _LOOKOUT if len(os.sched_getaffinity(0)) > 1 else 0.0
        # Requests that others work on.
        self._elsewhere = 0
        self._turn_ends = 0.0
        self._is_busy = False
        self._has_ended = False

    def close(self) -> None:
        """Give the descriptor back: a mount that is still there is dead from now on."""
        self._resources.close()

    def send(self, message: wire.Message) -> None:
        """Tell the kernel. That it does not want to know any more is no error.

        Raises NotResidentError where a range of a file could not be sent: it is to be read.
        """
        head, body = message
        try:
            if isinstance(body, FileRange):
                self._splice.send(head, body)
            else:
                os.writev(self._device, (head, body))
        except OSError as error:
            if error.errno in _UNWANTED:
                return
            _log.debug("the kernel does not take an answer: %s", error.strerror)
            if isinstance(body, FileRange):
                raise NotResidentError from error
            if wire.unique(message):
                with suppress(OSError):  # better than none
                    os.write(self._device, wire.refusal(wire.unique(message), errno.EIO).head)

    async def serve(self, frequent: Frequent, workers: trio.CapacityLimiter) -> None:
        """Have requests answered until the session ends."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pyfuse3.main)
            nursery.start_soon(self._pass_answers_on)
            while (message := await self._next(frequent)) is not None:
                request = wire.request(message)
                if request.opcode == wire.Opcode.INIT:
                    frequent.meet(request)
                if frequent.handles(request) and frequent.answer(request):
                    continue
                self._elsewhere += 1
                self._turn_ends = 0.0
                if frequent.handles(request):
                    nursery.start_soon(self._wait_for, frequent, request, workers)
                else:
                    await self._pass_on(message)
            nursery.cancel_scope.cancel()

    async def _wait_for(
        self, frequent: Frequent, request: wire.Request, workers: trio.CapacityLimiter
    ) -> None:
        try:
            await trio.to_thread.run_sync(frequent.answer_slowly, request, limiter=workers)
        finally:
            self._elsewhere -= 1

    async def _pass_on(self, message: memoryview) -> None:
        while True:
            try:
                self._ours.send(message)
                return
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._ours)

    async def _pass_answers_on(self) -> None:
        """Pass on what pyfuse3 says, all of it at once: it says it in our thread."""
        while True:
            await trio.lowlevel.wait_readable(self._ours)
            with suppress(BlockingIOError):
                while answer := self._ours.recv(_ANSWER_AT_MOST):
                    self._elsewhere -= 1
                    self._make_room(answer)
                    self.send(wire.Message(answer, b""))
                return  # it has closed its end

    def _make_room(self, answer: bytes) -> None:
        """From the answer to INIT on the kernel wants room for what it may write."""
        if len(self._buffer) == _ROOM:
            self._buffer = memoryview(bytearray(_ROOM + wire.max_write(answer)))

    async def _next(self, frequent: Frequent) -> memoryview | None:
        """The next request, good until it is asked for another one; None at the end."""
        while not self._has_ended:
            begin = perf_counter()
            if begin < self._turn_ends and self._comes_soon(begin, frequent):
                message = self._read()
                if message is not None:
                    return message
            await trio.lowlevel.wait_readable(self._device)
            now = perf_counter()
            self._turn_ends = now + (_SHORT_TURN if self._elsewhere else _TURN)
            self._is_busy = now - begin < _BUSY
        return None

    def _read(self) -> memoryview | None:
        """A request that is there."""
        try:
            length = os.readv(self._device, [self._buffer])
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno in _ENDS:
                self._has_ended = True
            elif error.errno != errno.ENOENT:  # it was called back in this moment
                raise
            return None
        return self._buffer[:length]

    def _comes_soon(self, now: float, frequent: Frequent) -> bool:
        """Look out for the next request."""
        poll = self._poll.poll
        if poll(0):
            return True
        if not self._is_busy:
            return False
        end = now + self._lookout
        while now < min(end, self._turn_ends):
            if frequent.meanwhile():
                end = perf_counter() + self._lookout
            else:
                os.sched_yield()  # whoever is to send it may need this processor
            if poll(0):
                return True
            now = perf_counter()
        return False
