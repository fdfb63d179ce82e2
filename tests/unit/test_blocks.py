"""The block cache, its reader that never waits, and contents."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import (
    BlockCache,
    BytesContent,
    Concatenation,
    Content,
    Extent,
    NotResidentError,
    Reader,
    SingleExtent,
    Store,
    ZeroContent,
    extent_content,
)
from isomount.blocks.store import OVERHEAD
from isomount.errors import DamagedDataError
from tests.formats.iso_builder import MemorySource

DATA = bytes(range(256)) * 4
MINUTE = 60


class Slow(MemorySource):
    """A source that has nothing in memory."""

    def read_resident(self, offset: int, length: int) -> bytes | None:
        return None


class Shrunk(MemorySource):
    """A file that was cut after it was opened."""

    def __init__(self, data: bytes, left: int) -> None:
        super().__init__(data)
        self.data = data[:left]


class Closing(MemorySource):
    """A source that counts how often it is closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


def cache(data: bytes = DATA, budget: int = 10_000) -> BlockCache:
    return BlockCache(MemorySource(data), Store(budget))


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, 10, DATA[:10]),
        (1000, 100, DATA[1000:]),
        (1024, 1, b""),
        (1 << 60, 1, b""),
        (-1, 10, b""),
        (5, 0, b""),
        (5, -3, b""),
    ],
)
def test_a_read_is_short_only_at_the_end(offset: int, length: int, expected: bytes) -> None:
    assert cache().read(offset, length) == expected
    assert cache().resident.read(offset, length) == expected


def test_an_image_that_shrank_is_damage_not_an_end() -> None:
    blocks = BlockCache(Shrunk(DATA, 500))
    assert blocks.read(490, 10) == DATA[490:500]
    for offset in (495, 600):
        with pytest.raises(DamagedDataError, match="shorter since it was opened"):
            blocks.read(offset, 10)
        with pytest.raises(NotResidentError):
            blocks.resident.read(offset, 10)


def test_what_is_not_in_memory_is_not_waited_for() -> None:
    blocks = BlockCache(Slow(DATA))
    with pytest.raises(NotResidentError):
        blocks.resident.read(0, 1)
    assert blocks.resident.read(2000, 1) == b""
    assert blocks.read(0, 1) == b"\0"


class Reversed:
    """What is decoded out of an image: its first bytes, each block of 8 the other way round."""

    size, block_size = 60, 8

    def __init__(self) -> None:
        self.decodes: list[int] = []

    def decode(self, reader: Reader, numbers: range) -> Iterator[bytes]:
        for number in numbers:
            self.decodes.append(number)
            yield reader.read(8 * number, min(8, 60 - 8 * number))[::-1]


BACKWARDS = b"".join(DATA[at : min(at + 8, 60)][::-1] for at in range(0, 60, 8))


def test_what_is_coded_is_decoded_in_whole_blocks_and_once() -> None:
    blocks, coded = cache(budget=100_000), Reversed()
    for _ in range(2):
        assert blocks.decoded(coded, 20, 10) == BACKWARDS[20:30]
        assert blocks.decoded(coded, 16, 16) == BACKWARDS[16:32]
    assert coded.decodes == [2, 3]
    assert blocks.decoded(coded, 0, 1000) == BACKWARDS
    assert blocks.decoded(coded, 59, -1) == blocks.decoded(coded, 60, 5) == b""


def test_the_resident_reader_decodes_nothing() -> None:
    blocks, coded = cache(budget=100_000), Reversed()
    with pytest.raises(NotResidentError):
        blocks.resident.decoded(coded, 0, 1)
    assert not coded.decodes
    blocks.decoded(coded, 0, 1)
    assert blocks.resident.decoded(coded, 1, 5) == BACKWARDS[1:6]


def test_how_many_files_is_remembered_has_a_bound() -> None:
    blocks, kept = cache(), [Reversed() for _ in range(100)]
    for coded in (*kept, *kept):
        assert blocks.decoded(coded, 0, 4) == BACKWARDS[:4]
    assert len(blocks._decoders) < len(kept)


def test_a_block_is_decoded_once() -> None:
    store = Store(10_000)
    assert store.get("a", lambda: b"first") == b"first"
    assert store.get("a", lambda: b"second") == b"first"
    assert store.held("b") is None


def test_a_failure_is_not_remembered() -> None:
    store = Store(10_000)

    def fail() -> bytes:
        raise DamagedDataError("bad")

    for _ in range(2):
        with pytest.raises(DamagedDataError):
            store.get("a", fail)
    assert store.get("a", lambda: b"good") == b"good"


@pytest.mark.parametrize("fails", [False, True])
def test_many_who_ask_at_once_share_one_decoding(fails: bool) -> None:
    store = Store(10_000)
    begun, go_on = threading.Event(), threading.Event()
    count = 0

    def decode() -> bytes:
        nonlocal count
        count += 1
        begun.set()
        assert go_on.wait(MINUTE)
        if fails:
            raise DamagedDataError("bad")
        return b"made"

    def ask() -> bytes:
        try:
            return store.get("a", decode)
        except DamagedDataError as error:
            return str(error).encode()

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(ask)
        assert begun.wait(MINUTE)
        others = [pool.submit(ask) for _ in range(7)]
        # Other blocks do not wait for this one.
        assert store.get("b", lambda: b"other") == b"other"
        go_on.set()
        answers = {future.result(MINUTE) for future in (first, *others)}
    assert answers == {b"bad" if fails else b"made"}
    # Whoever came after a failure tried again; nobody decodes beside somebody else.
    assert count == 1 or fails


def test_the_least_recently_used_block_goes_first() -> None:
    store = Store(2 * OVERHEAD + 100)
    for key in ("a", "b"):
        store.get(key, lambda: bytes(40))
    assert store.held("a") is not None
    store.get("c", lambda: bytes(40))
    assert store.held("b") is None
    assert store.held("a") is not None
    assert store.held("c") is not None


def test_a_block_over_the_budget_is_not_kept_and_drives_no_other_out() -> None:
    store = Store(2 * OVERHEAD)
    store.get("small", lambda: b"made")
    assert store.get("huge", lambda: bytes(OVERHEAD + 1)) == bytes(OVERHEAD + 1)
    assert store.held("huge") is None
    assert store.held("small") is not None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 600)), max_size=80))
def test_the_budget_holds_and_counts_what_a_block_takes_besides_its_bytes(
    asked: list[tuple[int, int]],
) -> None:
    budget = 4 * OVERHEAD
    store = Store(budget)
    sizes = dict(asked)
    for key in [key for key, _ in asked]:
        assert len(store.get(key, lambda key=key: bytes(sizes[key]))) == sizes[key]  # type: ignore[misc]
        held = [block for key in sizes if (block := store.held(key)) is not None]
        assert sum(len(block) + OVERHEAD for block in held) <= budget


def test_an_empty_block_is_a_block() -> None:
    store = Store(10_000)
    assert store.get("a", lambda: b"") == b""
    assert store.get("a", lambda: b"again") == b""


def test_who_is_interrupted_leaves_the_block_to_others() -> None:
    store = Store(10_000)
    begun, go_on = threading.Event(), threading.Event()

    def interrupted() -> bytes:
        begun.set()
        assert go_on.wait(MINUTE)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.get, "a", interrupted)
        assert begun.wait(MINUTE)
        second = pool.submit(store.get, "a", lambda: b"made")
        go_on.set()
        assert second.result(MINUTE) == b"made"
        assert isinstance(first.exception(MINUTE), KeyboardInterrupt)


def test_closing_forgets_every_block_and_closes_the_source_once() -> None:
    source = Closing(DATA)
    store, coded = Store(), Reversed()
    blocks = BlockCache(source, store)
    store.get("a", lambda: b"made")
    blocks.decoded(coded, 0, 1)
    blocks.close()
    blocks.close()
    assert store.held("a") is None
    assert store.get("a", lambda: b"later") == b"later"
    assert store.held("a") is None
    with pytest.raises(NotResidentError):
        blocks.resident.decoded(coded, 0, 1)
    assert source.closed == 1


# ---------------------------------------------------------------- contents


def test_contents_of_each_kind() -> None:
    blocks = cache()
    kinds: list[tuple[Content, bytes, int]] = [
        (BytesContent(b"hello"), b"hello", 0),
        (ZeroContent(5), bytes(5), 0),
        (SingleExtent(10, 5), DATA[10:15], 15),
        (Concatenation([]), b"", 0),
        (
            Concatenation([SingleExtent(9, 2), ZeroContent(2), BytesContent(b"x")]),
            b"\x09\x0a\0\0x",
            11,
        ),
        (extent_content([Extent(3, 4)]), DATA[3:7], 7),
        (extent_content([Extent(3, 4, recorded=False)]), bytes(4), 0),
        (extent_content([Extent(3, 2), Extent(100, 1)]), b"\x03\x04\x64", 101),
        (extent_content([]), b"", 0),
    ]
    for content, expected, end in kinds:
        assert content.size == len(expected)
        assert content.end == end
        assert content.read(blocks, 0, 100) == expected
        assert content.read(blocks, 1, 2) == expected[1:3]
        assert content.read(blocks, len(expected), 1) == b""
        assert content.read(blocks, len(expected) + 9, 1) == b""


def test_bytes_past_the_end_of_the_image_are_lost() -> None:
    content = SingleExtent(1000, 100)
    assert content.read(cache(), 0, 100) == DATA[1000:]
    with pytest.raises(DamagedDataError, match="byte 1024 lies past the end"):
        content.read(cache(), 24, 1)


def test_a_concatenation_gives_what_comes_before_the_lost_part() -> None:
    content = Concatenation([BytesContent(b"ab"), SingleExtent(1020, 10), BytesContent(b"cd")])
    assert content.read(cache(), 0, 100) == b"ab" + DATA[1020:]
    with pytest.raises(DamagedDataError):
        content.read(cache(), 6, 100)
    assert content.read(cache(), 12, 100) == b"cd"
    gone = Concatenation([BytesContent(b"ab"), SingleExtent(5000, 10)])
    assert gone.read(cache(), 0, 12) == b"ab"
    with pytest.raises(DamagedDataError):
        gone.read(cache(), 2, 1)


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 24), st.booleans()), max_size=30),
    st.integers(0, 800),
    st.integers(0, 800),
)
def test_any_runs_read_as_their_bytes(
    runs: list[tuple[int, int, bool]], offset: int, length: int
) -> None:
    extents = [Extent(*run) for run in runs]
    whole = b"".join(
        DATA[run.offset : run.offset + run.length] if run.recorded else bytes(run.length)
        for run in extents
    )
    content = extent_content(extents)
    assert content.size == len(whole)
    assert content.read(cache(), offset, length) == whole[offset : offset + length]
