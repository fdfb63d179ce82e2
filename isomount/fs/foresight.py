"""Prefetching the directories that a tree walk will open next.

find, ls -R, tar, cp and rsync all list a directory and then open its subdirectories in order. While
such a program processes a reply, this process would otherwise be idle.
"""

from collections import deque
from collections.abc import Generator
from contextlib import suppress

from isomount.tree import Directory, Volume

# Prefetching stops when this many prefetched directories have not been opened.
_UNOPENED_AT_MOST = 4
_LOADED = object()
# Limits of the queue: levels of the tree, and directories on each level.
_LEVELS_AT_MOST = 32
_COMING_AT_MOST = 256


class Foresight:
    """Prefetches listed directories in small steps, reading only what is in memory."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        # For each listing, the directories in it; the latest listing is last.
        self._coming: deque[deque[int]] = deque(maxlen=_LEVELS_AT_MOST)
        self._loading: tuple[int, Generator[None, None, Directory]] | None = None
        self._unopened: set[int] = set()

    def listing(self) -> None:
        """Note that a listing begins."""
        self._coming.append(deque())

    def lists(self, ino: int) -> None:
        """Note that the latest listing contains the directory ``ino``."""
        if self._coming and len(self._coming[-1]) < _COMING_AT_MOST:
            self._coming[-1].append(ino)

    def opens(self, ino: int) -> None:
        """Note that the directory ``ino`` is opened; if it is being loaded, finish that."""
        if self._loading is not None and self._loading[0] == ino:
            while self._loading is not None:
                self.step()
        if ino in self._unopened:
            self._unopened.discard(ino)
        else:
            self._unopened.clear()  # not predicted: another kind of walk, or a new one

    def step(self) -> bool:
        """Do about 50 microseconds of work; False if there is nothing to do."""
        if self._loading is None:
            self._loading = self._begin()
        if self._loading is None:
            return False
        ino, steps = self._loading
        with suppress(Exception):  # must not end the mount; opening the directory reports it
            if next(steps, _LOADED) is not _LOADED:
                return True
        self._loading = None
        self._unopened.add(ino)
        return True

    def _begin(self) -> tuple[int, Generator[None, None, Directory]] | None:
        while self._coming and len(self._unopened) < _UNOPENED_AT_MOST:
            if not self._coming[-1]:
                self._coming.pop()
                continue
            ino = self._coming[-1].popleft()
            if not self._volume.holds(ino):
                return ino, self._volume.loading(ino, self._volume.blocks.resident)
        return None
