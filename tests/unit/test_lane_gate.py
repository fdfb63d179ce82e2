"""Where requests come in, on a socket in the place of /dev/fuse."""

import errno
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
import trio

pytest.importorskip("pyfuse3")  # which make check does without

import pyfuse3

from isomount.fs.lane import wire
from isomount.fs.lane.gate import Gate
from isomount.fs.lane.handlers import Claim, Handlers
from isomount.fs.lane.splice import UnspliceableError
from isomount.fs.lane.wire import Opcode, Request
from isomount.sources import FileRange


class Answers:
    """In the place of the handlers: remembers what it was asked."""

    def __init__(self, *, is_slow: bool = False) -> None:
        self.is_slow = is_slow
        self.kernel_opens_directories = False
        self.asked: list[Request] = []
        self.waited: list[Request] = []
        self.between = 0

    def handles(self, request: Request) -> bool:
        return request.opcode == Opcode.GETATTR

    def answer(self, request: Request) -> bool:
        self.asked.append(request)
        return not self.is_slow

    def answer_slowly(self, request: Request, claim: Claim) -> None:
        assert claim(request.unique)
        self.waited.append(request)

    def look_ahead(self) -> bool:
        self.between += 1
        return False


class Kernel:
    """The other end, and pyfuse3's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.socket, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(30)
        self.gate = Gate(device.detach())
        self.pyfuse3 = socket.socket(fileno=self.gate.for_pyfuse3)
        self.pyfuse3.settimeout(30)
        monkeypatch.setattr(pyfuse3, "main", trio.sleep_forever)

    def ask(self, opcode: int, unique: int = 1, body: bytes = b"") -> bytes:
        message = struct.pack("=IIQQIII4x", 40 + len(body), opcode, unique, 5, 0, 0, 0) + body
        self.socket.send(message)
        return message

    def serve(self, answers: Answers, until: Callable[[], bool]) -> None:
        """Serve until that is so."""

        async def run() -> None:
            with trio.fail_after(30):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.gate.serve, cast(Handlers, answers))
                    while not until():
                        await trio.sleep(0.001)
                    nursery.cancel_scope.cancel()

        trio.run(run)

    def close(self) -> None:
        self.pyfuse3.close()
        self.gate.close()
        self.socket.close()


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    made = Kernel(monkeypatch)
    yield made
    made.close()


def test_frequent_requests_are_answered_here(kernel: Kernel) -> None:
    answers = Answers()
    for unique in range(10):
        kernel.ask(Opcode.GETATTR, unique)
    kernel.serve(answers, lambda: len(answers.asked) == 10)
    assert [request.unique for request in answers.asked] == list(range(10))
    assert answers.waited == []


def test_what_has_to_wait_does_so_in_a_worker(kernel: Kernel) -> None:
    answers = Answers(is_slow=True)
    for unique in range(10):
        kernel.ask(Opcode.GETATTR, unique)
    kernel.serve(answers, lambda: len(answers.waited) == 10)
    assert sorted(answers.waited) == sorted(answers.asked)


def test_other_requests_go_to_pyfuse3_and_its_replies_to_the_kernel(kernel: Kernel) -> None:
    answers = Answers()
    asked = kernel.ask(Opcode.STATFS), kernel.ask(Opcode.LSEEK, 2)
    kernel.pyfuse3.setblocking(False)
    kernel.socket.setblocking(False)
    arrived: list[bytes] = []
    answered: list[bytes] = []

    def is_over() -> bool:
        with suppress(BlockingIOError):
            arrived.append(kernel.pyfuse3.recv(8192))
            kernel.pyfuse3.send(wire.reply(len(arrived), b"").head + b"reply")
        with suppress(BlockingIOError):
            answered.append(kernel.socket.recv(8192))
        return len(answered) == 2

    kernel.serve(answers, is_over)
    assert tuple(arrived) == asked
    assert answers.asked == []
    assert answered == [wire.reply(unique, b"").head + b"reply" for unique in (1, 2)]


def test_a_request_that_waits_is_answered_when_it_is_interrupted(kernel: Kernel) -> None:
    """As for a program that got ^C while a server hangs."""
    release = threading.Event()
    claims: list[bool] = []

    class Hanging(Answers):
        def answer_slowly(self, request: Request, claim: Claim) -> None:
            self.waited.append(request)
            release.wait(30)
            claims.append(claim(request.unique))

    answers = Hanging(is_slow=True)
    kernel.ask(Opcode.GETATTR, 6)
    kernel.ask(Opcode.GETATTR, 8)
    kernel.socket.setblocking(False)
    heard: list[bytes] = []

    def is_over() -> bool:
        if len(answers.waited) == 2 and not heard and not release.is_set():
            kernel.ask(Opcode.INTERRUPT, 7, struct.pack("=Q", 6))
            kernel.ask(Opcode.INTERRUPT, 11, struct.pack("=Q", 10))  # answered long ago
        with suppress(BlockingIOError):
            heard.append(kernel.socket.recv(8192))
            release.set()
        return len(claims) == 2

    kernel.serve(answers, is_over)
    assert heard == [wire.refusal(6, errno.EINTR).head]
    assert sorted(claims) == [False, True]


def test_others_have_their_turn_while_requests_never_end(kernel: Kernel) -> None:
    class Restless(Answers):
        def answer(self, request: Request) -> bool:
            assert len(self.asked) < 500_000, "nobody else had a turn"
            kernel.ask(Opcode.GETATTR)  # there is always one more
            return super().answer(request)

    answers = Restless()
    turns = 0

    def another() -> bool:
        nonlocal turns
        turns += 1
        return turns > 3

    kernel.ask(Opcode.GETATTR)
    kernel.serve(answers, another)
    assert len(answers.asked) > 100


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="nobody is looked out for with one")
def test_work_is_done_between_requests_and_never_while_nobody_asks(kernel: Kernel) -> None:
    answers = Answers()
    waits = 0

    def busy() -> bool:
        kernel.ask(Opcode.GETATTR)
        return answers.between > 0

    kernel.serve(answers, busy)
    before = answers.between

    def quiet() -> bool:
        nonlocal waits
        waits += 1
        return waits > 100

    kernel.serve(answers, quiet)
    assert answers.between - before < 500  # one lookout at the most for what was left


def test_a_kernel_that_does_not_want_an_answer_any_more_is_no_error(kernel: Kernel) -> None:
    kernel.socket.close()
    kernel.gate.send(wire.refusal(1, 5))


def test_a_range_that_cannot_be_sent_is_to_be_read(kernel: Kernel, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(1000))
    with file.open("rb") as opened:
        # The socket takes no pages, as /dev/fuse might not: what is in the pipe is thrown away.
        too_long = wire.reply(1, FileRange(opened.fileno(), 0, 2000))
        with pytest.raises(UnspliceableError):
            kernel.gate.send(too_long)
    good = wire.reply(2, b"good")
    kernel.gate.send(good)
    assert kernel.socket.recv(8192) == good.head + b"good"


def test_what_the_kernel_refuses_is_answered_with_a_refusal(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writev(descriptor: int, buffers: object) -> int:
        raise OSError(errno.ENOMEM, "no memory")

    monkeypatch.setattr(os, "writev", writev)
    kernel.gate.send(wire.reply(7, b"answer"))
    kernel.gate.send(wire.store(5, b"no answer"))
    assert kernel.socket.recv(8192) == wire.refusal(7, errno.EIO).head
    kernel.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        kernel.socket.recv(8192)


@pytest.mark.parametrize("code", [errno.ENODEV, errno.ECONNABORTED])
def test_the_session_ends_when_the_kernel_says_so(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    says = iter((errno.ENOENT, code))  # first: a request was called back

    def readv(descriptor: int, buffers: object) -> int:
        raise OSError(next(says), "as told")

    monkeypatch.setattr(os, "readv", readv)
    kernel.ask(Opcode.GETATTR)

    async def run() -> None:
        with trio.fail_after(30):
            await kernel.gate.serve(cast(Handlers, Answers()))

    trio.run(run)


def test_what_was_made_is_closed_when_the_rest_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def socketpair(*args: object) -> None:
        raise OSError(errno.EMFILE, "too many")

    reader, writer = os.pipe()
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(socket, "socketpair", socketpair)
    with pytest.raises(OSError, match="too many"):
        Gate(reader)
    assert len(os.listdir("/proc/self/fd")) == before - 1
    os.close(writer)
