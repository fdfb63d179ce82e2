"""Directories that a walk through the disc will open next, loaded while it is busy with our answer.

find, ls -R, tar, cp and rsync all list a directory and then open the directories in it, first one
first. While such a program digests a reply, this process would only wait.
"""

from collections import deque
from collections.abc import Generator
from contextlib import suppress

from isomount.tree import Directory, Volume

# Directories loaded, or tried, and not opened: where nobody opens them, no more are loaded.
_UNOPENED_AT_MOST = 4
_LOADED = object()
# What is remembered to be loaded: so many levels of the tree, so many directories on each.
_LEVELS_AT_MOST = 32
_COMING_AT_MOST = 256


class Foresight:
    """Guesses from what was listed, a step of work at a time. Only what is in memory is read."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        # For each listing begun the directories in it, the latest listing last.
        self._coming: deque[deque[int]] = deque(maxlen=_LEVELS_AT_MOST)
        self._loading: tuple[int, Generator[None, None, Directory]] | None = None
        self._unopened: set[int] = set()

    def listing(self) -> None:
        """A listing begins."""
        self._coming.append(deque())

    def lists(self, ino: int) -> None:
        """The listing that began last shows the directory ``ino``."""
        if self._coming and len(self._coming[-1]) < _COMING_AT_MOST:
            self._coming[-1].append(ino)

    def opens(self, ino: int) -> None:
        """Somebody wants the directory ``ino`` now: if its loading has begun, it is finished."""
        if self._loading is not None and self._loading[0] == ino:
            while self._loading is not None:
                self.step()
        if ino in self._unopened:
            self._unopened.discard(ino)
        else:
            self._unopened.clear()  # not what was foreseen: a walk of another kind, or a new one

    def step(self) -> bool:
        """Work for some 50 microseconds; False when there is nothing to do."""
        if self._loading is None:
            self._loading = self._begin()
        if self._loading is None:
            return False
        ino, steps = self._loading
        with suppress(Exception):  # that would end the mount; whoever opens the directory is told
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
