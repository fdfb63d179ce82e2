"""Listings of huge directories, read some way ahead and continued from one reply to the next."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import islice

from isomount.tree import Listed

# Entries that a worker reads at a time: a reply of 4 KiB holds 22, newer kernels take 32 KiB.
_BATCH = 512
# Listings that wait for their next reply; others are begun anew.
_WAITING_AT_MOST = 16


class Ahead:
    """The rest of a listing, and what was read of it before it was wanted."""

    def __init__(self, listing: Iterator[Listed]) -> None:
        self._listing = listing
        self._is_finished = False
        self.ready: deque[Listed] = deque()

    def has(self, count: int) -> bool:
        """Whether so many entries are ready, or all there are."""
        return self._is_finished or len(self.ready) >= count

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self._is_finished and not self.ready

    def refill(self) -> None:
        """Read on. Waits for the image."""
        before = len(self.ready)
        self.ready.extend(islice(self._listing, _BATCH))
        self._is_finished = len(self.ready) - before < _BATCH


class Waiting:
    """Listings by directory and cookie, the place where the next reply goes on."""

    def __init__(self) -> None:
        self._listings: OrderedDict[tuple[int, int], Ahead] = OrderedDict()

    def take(self, ino: int, cookie: int) -> Ahead | None:
        """The listing that goes on there, which is the caller's alone from now on."""
        return self._listings.pop((ino, cookie), None)

    def keep(self, ino: int, cookie: int, listing: Ahead) -> None:
        """Keep a listing for the next reply."""
        self._listings[ino, cookie] = listing
        if len(self._listings) > _WAITING_AT_MOST:
            self._listings.popitem(last=False)
