"""What is read ahead, and how far."""

import threading

from isomount.blocks import BlockCache, Store
from isomount.blocks.ahead import ReadAhead
from isomount.blocks.store import OVERHEAD
from tests.uncached import AMPLE, BLOCK, COUNT, DATA, Remote


def test_who_reads_in_order_is_read_ahead_farther_and_farther() -> None:
    source = Remote()
    at_most = 16
    blocks = BlockCache(source, Store(8 * at_most * (BLOCK + OVERHEAD)))
    threads = threading.enumerate()
    for at in range(0, len(DATA), BLOCK // 2):
        assert blocks.read(at, BLOCK // 2) == DATA[at : at + BLOCK // 2]
    loads = source.blocks_loaded
    assert [len(load) for load in loads] == [1, 2, 3, 5, 9, 17, 17, 17, 17, 12]
    assert [number for load in loads for number in load] == list(range(COUNT))
    assert threading.enumerate() == threads


def test_who_reads_here_and_there_gets_what_was_asked_for() -> None:
    source = Remote()
    blocks = BlockCache(source, Store(AMPLE))
    for number in (50, 10, 30, 70, 20, 0):
        blocks.read(number * BLOCK, BLOCK)
    assert [len(load) for load in source.blocks_loaded] == [1] * 6


def test_nothing_is_read_ahead_past_what_is_held() -> None:
    source = Remote()
    blocks = BlockCache(source, Store(AMPLE))
    blocks.read(4 * BLOCK, 1)
    for number in (0, 1):
        blocks.read(2 * number * BLOCK, 2 * BLOCK)
    assert source.blocks_loaded == [range(4, 5), range(2), range(2, 4)]


def test_several_streams_are_told_apart() -> None:
    ahead = ReadAhead(8)
    starts = [0, 1000, 2000]
    for start in starts:
        assert ahead.beyond(range(start, start + 2)) == 0
    for start in starts:
        assert ahead.beyond(range(start + 2, start + 4)) == 2
    for start in starts:
        assert ahead.beyond(range(start + 6, start + 7)) == 4
    for start in starts:
        assert ahead.beyond(range(start + 11, start + 12)) == 8
    for start in starts:
        assert ahead.beyond(range(start + 20, start + 21)) == 8


def test_streams_that_came_to_nothing_are_forgotten() -> None:
    ahead = ReadAhead(8)
    ahead.beyond(range(1))
    for start in range(1000, 20_000, 1000):
        ahead.beyond(range(start, start + 1))
    assert ahead.beyond(range(1, 2)) == 0
