"""Where the kernel's requests come in, and who answers them.

The frequent ones are answered at once, by isomount.fs.lane.Handlers. The others are passed on to
pyfuse3, which reads a socket in the place of /dev/fuse: one message for each request and reply.
It writes its replies in the event loop's thread, so only short ones can go that way.

A program that works its way through a disc sends its next request some microseconds after the last
reply; where that finds this process asleep, waking it takes longer than answering. So while
requests follow each other closely, the descriptor is busy-polled for a moment before the event loop
waits for it.
"""

import errno
import os
import select
import socket
from contextlib import ExitStack, suppress
from time import perf_counter
from typing import NamedTuple

import pyfuse3
import trio

from isomount.fs.guard import errno_of, log
from isomount.fs.lane import wire
from isomount.fs.lane.handlers import Handlers
from isomount.fs.lane.negotiation import negotiated, offers_to_open_directories, with_background
from isomount.fs.lane.splice import Splice, UnspliceableError
from isomount.fs.patience import WAITING, Patience, signalled
from isomount.sources import FileRange

# Seconds of busy-polling for the next request: answering one takes 20 to 50 microseconds.
_LOOKOUT = 60e-6
# A wait that was shorter than this was for a program that is busy with the disc.
_BUSY = 3 * _LOOKOUT
# After so long the event loop runs its other tasks: soon while other tasks work on replies, which
# need two or three rounds.
_TURN = 20e-3
_SHORT_TURN = 0.5e-3

# The smallest buffer that the kernel accepts (FUSE_MIN_READ_BUFFER).
_ROOM = 8192
# Replies of pyfuse3 are shorter, so that many of them fit into the socket.
_REPLY_AT_MOST = 4096
# How the kernel says that the session is over: unmounted, or aborted.
_ENDS = (errno.ENODEV, errno.ECONNABORTED)
# How it says that a reply is not wanted any more.
_UNWANTED = (errno.ENOENT, *_ENDS)


class _Waiting(NamedTuple):
    """A request that waits for the image in a worker, and what ends its waiting."""

    request: wire.Request
    scope: trio.CancelScope


class Gate:
    """The descriptor of a mount, shared with pyfuse3.

    pyfuse3 gets the mount point "/dev/fd/N", where N is ``for_pyfuse3``, and closes that.
    ``spliced_at_most`` is how long a range of a file may be that is sent without copying it.
    """

    def __init__(self, device: int, *, waiting: int = WAITING) -> None:
        """Takes ``device``, which is closed if this fails. ``waiting`` is as a Policy has it."""
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
        # With a single processor, polling would only keep others from sending requests.
        self._lookout = _LOOKOUT if len(os.sched_getaffinity(0)) > 1 else 0.0
        # Requests that pyfuse3 has, and those that wait in a worker with what ends their waiting.
        self._passed_on: set[int] = set()
        self._waiting: dict[int, _Waiting] = {}
        self._is_closed = False
        self._waiting_at_most = waiting
        self._patience = Patience(waiting)
        self._turn_ends = 0.0
        self._is_busy = False
        self._has_ended = False

    def close(self) -> None:
        """Give the descriptor back: a mount that is still there is dead from now on."""
        self._is_closed = True  # a worker that nobody waits for may still want to reply
        self._resources.close()

    def send(self, message: wire.Message) -> None:
        """Send a reply. That the kernel does not want it any more is no error.

        Raises UnspliceableError where a range of a file could not be sent as such.
        """
        if self._is_closed:
            return
        head, body = message
        try:
            if isinstance(body, FileRange):
                self._splice.send(head, body)
            else:
                os.writev(self._device, (head, body))
        except OSError as error:
            if error.errno in _UNWANTED:
                return
            log.debug("the kernel does not take a reply: %s", error.strerror)
            if isinstance(body, FileRange):
                raise UnspliceableError from error
            if wire.unique(message):
                with suppress(OSError):  # better than none
                    os.write(self._device, wire.refusal(wire.unique(message), errno.EIO).head)

    async def run(self, handlers: Handlers) -> None:
        """Have requests answered until the session ends.

        Where INIT negotiated something that the lane does not know, pyfuse3 gets the device itself
        and answers everything.
        """
        obstacle = await self.negotiate(handlers)
        if obstacle:
            log.warning("the fast lane is off, pyfuse3 answers everything: %s", obstacle)
            self._hand_over()
            await pyfuse3.main()
        else:
            await self.serve(handlers)

    async def negotiate(self, handlers: Handlers) -> str:
        """Let pyfuse3 answer INIT. Returns why the lane cannot be used after it, "" if it can."""
        message = await self._next(handlers)
        if message is None:
            return ""
        init = wire.request(message)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pyfuse3.main)
            await self._pass_on(init, message)
            await trio.lowlevel.wait_readable(self._ours)
            nursery.cancel_scope.cancel()
        reply = self._ours.recv(_REPLY_AT_MOST)
        self._passed_on.discard(init.unique)
        agreed = negotiated(reply)
        # From here on the kernel wants room for as much as it may write.
        self._buffer = memoryview(bytearray(_ROOM + agreed.max_write))
        handlers.kernel_opens_directories = offers_to_open_directories(init)
        if self._waiting_at_most > WAITING and not agreed.error:
            reply = with_background(reply, self._waiting_at_most)
        self.send(wire.Message(reply, b""))
        return agreed.obstacle

    async def serve(self, handlers: Handlers) -> None:
        """Have the requests after INIT answered until the session ends."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pyfuse3.main)
            nursery.start_soon(self._pass_replies_on)
            await self._answer_requests(handlers, nursery)
            nursery.cancel_scope.cancel()

    def _hand_over(self) -> None:
        """Put the device in the place of pyfuse3's end of the socket."""
        # pyfuse3 fails where a read would block: a request may be aborted after it was announced.
        os.set_blocking(self._device, True)
        os.dup2(self._device, self.for_pyfuse3, inheritable=False)
        self.close()

    async def _answer_requests(self, handlers: Handlers, nursery: trio.Nursery) -> None:
        while (message := await self._next(handlers)) is not None:
            request = wire.request(message)
            if handlers.handles(request):
                if not handlers.answer(request):
                    self._turn_ends = 0.0
                    # Before the task runs: an INTERRUPT may be the very next message.
                    waiting = self._waiting[request.unique] = _Waiting(request, trio.CancelScope())
                    nursery.start_soon(self._answer_slowly, handlers, waiting)
            elif request.opcode == wire.Opcode.INTERRUPT:
                log.debug("interrupt(%d)", wire.interrupted(request))
                nursery.start_soon(self._interrupt, wire.interrupted(request))
            else:
                self._turn_ends = 0.0
                await self._pass_on(request, message)

    async def _answer_slowly(self, handlers: Handlers, waiting: "_Waiting") -> None:
        request, scope = waiting
        try:
            with scope:
                await self._patience.wait(lambda: handlers.answer_slowly(request, self._claim))
        except Exception as error:  # no thread can be started, say: the mount has to go on
            code = errno_of(wire.name(request.opcode), (request.node,), error)
            if self._claim(request.unique):
                self.send(wire.refusal(request.unique, code))
        finally:
            self._waiting.pop(request.unique, None)

    def _claim(self, unique: int) -> bool:
        """Whoever gets True sends the reply: the worker, or the interruption."""
        return self._waiting.pop(unique, None) is not None

    async def _interrupt(self, unique: int) -> None:
        """A signal was sent to the program that waits for that request.

        The kernel says so once, and for any signal. Only one that ends the waiting is waited for
        here: after ^Z and fg a program expects its answer. A request that is not waiting has its
        reply already, or gets it from pyfuse3.
        """
        waiting = self._waiting.get(unique)
        if waiting is None:
            return
        if waiting.request.pid > 0:  # else it is of another namespace, and cannot be seen
            await signalled(waiting.request.pid)
        if self._waiting.get(unique) is waiting and self._claim(unique):
            self.send(wire.refusal(unique, errno.EINTR))
            waiting.scope.cancel()

    async def _pass_on(self, request: wire.Request, message: memoryview) -> None:
        if request.opcode != wire.Opcode.STATFS:  # pyfuse3's operation logs that itself
            log.debug("%s(%d)", wire.name(request.opcode), request.node)
        self._passed_on.add(request.unique)
        while True:
            try:
                self._ours.send(message)
                return
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._ours)

    async def _pass_replies_on(self) -> None:
        """Pass on what pyfuse3 replies, all of it at once: it writes in this thread."""
        while True:
            await trio.lowlevel.wait_readable(self._ours)
            with suppress(BlockingIOError):
                while reply := self._ours.recv(_REPLY_AT_MOST):
                    message = wire.Message(reply, b"")
                    self._passed_on.discard(wire.unique(message))
                    self.send(message)
                return  # it has closed its end

    async def _next(self, handlers: Handlers) -> memoryview | None:
        """The next request, good until the one after it is asked for; None at the end."""
        while not self._has_ended:
            begin = perf_counter()
            if begin < self._turn_ends and self._comes_soon(begin, handlers):
                message = self._read()
                if message is not None:
                    return message
            await trio.lowlevel.wait_readable(self._device)
            now = perf_counter()
            others_work = self._waiting or self._passed_on
            self._turn_ends = now + (_SHORT_TURN if others_work else _TURN)
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
            elif error.errno != errno.ENOENT:  # aborted between poll and read
                raise
            return None
        return self._buffer[:length]

    def _comes_soon(self, now: float, handlers: Handlers) -> bool:
        """Busy-poll for the next request."""
        poll = self._poll.poll
        if poll(0):
            return True
        if not self._is_busy:
            return False
        end = now + self._lookout
        while now < min(end, self._turn_ends):
            if handlers.look_ahead():
                end = perf_counter() + self._lookout
            else:
                os.sched_yield()  # whoever is to send it may need this processor
            if poll(0):
                return True
            now = perf_counter()
        return False
