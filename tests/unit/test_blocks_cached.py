"""The block cache before sources whose bytes nothing else keeps: slow, failing, short ones."""

import errno
import gc
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import BlockCache, NotResidentError
from isomount.blocks.ahead import ReadAhead
from isomount.blocks.store import OVERHEAD, Claim, Store
from isomount.errors import DamagedDataError
from isomount.formats.options import ViewOptions
from isomount.sources import FileRange
from tests.formats.iso_builder import MemorySource, Opened, many_folders

BLOCK = 64
COUNT = 100
DATA = random.Random(3).randbytes(COUNT * BLOCK - 10)
# Enough for all of it, and for loads of many blocks.
AMPLE = 8 * COUNT * (BLOCK + OVERHEAD)
MINUTE = 60


class Remote:
    """A source that the kernel knows nothing of."""

    name = "remote"

    def __init__(self, data: bytes = DATA, block_size: int = BLOCK) -> None:
        self.data = data
        self.size = len(data)
        self.block_size = block_size
        self.loads: list[tuple[int, int]] = []
        self.is_closed = False

    def read_at(self, offset: int, length: int) -> bytes:
        self.loads.append((offset, length))
        return self.data[offset : offset + length]

    def read_resident(self, offset: int, length: int) -> bytes | None:
        raise AssertionError("a source with a block size is not asked for what is in memory")

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        raise AssertionError("a source with a block size is not asked for what is in memory")

    def close(self) -> None:
        self.is_closed = True

    @property
    def blocks_loaded(self) -> list[range]:
        """The numbers of the blocks of each load; all loads are aligned."""
        assert all(offset % BLOCK == 0 for offset, _ in self.loads)
        return [
            range(offset // BLOCK, -(-(offset + length) // BLOCK)) for offset, length in self.loads
        ]


class Gated(Remote):
    """A source that stands still at some offsets until it is let go on."""

    def __init__(self, *offsets: int) -> None:
        super().__init__()
        self.offsets = offsets
        self.begun, self.go_on = threading.Event(), threading.Event()

    def read_at(self, offset: int, length: int) -> bytes:
        data = super().read_at(offset, length)
        if offset in self.offsets:
            self.begun.set()
            assert self.go_on.wait(MINUTE)
        return data


class Bad(Remote):
    """A source that cannot read some bytes."""

    def __init__(self, *places: int, error: Exception | None = None) -> None:
        super().__init__()
        self.places = places
        self.error = error or OSError(errno.EIO, "bad")

    def read_at(self, offset: int, length: int) -> bytes:
        data = super().read_at(offset, length)
        if any(offset <= place < offset + length for place in self.places):
            raise self.error
        return data


def outcome(read: Callable[[], bytes]) -> bytes | Exception:
    try:
        return read()
    except (OSError, DamagedDataError) as error:
        return error


# ---------------------------------------------------------------- blocks


def test_a_block_is_loaded_whole_and_once() -> None:
    source = Remote()
    blocks = BlockCache(source)
    assert blocks.read(BLOCK + 5, 3) == DATA[BLOCK + 5 : BLOCK + 8]
    assert source.loads == [(BLOCK, BLOCK)]
    assert blocks.read(BLOCK, BLOCK) == DATA[BLOCK : 2 * BLOCK]
    assert blocks.read(2 * BLOCK - 1, 1) == DATA[2 * BLOCK - 1 : 2 * BLOCK]
    assert source.loads == [(BLOCK, BLOCK)]


def test_missing_blocks_side_by_side_are_one_load() -> None:
    source = Remote()
    blocks = BlockCache(source, AMPLE)
    for number in (12, 15):
        blocks.read(number * BLOCK, 1)
    source.loads.clear()
    assert blocks.read(10 * BLOCK + 1, 8 * BLOCK) == DATA[10 * BLOCK + 1 : 18 * BLOCK + 1]
    # The last one goes on where an earlier load ended.
    assert source.blocks_loaded == [range(10, 12), range(13, 15), range(16, 21)]


def test_the_last_block_ends_with_the_image() -> None:
    source = Remote()
    blocks = BlockCache(source)
    assert blocks.read(len(DATA) - 3, 100) == DATA[-3:]
    assert blocks.read(len(DATA), 1) == b""
    assert blocks.read(-1, 10) == b""
    assert source.loads == [((COUNT - 1) * BLOCK, BLOCK - 10)]
    assert blocks.resident.read(len(DATA) - 1, 1) == DATA[-1:]


def test_an_empty_image_is_read_without_a_load() -> None:
    source = Remote(b"")
    assert BlockCache(source).read(0, 100) == b""
    assert not source.loads


def test_hostile_sizes_are_bounded_by_the_image_and_the_budget() -> None:
    source = Remote()
    budget = 8 * 4 * BLOCK
    blocks = BlockCache(source, budget)
    assert blocks.read(0, 1 << 70) == DATA
    assert blocks.read(1 << 70, 1 << 70) == b""
    # Some asked for, and as many ahead.
    assert max(length for _, length in source.loads) <= 2 * budget // 8
    with pytest.raises(NotResidentError):
        blocks.resident.read(0, 1 << 70)


def test_a_block_size_beyond_the_budget_is_made_smaller() -> None:
    source = Remote(block_size=1 << 40)
    blocks = BlockCache(source, 8 * BLOCK)
    assert blocks.read(10, 10) == DATA[10:20]
    assert source.loads == [(0, BLOCK)]


def test_what_the_kernel_keeps_is_not_kept_here_too() -> None:
    class Local(Remote):
        def __init__(self) -> None:
            super().__init__()
            self.block_size = None  # type: ignore[assignment]

        def read_resident(self, offset: int, length: int) -> bytes | None:
            return self.data[offset : offset + length]

    source = Local()
    blocks = BlockCache(source)
    for _ in range(2):
        assert blocks.read(5, 3) == DATA[5:8]
    assert source.loads == [(5, 3), (5, 3)]
    assert blocks.resident.read(5, 3) == DATA[5:8]


@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(0, 20_000),
    st.lists(
        st.tuples(st.integers(-5, len(DATA) + 100), st.integers(-5, 2000), st.booleans()),
        max_size=40,
    ),
)
def test_any_sequence_of_reads_gives_the_bytes(
    size: int, block_size: int, budget: int, reads: list[tuple[int, int, bool]]
) -> None:
    data = DATA[: size * 30]
    blocks = BlockCache(Remote(data, block_size), budget)
    for offset, length, waits in reads:
        wanted = data[offset : offset + length] if offset >= 0 and length > 0 else b""
        if waits:
            assert blocks.read(offset, length) == wanted
        else:
            try:
                assert blocks.resident.read(offset, length) == wanted
            except NotResidentError:
                assert wanted


@pytest.mark.parametrize("block_size", [1000, 1 << 16])
def test_an_image_shows_the_same_through_blocks(block_size: int) -> None:
    class InBlocks(MemorySource):
        def __init__(self, data: bytes) -> None:
            super().__init__(data)
            self.block_size = block_size

        def read_resident(self, offset: int, length: int) -> bytes | None:
            raise AssertionError("a source with a block size is not asked for what is in memory")

    data = many_folders(40).data()
    straight = Opened(MemorySource(data), ViewOptions())
    through = Opened(InBlocks(data), ViewOptions())
    assert through.tree() == straight.tree()
    assert len(through.names()) == 80
    assert through.read("d30/f30") == straight.read("d30/f30")


# ---------------------------------------------------------------- the budget


def test_the_least_recently_used_block_goes_first() -> None:
    source = Remote()
    blocks = BlockCache(source, 8 * (BLOCK + OVERHEAD))
    for number in (*range(0, 16, 2), 0, 30):
        blocks.read(number * BLOCK, 1)
    assert blocks.resident.read(0, BLOCK) == DATA[:BLOCK]
    with pytest.raises(NotResidentError):
        blocks.resident.read(2 * BLOCK, 1)


def test_decoded_blocks_share_the_budget() -> None:
    budget = 8 * (BLOCK + OVERHEAD)
    blocks = BlockCache(Remote(), budget)
    for number in range(0, 16, 2):
        blocks.read(number * BLOCK, 1)
    blocks.decoded("large", lambda: bytes(budget - OVERHEAD))
    for number in range(0, 16, 2):
        with pytest.raises(NotResidentError):
            blocks.resident.read(number * BLOCK, 1)
    blocks.read(0, 1)
    assert blocks.held("large") is None


def test_a_decoder_reads_through_the_same_cache() -> None:
    source = Remote()
    blocks = BlockCache(source, AMPLE)
    with ThreadPoolExecutor(8) as pool:
        made = [
            pool.submit(blocks.decoded, key, lambda: blocks.read(0, 3 * BLOCK)[::-1])
            for key in (0, (0, 1), "a") * 8
        ]
        assert {each.result(MINUTE) for each in made} == {DATA[: 3 * BLOCK][::-1]}
    assert source.loads == [(0, 3 * BLOCK)]


def test_closing_forgets_every_block() -> None:
    source = Remote()
    blocks = BlockCache(source)
    blocks.read(0, 1)
    blocks.close()
    blocks.close()
    assert source.is_closed
    with pytest.raises(NotResidentError):
        blocks.resident.read(0, 1)


# ---------------------------------------------------------------- many at once


def asked_beside(blocks: BlockCache, source: Gated, *ranges: tuple[int, int]) -> list[bytes]:
    """What reads get that begin, in that order, while the first one is under way."""
    with ThreadPoolExecutor(len(ranges)) as pool:
        first = pool.submit(blocks.read, *ranges[0])
        assert source.begun.wait(MINUTE)
        others = [pool.submit(blocks.read, *each) for each in ranges[1:]]
        source.go_on.set()
        return [each.result(MINUTE) for each in (first, *others)]


def test_many_who_ask_for_a_block_share_one_load() -> None:
    source = Gated(0)
    ranges = [(5, 3), (0, BLOCK), *[(10, 20)] * 6]
    answers = asked_beside(BlockCache(source), source, *ranges)
    assert answers == [DATA[offset : offset + length] for offset, length in ranges]
    assert source.loads == [(0, BLOCK)]


def test_overlapping_reads_load_each_block_once() -> None:
    source = Gated(2 * BLOCK)
    ranges = [(2 * BLOCK, 4 * BLOCK), (0, 4 * BLOCK), (3 * BLOCK, 6 * BLOCK), (0, 9 * BLOCK)]
    answers = asked_beside(BlockCache(source, AMPLE), source, *ranges)
    assert answers == [DATA[offset : offset + length] for offset, length in ranges]
    loaded = [number for load in source.blocks_loaded for number in load]
    assert len(loaded) == len(set(loaded))


def test_who_waits_for_the_source_holds_up_nobody_else() -> None:
    source = Gated(0)
    blocks = BlockCache(source)
    blocks.read(20 * BLOCK, 1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(blocks.read, 0, 1)
        assert source.begun.wait(MINUTE)
        # One that is held, one that is not, and a decoded one; all in this thread.
        assert blocks.read(20 * BLOCK, 1) == DATA[20 * BLOCK : 20 * BLOCK + 1]
        assert blocks.resident.read(20 * BLOCK, 1) == DATA[20 * BLOCK : 20 * BLOCK + 1]
        assert blocks.read(40 * BLOCK, 1) == DATA[40 * BLOCK : 40 * BLOCK + 1]
        assert blocks.decoded("a", lambda: b"made") == b"made"
        with pytest.raises(NotResidentError):
            blocks.resident.read(0, 1)
        assert not slow.done()
        source.go_on.set()
        assert slow.result(MINUTE) == DATA[:1]


@pytest.mark.parametrize("budget", [8 * BLOCK, 40 * (BLOCK + OVERHEAD), AMPLE])
def test_many_readers_with_chance_get_the_bytes(budget: int) -> None:
    blocks = BlockCache(Remote(), budget)

    def read_at_random(seed: int) -> bool:
        chosen = random.Random(seed)
        for _ in range(200):
            offset, length = chosen.randrange(len(DATA)), chosen.randrange(1, 12 * BLOCK)
            assert blocks.read(offset, length) == DATA[offset : offset + length]
        return True

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(read_at_random, seed) for seed in range(8)]
        assert all(future.result(MINUTE) for future in futures)


def test_a_claim_is_settled_once_for_all_who_wait() -> None:
    error = DamagedDataError("bad")
    settle: list[tuple[Callable[[Claim], None], object, bytes | None]] = [
        (lambda claim: claim.keep(b"made"), b"made", b"made"),
        (lambda claim: claim.deliver(b"made"), b"made", None),
        (lambda claim: claim.give_up(), None, None),
        (lambda claim: claim.fail(error), error, None),
    ]
    for settled, expected, held in settle:
        store = Store(1000)
        claim = store.claim("a")
        awaited = store.claim("a")
        assert isinstance(claim, Claim)
        assert isinstance(awaited, Future)
        assert not awaited.done()
        settled(claim)
        claim.give_up()
        claim.fail(ZeroDivisionError())
        assert (awaited.exception() or awaited.result()) == expected
        assert store.held("a") == held
        # Whoever comes later waits for nobody.
        assert not isinstance(store.claim("a"), Future)


# ---------------------------------------------------------------- failures


def test_a_failure_is_not_remembered() -> None:
    source = Bad(5)
    blocks = BlockCache(source)
    for _ in range(2):
        with pytest.raises(OSError, match="bad"):
            blocks.read(0, 1)
    source.places = ()
    assert blocks.read(0, 1) == DATA[:1]
    assert len(source.loads) == 3


def test_a_failure_reaches_all_who_wait() -> None:
    class GatedAndBad(Gated):
        def read_at(self, offset: int, length: int) -> bytes:
            super().read_at(offset, length)
            raise OSError(errno.EIO, "bad")

    source = GatedAndBad(0)
    blocks = BlockCache(source)
    waiting = threading.Barrier(5)

    def ask() -> bytes | Exception:
        waiting.wait(MINUTE)
        return outcome(lambda: blocks.read(0, 1))

    with ThreadPoolExecutor(5) as pool:
        first: Future[bytes | Exception] = pool.submit(outcome, lambda: blocks.read(0, 1))
        assert source.begun.wait(MINUTE)
        others = [pool.submit(ask) for _ in range(4)]
        waiting.wait(MINUTE)
        source.go_on.set()
        answers = [each.result(MINUTE) for each in (first, *others)]
    assert all(isinstance(answer, OSError) and answer.errno == errno.EIO for answer in answers)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "bad"), DamagedDataError("bad")])
def test_a_bad_block_fails_alone(error: Exception) -> None:
    source = Bad(5 * BLOCK + 1, error=error)
    blocks = BlockCache(source, AMPLE)
    assert outcome(lambda: blocks.read(3 * BLOCK, 5 * BLOCK)) is error
    # What came before it was not lost with it.
    assert blocks.resident.read(3 * BLOCK, 2 * BLOCK) == DATA[3 * BLOCK : 5 * BLOCK]
    assert blocks.read(6 * BLOCK, BLOCK) == DATA[6 * BLOCK : 7 * BLOCK]
    assert outcome(lambda: blocks.read(5 * BLOCK, 1)) is error


def test_a_bad_block_ahead_disturbs_nobody() -> None:
    source = Bad(3 * BLOCK)
    blocks = BlockCache(source, AMPLE)
    for number in range(3):
        at = number * BLOCK
        assert blocks.read(at, BLOCK) == DATA[at : at + BLOCK]
    with pytest.raises(OSError, match="bad"):
        blocks.read(3 * BLOCK, 1)
    assert blocks.read(4 * BLOCK, 1) == DATA[4 * BLOCK : 4 * BLOCK + 1]


def test_an_error_of_another_kind_leaves_the_block_to_others() -> None:
    source = Bad(0, error=ZeroDivisionError())
    blocks = BlockCache(source)
    with pytest.raises(ZeroDivisionError):
        blocks.read(0, 3 * BLOCK)
    source.places = ()
    assert blocks.read(0, 3 * BLOCK) == DATA[: 3 * BLOCK]


def test_an_error_leaves_no_cycle_behind() -> None:
    blocks = BlockCache(Bad(0, error=DamagedDataError("bad")), AMPLE)
    outcome(lambda: blocks.read(0, 1))
    gc.collect()
    for _ in range(10):
        outcome(lambda: blocks.read(0, 3 * BLOCK))
    assert gc.collect() == 0


def test_an_image_that_shrank_is_damage_until_it_has_grown_again() -> None:
    source = Remote()
    blocks = BlockCache(source, AMPLE)
    source.data = DATA[: 4 * BLOCK + 20]
    assert blocks.read(4 * BLOCK + 10, 10) == DATA[4 * BLOCK + 10 : 4 * BLOCK + 20]
    for offset, length in ((4 * BLOCK + 15, 10), (0, 20 * BLOCK), (60 * BLOCK, 1)):
        with pytest.raises(DamagedDataError, match="remote: has become shorter since it was"):
            blocks.read(offset, length)
        with pytest.raises(NotResidentError):
            blocks.resident.read(offset, length)
    assert blocks.resident.read(0, 4 * BLOCK) == DATA[: 4 * BLOCK]
    source.data = DATA
    assert blocks.read(0, len(DATA)) == DATA


# ---------------------------------------------------------------- read-ahead


def test_who_reads_in_order_is_read_ahead_farther_and_farther() -> None:
    source = Remote()
    at_most = 16
    blocks = BlockCache(source, 8 * at_most * (BLOCK + OVERHEAD))
    threads = threading.enumerate()
    for at in range(0, len(DATA), BLOCK // 2):
        assert blocks.read(at, BLOCK // 2) == DATA[at : at + BLOCK // 2]
    loads = source.blocks_loaded
    assert [len(load) for load in loads] == [1, 2, 3, 5, 9, 17, 17, 17, 17, 12]
    assert [number for load in loads for number in load] == list(range(COUNT))
    assert threading.enumerate() == threads


def test_who_reads_here_and_there_gets_what_was_asked_for() -> None:
    source = Remote()
    blocks = BlockCache(source, AMPLE)
    for number in (50, 10, 30, 70, 20, 0):
        blocks.read(number * BLOCK, BLOCK)
    assert [len(load) for load in source.blocks_loaded] == [1] * 6


def test_nothing_is_read_ahead_past_what_is_held() -> None:
    source = Remote()
    blocks = BlockCache(source, AMPLE)
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
