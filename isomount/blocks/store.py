"""Blocks in memory: bounded in bytes, and each brought there once however many ask for it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

# What a block takes besides its bytes: key, bytes object and dictionary entries. Uncounted, a disc
# of a million tiny blocks would fill the memory within the budget.
OVERHEAD = 512

# What all blocks of an image may take, in bytes: decoded ones, and those of a source that nothing
# else caches.
BUDGET = 32 << 20


class Awaited:
    """A block that somebody else is bringing. A Future would cost a tenth of decoding the block."""

    __slots__ = ("_block", "_coming", "_error")

    def __init__(self) -> None:
        self._coming = threading.Lock()
        self._coming.acquire()  # until it is settled
        self._block: bytes | None = None
        self._error: Exception | None = None

    def is_settled(self) -> bool:
        """Whether nobody has to wait any more."""
        return not self._coming.locked()

    def result(self) -> bytes | None:
        """Wait for the block; None when they gave up, so that whoever waits asks again.

        Raises what they failed with.
        """
        with self._coming:  # and let in the next one who waits
            pass
        if self._error is not None:
            raise self._error
        return self._block

    def settle(self, block: bytes | None, error: Exception | None = None) -> None:
        """Let go whoever waits. Once, by who claimed the block."""
        self._block, self._error = block, error
        self._coming.release()


class Store:
    """Blocks under their keys, least recently used out first. Thread-safe.

    Its lock is never held while a block is brought: who finds one in memory never waits.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        """``budget`` is how many bytes all blocks may take together."""
        self.budget = budget
        self._taken = 0
        self._blocks: OrderedDict[Hashable, bytes] = OrderedDict()
        self._awaited: dict[Hashable, Awaited] = {}
        self._lock = threading.Lock()

    def held(self, key: Hashable) -> bytes | None:
        """The block under ``key`` if it is in memory."""
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
            return block

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The block under ``key``, made by ``make`` unless it is in memory or being made."""
        while not isinstance(found := self.claim(key), Claim):
            block = found if isinstance(found, bytes) else found.result()
            if block is not None:
                return block
        try:
            block = make()
            found.keep(block)
        except Exception as error:  # whatever it is, everyone who waits for the block gets it
            found.fail(error)
            raise
        finally:
            found.give_up()
        return block

    def claim(self, key: Hashable) -> "bytes | Awaited | Claim":
        """The block, or what brings it if somebody has claimed it, or a claim for the caller."""
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
                return block
            awaited = self._awaited.get(key)
            if awaited is not None:
                return awaited
            self._awaited[key] = awaited = Awaited()
            return Claim(self, key, awaited)

    def add(self, key: Hashable, block: bytes) -> None:
        """Hold a block that is not held yet, as the budget allows."""
        cost = len(block) + OVERHEAD
        with self._lock:
            if cost > self.budget:
                return
            self._blocks[key] = block
            self._taken += cost
            while self._taken > self.budget:
                _, oldest = self._blocks.popitem(last=False)
                self._taken -= len(oldest) + OVERHEAD

    def settle(self, key: Hashable) -> None:
        """Nobody is bringing the block under ``key`` any more."""
        with self._lock:
            del self._awaited[key]

    def close(self) -> None:
        """Forget every block, and hold no further one."""
        with self._lock:
            self.budget = self._taken = 0
            self._blocks.clear()


class Claim:
    """The duty to bring one block: others who ask for it wait until this is settled.

    The first of its methods settles it, any later one does nothing. Bring what is claimed before
    waiting for what others have claimed, or two callers may wait for each other.
    """

    __slots__ = ("_awaited", "_key", "_store")

    def __init__(self, store: Store, key: Hashable, awaited: Awaited) -> None:
        self._store = store
        self._key = key
        self._awaited: Awaited | None = awaited

    def keep(self, block: bytes) -> None:
        """Here is the block: it stays in memory as the budget allows."""
        self._store.add(self._key, block)  # before it is settled, or somebody could miss both
        self._settle(block)

    def deliver(self, block: bytes) -> None:
        """Here is the block, for those alone who wait for it."""
        self._settle(block)

    def give_up(self) -> None:
        """It was not tried to the end: somebody else may."""
        self._settle(None)

    def fail(self, error: Exception) -> None:
        """There is no block, and all who wait are told why. It is not remembered."""
        if (awaited := self._let_go()) is not None:
            awaited.settle(None, error)

    def _settle(self, block: bytes | None) -> None:
        if (awaited := self._let_go()) is not None:
            awaited.settle(block)

    def _let_go(self) -> Awaited | None:
        # For good: an error, its traceback, this claim and the error again would be a cycle.
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            self._store.settle(self._key)
        return awaited
