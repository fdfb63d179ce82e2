"""What is loaded ahead while those who read go on."""

import errno
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from isomount.blocks import BlockCache, Store
from isomount.blocks.ahead import Stream, Streams
from isomount.blocks.aligned import AlignedBlocks
from isomount.workers import WORKERS, Workers
from tests.uncached import AMPLE, BLOCK, COUNT, DATA, MINUTE, Bad, Beside

HERE = threading.current_thread().name


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Threads of this test's own."""
    own = Workers(2)
    monkeypatch.setattr("isomount.blocks.aligned.WORKERS", own)
    monkeypatch.setattr("isomount.workers._IDLE", 0.01)
    yield own
    with ThreadPoolExecutor(1) as pool:
        pool.submit(ended, own).result(MINUTE)


def ended(workers: Workers) -> None:
    while workers._threads:
        threading.Event().wait(0.01)


def read(blocks: BlockCache | AlignedBlocks, number: int) -> None:
    at = number * BLOCK
    reads = blocks.read if isinstance(blocks, BlockCache) else blocks.read_at
    assert reads(at, BLOCK) == DATA[at : at + BLOCK]


def follow(streams: Streams, stream: Stream) -> list[range]:
    """All loads of a stream, each as if it were done at once."""
    loads: list[range] = []
    while stream.loads:
        load = streams.next(stream)
        loads += [] if load is None else [load]
    return loads


# ---------------------------------------------------------------- what is due


def test_a_stream_is_followed_farther_and_farther() -> None:
    streams = Streams(16, 4, 8)
    assert streams.reads(range(2))[1] == []
    stream, loads = streams.reads(range(2, 4))
    assert loads == [range(4, 6)]
    assert streams.next(stream) == range(6, 8)
    assert streams.reads(range(4, 6)) == (stream, [range(8, 10)])
    assert streams.reads(range(6, 8)) == (stream, [range(10, 14)])
    for start in range(8, 40, 2):
        _, loads = streams.reads(range(start, start + 2))
        loads += follow(streams, stream)
        assert all(len(load) <= 4 and load.stop <= start + 2 + 16 for load in loads)
        assert streams.reads(range(start, start + 2)) == (stream, []), "nobody came nearer"
    assert stream.end >= 40 + 8


def test_no_more_loads_are_under_way_than_pay() -> None:
    streams = Streams(16, 1, 2)
    streams.reads(range(4))
    stream, loads = streams.reads(range(4, 8))
    assert loads == [range(8, 9), range(9, 10)]
    assert streams.reads(range(8, 10)) == (stream, [])
    assert streams.next(stream) == range(10, 11)
    assert streams.reads(range(10, 11)) == (stream, [])


def test_who_reads_here_and_there_is_not_followed() -> None:
    streams = Streams(16, 4, 8)
    for start in (50, 10, 30, 70, 20, 0, 60, 40):
        assert streams.reads(range(start, start + 2))[1] == []


def test_streams_are_told_apart_and_forgotten() -> None:
    streams = Streams(16, 4, 8)
    starts = range(0, 100_000, 10_000)
    firsts = [streams.reads(range(start, start + 2))[0] for start in starts]
    for start, first in zip(starts, firsts, strict=True):
        stream, loads = streams.reads(range(start + 2, start + 4))
        assert stream is first
        assert loads[0].start == start + 4
    for start in range(1_000_000, 2_000_000, 10_000):
        streams.reads(range(start, start + 1))
    assert streams.reads(range(4, 6))[1] == []


def test_requests_that_overtake_each_other_are_one_stream() -> None:
    streams = Streams(16, 4, 8)
    streams.reads(range(2))
    stream, _ = streams.reads(range(2, 4))
    for start in (6, 4, 10, 8, 12):
        assert streams.reads(range(start, start + 2))[0] is stream


def test_what_was_put_off_is_due_again() -> None:
    streams = Streams(16, 4, 1)
    streams.reads(range(2))
    stream, (load,) = streams.reads(range(2, 4))
    streams.put_off(stream, load)
    (again,) = streams.reads(range(3, 4))[1]
    assert again.start == load.start


# ---------------------------------------------------------------- loading beside


def test_who_reads_in_order_finds_blocks_in_memory(workers: Workers) -> None:
    source = Beside()
    blocks = BlockCache(source, Store(AMPLE))
    read(blocks, 0)
    assert not workers._threads, "no thread before there is a use for it"
    read(blocks, 1)
    source.wait_for(2 * BLOCK)
    for number in range(2, COUNT - 1):
        read(blocks, number)
    assert source.by[2 * BLOCK] != HERE
    loaded = [number for load in source.blocks_loaded for number in load]
    assert len(loaded) == len(set(loaded))


def test_who_reads_waits_for_nothing_that_is_farther_ahead(workers: Workers) -> None:
    source = Beside(2 * BLOCK)
    blocks = BlockCache(source, Store(AMPLE))
    read(blocks, 0)
    read(blocks, 1)
    assert source.begun.wait(MINUTE)
    read(blocks, 50)
    read(blocks, 0)
    waiting = threading.Thread(target=read, args=(blocks, 2))
    waiting.start()
    source.go_on.set()
    waiting.join(MINUTE)
    assert source.blocks_loaded.count(range(2, 3)) == 1, "it was not loaded again"


def test_who_reads_here_and_there_starts_no_thread(workers: Workers) -> None:
    blocks = BlockCache(Beside(), Store(AMPLE))
    for number in (50, 10, 30, 70, 20, 0):
        read(blocks, number)
    assert not workers._threads


def test_a_source_of_somebody_else_is_read_by_nobody_else(workers: Workers) -> None:
    class Owned(Beside):
        reads_at_once = 0

    source = Owned()
    blocks = BlockCache(source, Store(AMPLE))
    for number in range(20):
        read(blocks, number)
    assert not workers._threads
    assert set(source.by.values()) == {HERE}


def test_a_failure_ahead_disturbs_nobody(workers: Workers) -> None:
    class BadBeside(Bad):
        reads_at_once = 2

    source = BadBeside(5 * BLOCK)
    blocks = BlockCache(source, Store(AMPLE))
    for number in (0, 1, 2, 3, 4, 6, 7, 8, 9):
        read(blocks, number)
    with pytest.raises(OSError, match="bad") as raised:
        blocks.read(5 * BLOCK, 1)
    assert raised.value.errno == errno.EIO
    source.places = ()
    read(blocks, 5)


def test_an_error_of_any_kind_ahead_ends_no_thread(workers: Workers) -> None:
    class BadBeside(Bad):
        reads_at_once = 2

    blocks = BlockCache(BadBeside(4 * BLOCK, error=ZeroDivisionError()), Store(AMPLE))
    for number in (0, 1, 2, 3, *range(5, COUNT - 1)):
        read(blocks, number)
    with pytest.raises(ZeroDivisionError):
        blocks.read(4 * BLOCK, 1)


def test_nothing_begins_while_it_is_held_back(workers: Workers) -> None:
    source = Beside()
    blocks = BlockCache(source, Store(AMPLE))
    with workers.held_back():
        for number in range(10):
            read(blocks, number)
        assert not workers._threads
    read(blocks, 10)
    source.wait_for(11 * BLOCK)


def test_a_child_process_has_threads_of_its_own() -> None:
    """The parent's idle one is not there to do what the child begins."""
    program = """
import os, threading
from isomount.workers import WORKERS
def is_done():
    done = threading.Event()
    assert WORKERS.begin(done.set)
    return done.wait(5)
assert is_done()
while not WORKERS._idle:
    threading.Event().wait(0.01)
if not (child := os.fork()):
    os._exit(not is_done())
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=MINUTE)


def test_closing_waits_for_nothing(workers: Workers) -> None:
    source = Beside(2 * BLOCK)
    blocks = BlockCache(source, Store(AMPLE))
    read(blocks, 0)
    read(blocks, 1)
    assert source.begun.wait(MINUTE)
    blocks.close()
    assert source.is_closed
    source.go_on.set()


def test_nothing_is_loaded_past_the_end(workers: Workers) -> None:
    source = Beside()
    blocks = BlockCache(source, Store(AMPLE))
    for number in range(COUNT - 3, COUNT - 1):
        read(blocks, number)
    assert blocks.read((COUNT - 1) * BLOCK, BLOCK) == DATA[(COUNT - 1) * BLOCK :]
    assert all(offset + length <= len(DATA) for offset, length in source.loads)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_layers_do_not_wait_for_each_other(
    threads: int, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is decoded out of what is decoded: both read ahead, by the same threads."""
    workers.at_most = threads
    store = Store(AMPLE)
    inner = AlignedBlocks(Beside(), store, BLOCK)
    outer = AlignedBlocks(AlignedBlocks(inner, store, 3 * BLOCK), store, 2 * BLOCK)

    def in_order(start: int) -> bool:
        for number in range(start, COUNT - 1):
            read(outer, number)
        return True

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(in_order, start) for start in (0, 1, 30, 60)]
        assert all(each.result(MINUTE) for each in done)


def test_many_readers_with_chance_get_the_bytes(workers: Workers) -> None:
    blocks = BlockCache(Beside(), Store(40 * BLOCK))

    def read_at_random(seed: int) -> bool:
        chosen = random.Random(seed)
        at = 0
        for _ in range(200):
            at = chosen.choice((at, at, at, chosen.randrange(len(DATA))))
            length = chosen.randrange(1, 5 * BLOCK)
            assert blocks.read(at, length) == DATA[at : at + length]
            at += length
        return True

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(read_at_random, seed) for seed in range(4)]
        assert all(future.result(MINUTE) for future in futures)


# ---------------------------------------------------------------- the threads


def test_work_is_done_by_so_many_threads_at_most(workers: Workers) -> None:
    go_on, names, ready = threading.Event(), set[str | int | None](), threading.Semaphore(0)

    def work() -> None:
        names.add(threading.get_ident())
        ready.release()
        assert go_on.wait(MINUTE)

    taken = [workers.begin(work) for _ in range(6)]
    assert all(taken)
    for _ in range(2):
        assert ready.acquire(timeout=MINUTE)
    assert workers._threads == 2
    go_on.set()
    for _ in range(4):
        assert ready.acquire(timeout=MINUTE)
    assert len(names) == 2


def test_more_work_than_can_be_done_is_not_taken(workers: Workers) -> None:
    go_on = threading.Event()
    taken = [workers.begin(lambda: bool(go_on.wait(MINUTE))) for _ in range(100)]
    go_on.set()
    assert taken.count(False) >= 100 - 64 - 2
    assert taken[0]


def test_no_thread_keeps_the_process_alive() -> None:
    done = threading.Event()
    daemon: list[bool] = []

    def work() -> None:
        daemon.append(threading.current_thread().daemon)
        done.set()

    assert WORKERS.begin(work)
    assert done.wait(MINUTE)
    assert daemon == [True]
