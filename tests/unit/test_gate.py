"""Where requests come in, on a socket in the place of /dev/fuse."""

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import pyfuse3
import pytest
import trio

from isomount.blocks import NotResidentError
from isomount.fs import Frequent
from isomount.fs.lane import wire
from isomount.fs.lane.gate import Gate
from isomount.fs.lane.wire import Opcode, Request
from isomount.sources import FileRange

_STATFS = 17


class Answers:
    """In the place of the handlers: remembers what it was asked."""

    def __init__(self, *, is_slow: bool = False) -> None:
        self.is_slow = is_slow
        self.asked: list[Request] = []
        self.waited: list[Request] = []
        self.met = 0
        self.between = 0

    def meet(self, init: Request) -> None:
        self.met += 1

    def handles(self, request: Request) -> bool:
        return request.opcode == Opcode.GETATTR

    def answer(self, request: Request) -> bool:
        self.asked.append(request)
        return not self.is_slow

    def answer_slowly(self, request: Request) -> None:
        self.waited.append(request)

    def meanwhile(self) -> bool:
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

    def ask(self, opcode: int, unique: int = 1) -> bytes:
        message = struct.pack("=IIQQIII4x", 40, opcode, unique, 5, 0, 0, 0)
        self.socket.send(message)
        return message

    def serve(self, answers: Answers, until: Callable[[], bool]) -> None:
        """Serve until that is so."""

        async def run() -> None:
            with trio.fail_after(30):
                async with trio.open_nursery() as nursery:
                    workers = trio.CapacityLimiter(4)
                    nursery.start_soon(self.gate.serve, cast(Frequent, answers), workers)
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


def test_other_requests_go_to_pyfuse3_and_its_answers_to_the_kernel(kernel: Kernel) -> None:
    answers = Answers()
    asked = kernel.ask(Opcode.INIT), kernel.ask(_STATFS, 2)
    kernel.pyfuse3.setblocking(False)
    kernel.socket.setblocking(False)
    # To INIT: the kernel may write 1 MiB from now on, and wants room for it.
    body = struct.pack("=20xI40x", 1 << 20)
    arrived: list[bytes] = []
    answered: list[bytes] = []

    def is_over() -> bool:
        with suppress(BlockingIOError):
            arrived.append(kernel.pyfuse3.recv(8192))
            kernel.pyfuse3.send(struct.pack("=IiQ", 16 + len(body), 0, len(arrived)) + body)
        with suppress(BlockingIOError):
            answered.append(kernel.socket.recv(8192))
        return len(answered) == 2

    kernel.serve(answers, is_over)
    assert tuple(arrived) == asked
    assert answers.met == 1
    assert answers.asked == []
    assert answered == [struct.pack("=IiQ", 80, 0, unique) + body for unique in (1, 2)]


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
        with pytest.raises(NotResidentError):
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
            await kernel.gate.serve(cast(Frequent, Answers()), trio.CapacityLimiter(1))

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


def test_an_init_that_is_refused_is_passed_on(kernel: Kernel) -> None:
    kernel.socket.setblocking(False)
    refusal = wire.refusal(1, errno.EPROTO).head
    kernel.pyfuse3.send(refusal)
    heard: list[bytes] = []

    def is_over() -> bool:
        with suppress(BlockingIOError):
            heard.append(kernel.socket.recv(8192))
        return bool(heard)

    kernel.serve(Answers(), is_over)
    assert heard == [refusal]
