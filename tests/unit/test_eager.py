"""The short way past the event loop, on a pipe in the place of /dev/fuse."""

import os
from collections.abc import Iterator

import pyfuse3
import pytest
import trio

from isomount.daemon.eager import _Loop, main

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def idle() -> bool:
    return False


def test_pyfuse3_still_finds_its_event_loop_where_it_is_replaced() -> None:
    assert vars(pyfuse3)["trio"] is trio


def test_it_is_put_back_when_the_session_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    async def session() -> None:
        seen.append(vars(pyfuse3)["trio"])

    monkeypatch.setattr(pyfuse3, "main", session)
    trio.run(main, idle)
    assert isinstance(seen[0], _Loop)
    assert vars(pyfuse3)["trio"] is trio


def test_all_else_is_trio_itself() -> None:
    loop = _Loop(idle)
    assert loop.open_nursery is trio.open_nursery
    assert loop.lowlevel.current_task is trio.lowlevel.current_task


def test_others_have_their_turn_while_requests_never_end(pipe: Pipe) -> None:
    """The descriptor is always readable: still another task goes on."""
    reader, writer = pipe
    os.write(writer, b"x")

    async def run() -> None:
        loop = _Loop(idle)
        turns = 0

        async def other() -> None:
            nonlocal turns
            for _ in range(20):
                await trio.lowlevel.checkpoint()
                turns += 1

        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(other)
                while turns < 20:
                    await loop.lowlevel.wait_readable(reader)

    trio.run(run)


def test_work_is_done_between_requests_and_never_while_nobody_asks(pipe: Pipe) -> None:
    reader, writer = pipe
    worked = 0

    def work() -> bool:
        nonlocal worked
        worked += 1
        return False

    async def run() -> None:
        loop = _Loop(work)
        with trio.fail_after(30):
            while not worked:  # a wait that is over at once, then one more
                os.write(writer, b"x")
                await loop.lowlevel.wait_readable(reader)
                os.read(reader, 1)
                with trio.move_on_after(0.01):
                    await loop.lowlevel.wait_readable(reader)
        before = worked
        with trio.move_on_after(0.2):
            await loop.lowlevel.wait_readable(reader)
        with trio.move_on_after(0.2):
            await loop.lowlevel.wait_readable(reader)
        assert worked - before < 200  # one lookout at the most

    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("with one processor nobody is looked out for")
    trio.run(run)


@pytest.mark.parametrize("cancelled", [False, True])
def test_the_lock_keeps_tasks_apart(cancelled: bool) -> None:
    async def run() -> None:
        lock = _Loop(idle).Lock()
        inside: list[int] = []
        most = 0

        async def task(number: int) -> None:
            nonlocal most
            async with lock:
                inside.append(number)
                most = max(most, len(inside))
                try:
                    await trio.lowlevel.checkpoint()
                finally:
                    inside.remove(number)

        async def give_up(scope: trio.CancelScope) -> None:
            with scope:
                await task(99)

        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                for number in range(10):
                    nursery.start_soon(task, number)
                scope = trio.CancelScope()
                nursery.start_soon(give_up, scope)
                if cancelled:
                    await trio.lowlevel.checkpoint()
                    scope.cancel()
            async with lock:  # it is free in the end
                pass
        assert most == 1

    trio.run(run)
