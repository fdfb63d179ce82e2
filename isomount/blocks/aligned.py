"""Aligned blocks: the cache in front of a source whose bytes nothing else keeps in memory."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol, runtime_checkable

from isomount.blocks.ahead import ReadAhead, Stream, Streams
from isomount.blocks.store import OVERHEAD, Awaited, Claim, Store
from isomount.errors import DamagedDataError, IsomountError
from isomount.sources import FileRange, Source, is_end_near, reads_at_once
from isomount.workers import WORKERS

# The most that is asked of the source at a time, in bytes, with as much again read ahead.
_LOAD_AT_MOST = 4 << 20
# What is loaded at a time while others go on, in bytes: some milliseconds of decoding.
_LOAD_BESIDE = 512 << 10
# And no more than this part of the budget: several may read at once.
_SHARE = 8


@runtime_checkable
class InPieces(Protocol):
    """A source that is decoded block by block.

    It is best had so: each block is there for who waits for it as soon as it is made, none is
    copied out of a longer run, and the memory of each is used again.
    """

    def pieces(self, offset: int, length: int) -> Iterable[bytes]:
        """The bytes of that range in pieces of the source's block size, with which it begins."""


class AlignedBlocks:
    """A source read in aligned blocks that a store keeps. A source itself. Thread-safe.

    Missing blocks that lie side by side are read at once. Who reads in order gets further ones read
    ahead: meanwhile, if the source can be read by others than who waits for it, else with them.
    A block that cannot be read fails alone: whoever asked only for others gets them.
    """

    block_size = None  # what is in memory here needs no further cache

    def __init__(self, source: Source, store: Store, block_size: int, key: Hashable = None) -> None:
        """Blocks are kept under ``key``, if that is given: for whoever else has the same key."""
        self.name = source.name
        self.size = source.size
        self._source = source
        self._store = store
        share = store.budget // _SHARE
        self._length = max(1, min(block_size, share))
        kept = share // (self._length + OVERHEAD)
        self._in_pieces: InPieces | None = None
        if isinstance(source, InPieces) and block_size == self._length:
            self._in_pieces = source
        self._at_most = max(1, min(_LOAD_AT_MOST // self._length, kept))  # blocks
        # Whether the source is made of smaller blocks, of which several are kept as one.
        self._is_finer = getattr(source, "block_length", self._length) < self._length
        self.reads_at_once = at_once = reads_at_once(source)
        self._ahead = ReadAhead(0 if at_once else self._at_most)
        beside = max(1, min(_LOAD_BESIDE // self._length, self._at_most))
        self._buffer = memoryview(b"")
        self._streams = Streams(self._at_most, beside, at_once)

    @property
    def is_end_known(self) -> bool:
        """As of the source: whether reading its end needs no long wait."""
        return is_end_near(self._source)

    def measure(self) -> int:
        """The source's size now."""
        self.size = self._source.measure()
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short where the source is."""
        numbers = self._numbers(offset, length)
        self._go_ahead(numbers)
        try:
            blocks = self._held(numbers) or self._whole_blocks(numbers)
            return b"".join(self._cut(blocks, offset, length))
        except DamagedDataError:
            if length > self._length or not self._is_finer:
                raise
            # The damage may lie in another part of the block than what is wanted.
            return self._source.read_at(offset, length)

    def _whole_blocks(self, numbers: range) -> list[bytes]:
        blocks: list[bytes] = []
        for start in range(0, len(numbers), self._at_most):
            blocks += self._blocks(numbers[start : start + self._at_most])
            if len(blocks[-1]) < self._length:
                break
        return blocks

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """The bytes of that range if every block of it is in memory.

        The returned buffer is reused by the next call: new memory costs more than the copy.
        """
        numbers = self._numbers(offset, length)
        blocks = self._held(numbers)
        if blocks is None:
            return None
        self._go_ahead(numbers)
        pieces = self._cut(blocks, offset, length)
        if len(pieces) == 1:
            return pieces[0]
        size = sum(map(len, pieces))
        if size > len(self._buffer):
            self._buffer = memoryview(bytearray(size))
        end = 0
        for piece in pieces:
            self._buffer[end : end + len(piece)] = piece
            end += len(piece)
        return self._buffer[:end]

    def _held(self, numbers: range) -> list[bytes] | None:
        blocks: list[bytes] = []
        for number in numbers:
            block = self._store.held(self._key(number))
            if block is None:
                return None
            blocks.append(block)
        return blocks

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """The blocks stand in no file."""
        return None

    def close(self) -> None:
        """Close the source. Nothing begins ahead any more; what has begun comes to nothing."""
        self.reads_at_once = 0
        self._source.close()

    def _numbers(self, offset: int, length: int) -> range:
        end = min(offset + length, self.size)
        return range(offset // self._length, -(-end // self._length))

    def _key(self, number: int) -> Hashable:
        """What a block is kept under: its length too, as the last one grows with the source."""
        return self, number, min(self._length, self.size - number * self._length)

    def _cut(self, blocks: Iterable[bytes], offset: int, length: int) -> list[bytes]:
        """The range, which begins in the first of ``blocks``, as far as they have it."""
        within = offset % self._length
        pieces: list[bytes] = []
        for block in blocks:
            piece = block[within : within + length]
            pieces.append(piece)
            length -= len(piece)
            if len(block) < self._length:
                break
            within = 0
        return pieces

    def _blocks(self, numbers: range) -> list[bytes]:
        """The blocks of these numbers, loaded where that is not done or under way."""
        mine: dict[int, Claim] = {}
        others: dict[int, bytes | Awaited] = {}
        blocks: dict[int, bytes] = {}
        try:
            for number in numbers:
                there = self._store.claim(self._key(number))
                if isinstance(there, Claim):
                    mine[number] = there
                else:
                    others[number] = there
            for run in _runs(list(mine)):
                blocks |= self._load(run, mine)
        finally:
            for claim in mine.values():
                claim.give_up()
        for number, there in others.items():
            blocks[number] = self._brought(number, there)
        return [blocks[number] for number in numbers]

    def _brought(self, number: int, there: bytes | Awaited) -> bytes:
        block = there if isinstance(there, bytes) else there.result()
        return self._blocks(range(number, number + 1))[0] if block is None else block

    def _load(self, run: range, claims: dict[int, Claim]) -> dict[int, bytes]:
        """The blocks of ``run``, and maybe some after them; claims for those are added."""
        longer = range(run.start, self._claim_ahead(run, claims))
        loaded: dict[int, bytes] = {}
        if len(longer) > 1:
            with suppress(IsomountError, OSError):  # which block it is shows below
                self._read(longer, claims, loaded)
        for number in run:
            if number not in loaded:
                try:
                    self._read(range(number, number + 1), claims, loaded)
                except (IsomountError, OSError) as error:
                    claims[number].fail(error)
                    raise
        return loaded

    def _claim_ahead(self, run: range, claims: dict[int, Claim]) -> int:
        """Claim the blocks after ``run`` that are worth loading with it. Returns where they end."""
        count = -(-self.size // self._length)
        stop = min(run.stop + self._ahead.beyond(run), count)
        for number in range(run.stop, stop):
            claim = self._store.claim(self._key(number))
            if not isinstance(claim, Claim):
                return number
            claims[number] = claim
        return stop

    def _go_ahead(self, numbers: range) -> None:
        """Have loaded, meanwhile, what who reads these blocks may ask for next. Never waits."""
        if not (self.reads_at_once and numbers):
            return
        stream, loads = self._streams.reads(numbers)
        for load in loads:
            if not WORKERS.begin(partial(self._load_beside, stream, load)):
                self._streams.put_off(stream, load)

    def _load_beside(self, stream: Stream, load: range | None) -> None:
        """Load some blocks, then whatever is due by then."""
        while load is not None:
            with suppress(Exception):  # whoever needs what cannot be read finds out why
                self._bring(load)
            load = self._streams.next(stream)

    def _bring(self, load: range) -> None:
        """Load those of these blocks that nobody has or brings yet."""
        count = -(-self.size // self._length)
        claims: dict[int, Claim] = {}
        try:
            for number in range(load.start, min(load.stop, count)):
                there = self._store.claim(self._key(number))
                if isinstance(there, Claim):
                    claims[number] = there
            for run in _runs(list(claims)):
                self._read(run, claims, {})
        finally:
            for claim in claims.values():
                claim.give_up()

    def _read(self, run: range, claims: dict[int, Claim], loaded: dict[int, bytes]) -> None:
        """Read the blocks of ``run`` into ``loaded``, each of which settles its claim."""
        for number, block in zip(run, self._pieces(run), strict=False):
            loaded[number] = block
            if len(block) == min(self._length, self.size - number * self._length):
                claims[number].keep(block)
            else:  # the source has become shorter, or is growing: asked again next time
                claims[number].deliver(block)

    def _pieces(self, run: range) -> Iterable[bytes]:
        start = run.start * self._length
        length = min(len(run) * self._length, self.size - start)
        if self._in_pieces is not None:
            return self._in_pieces.pieces(start, length)
        data = self._source.read_at(start, length)
        return [data[at : at + self._length] for at in range(0, length, self._length)]


def _runs(numbers: Sequence[int]) -> Iterator[range]:
    """Ascending numbers as ranges of those that follow each other."""
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
            yield range(numbers[start], numbers[end - 1] + 1)
            start = end
