"""The block cache before a source whose bytes nothing else keeps."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import BlockCache, NotResidentError
from isomount.blocks.store import OVERHEAD, Awaited, Claim, Store
from isomount.errors import DamagedDataError
from isomount.formats.options import ViewOptions
from tests.formats.iso_builder import MemorySource, Opened, many_folders
from tests.uncached import AMPLE, BLOCK, COUNT, DATA, MINUTE, Gated, Remote

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
    blocks = BlockCache(source, Store(AMPLE))
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
    blocks = BlockCache(source, Store(budget))
    assert blocks.read(0, 1 << 70) == DATA
    assert blocks.read(1 << 70, 1 << 70) == b""
    # Some asked for, and as many ahead.
    assert max(length for _, length in source.loads) <= 2 * budget // 8
    with pytest.raises(NotResidentError):
        blocks.resident.read(0, 1 << 70)


def test_a_block_size_beyond_the_budget_is_made_smaller() -> None:
    source = Remote(block_size=1 << 40)
    blocks = BlockCache(source, Store(8 * BLOCK))
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
    blocks = BlockCache(Remote(data, block_size), Store(budget))
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


def test_a_source_that_grows_is_measured_again_by_who_asks_for_more() -> None:
    source = Remote(DATA[:1000])
    blocks = BlockCache(source)
    told: list[int] = []
    blocks.on_growth = lambda: told.append(blocks.size)
    assert blocks.read(900, 500) == DATA[900:1000]
    source.data = DATA[:1500]
    assert blocks.resident.read(960, 40) == DATA[960:1000], "nobody asks for more"
    assert blocks.read(900, 500) == DATA[900:1400], "the last block was kept while it was short"
    assert (blocks.size, blocks.resident.size, told) == (1500, 1500, [1500])
    assert not blocks.has_grown()
    source.data = DATA
    assert blocks.has_grown()
    assert blocks.read(1400, len(DATA)) == DATA[1400:]


# ---------------------------------------------------------------- the budget


def test_the_least_recently_used_block_goes_first() -> None:
    source = Remote()
    blocks = BlockCache(source, Store(8 * (BLOCK + OVERHEAD)))
    for number in (*range(0, 16, 2), 0, 30):
        blocks.read(number * BLOCK, 1)
    assert blocks.resident.read(0, BLOCK) == DATA[:BLOCK]
    with pytest.raises(NotResidentError):
        blocks.resident.read(2 * BLOCK, 1)


def test_decoded_blocks_share_the_budget() -> None:
    budget = 8 * (BLOCK + OVERHEAD)
    store = Store(budget)
    blocks = BlockCache(Remote(), store)
    for number in range(0, 16, 2):
        blocks.read(number * BLOCK, 1)
    store.get("large", lambda: bytes(budget - OVERHEAD))
    for number in range(0, 16, 2):
        with pytest.raises(NotResidentError):
            blocks.resident.read(number * BLOCK, 1)
    blocks.read(0, 1)
    assert store.held("large") is None


def test_a_decoder_reads_through_the_same_cache() -> None:
    source, store = Remote(), Store(AMPLE)
    blocks = BlockCache(source, store)
    with ThreadPoolExecutor(8) as pool:
        made = [
            pool.submit(store.get, key, lambda: blocks.read(0, 3 * BLOCK)[::-1])
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
    answers = asked_beside(BlockCache(source, Store(AMPLE)), source, *ranges)
    assert answers == [DATA[offset : offset + length] for offset, length in ranges]
    loaded = [number for load in source.blocks_loaded for number in load]
    assert len(loaded) == len(set(loaded))


def test_who_waits_for_the_source_holds_up_nobody_else() -> None:
    source, store = Gated(0), Store()
    blocks = BlockCache(source, store)
    blocks.read(20 * BLOCK, 1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(blocks.read, 0, 1)
        assert source.begun.wait(MINUTE)
        # One that is held, one that is not, and a decoded one; all in this thread.
        assert blocks.read(20 * BLOCK, 1) == DATA[20 * BLOCK : 20 * BLOCK + 1]
        assert blocks.resident.read(20 * BLOCK, 1) == DATA[20 * BLOCK : 20 * BLOCK + 1]
        assert blocks.read(40 * BLOCK, 1) == DATA[40 * BLOCK : 40 * BLOCK + 1]
        assert store.get("a", lambda: b"made") == b"made"
        with pytest.raises(NotResidentError):
            blocks.resident.read(0, 1)
        assert not slow.done()
        source.go_on.set()
        assert slow.result(MINUTE) == DATA[:1]


@pytest.mark.parametrize("budget", [8 * BLOCK, 40 * (BLOCK + OVERHEAD), AMPLE])
def test_many_readers_with_chance_get_the_bytes(budget: int) -> None:
    blocks = BlockCache(Remote(), Store(budget))

    def read_at_random(seed: int) -> bool:
        chosen = random.Random(seed)
        for _ in range(200):
            offset, length = chosen.randrange(len(DATA)), chosen.randrange(1, 12 * BLOCK)
            assert blocks.read(offset, length) == DATA[offset : offset + length]
        return True

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(read_at_random, seed) for seed in range(8)]
        assert all(future.result(MINUTE) for future in futures)


def outcome(awaited: Awaited) -> bytes | Exception | None:
    try:
        return awaited.result()
    except DamagedDataError as error:
        return error


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
        assert isinstance(awaited, Awaited)
        assert not awaited.is_settled()
        settled(claim)
        claim.give_up()
        claim.fail(ZeroDivisionError())
        assert awaited.is_settled()
        assert outcome(awaited) == expected
        assert store.held("a") == held
        # Whoever comes later waits for nobody.
        assert not isinstance(store.claim("a"), Awaited)
