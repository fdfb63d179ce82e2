"""Listings of directories, one reply after the other."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import islice
from stat import S_ISDIR
from typing import Protocol

from isomount.blocks import NotResidentError, Reader
from isomount.fs.foresight import Foresight
from isomount.tree import Directory, Listed, Node, Volume

# Entries that a worker reads at a time: a reply of 4 KiB holds 22, newer kernels take 32 KiB.
_BATCH = 512
# Huge listings that are kept for their next reply; others begin anew at their cookie.
_KEPT_AT_MOST = 16
# Cookies 1 and 2 are "." and ".."; the directory's own follow.
_DOTS = 2


class Reply(Protocol):
    """A reply that is being filled. ``cookie`` is where the listing continues after an entry."""

    @property
    def entries_at_most(self) -> int:
        """How many entries there may be room for."""

    def add_dot(self, cookie: int, name: bytes, ino: int) -> bool:
        """Add "." or ".."; False when there is no room for it."""

    def add(self, cookie: int, name: bytes, node: Node) -> bool:
        """Add an entry; False when there is no room for it."""


class Listings:
    """Fills replies with what is in the directories of ``volume``."""

    def __init__(self, volume: Volume) -> None:
        self.foresight = Foresight(volume)
        self._volume = volume
        self._kept: OrderedDict[tuple[int, int], _Ahead] = OrderedDict()

    def fill(self, reader: Reader, ino: int, cookie: int, reply: Reply) -> None:
        """Fill ``reply`` with the entries of the directory ``ino`` after ``cookie``; 0 begins.

        Raises NotResidentError before anything was added.
        """
        # Only the event loop looks ahead: a worker that waits has nothing to gain.
        on_loop = reader is self._volume.blocks.resident
        if cookie == 0 and on_loop:
            self.foresight.opens(ino)
        directory = self._volume.directory(ino, reader)
        before = max(0, cookie - _DOTS)
        if not directory.in_memory:
            self._fill_huge(reader, ino, directory, cookie, reply)
        elif self._add_dots(reply, ino, directory.parent, cookie):
            if cookie == 0 and on_loop:
                self.foresight.listing()
            self._fill_whole(directory.after(reader, before), reply, foresee=on_loop)

    def _fill_whole(self, listing: Iterator[Listed], reply: Reply, *, foresee: bool) -> None:
        for after, name, node in listing:
            if not reply.add(after + _DOTS, name, node):
                return
            if foresee and S_ISDIR(node.mode):
                self.foresight.lists(node.ino)

    def _fill_huge(
        self, reader: Reader, ino: int, directory: Directory, cookie: int, reply: Reply
    ) -> None:
        """Fill a reply from a directory that has to be read again, which only a worker does."""
        before = max(0, cookie - _DOTS)
        ahead = self._kept.pop((ino, before), None) or _Ahead(
            directory.after(self._volume.blocks, before)
        )
        if not ahead.has(reply.entries_at_most):
            if reader is self._volume.blocks.resident:
                self._keep(ino, before, ahead)
                raise NotResidentError
            ahead.refill()
        if not self._add_dots(reply, ino, directory.parent, cookie):
            self._keep(ino, before, ahead)
            return
        while ahead.ready:
            after, name, node = ahead.ready[0]
            if not reply.add(after + _DOTS, name, node):
                break
            before = after
            ahead.ready.popleft()
        if not ahead.is_over:
            self._keep(ino, before, ahead)

    def _add_dots(self, reply: Reply, ino: int, parent: int, cookie: int) -> bool:
        dots = ((1, b".", ino), (2, b"..", parent))
        return all(reply.add_dot(*dot) for dot in dots if dot[0] > cookie)

    def _keep(self, ino: int, before: int, ahead: "_Ahead") -> None:
        self._kept[ino, before] = ahead
        if len(self._kept) > _KEPT_AT_MOST:
            self._kept.popitem(last=False)


class _Ahead:
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
