"""Random access to what is decoded in order: from the nearest place where decoding can begin.

A few decoders stay where they are, so that who reads on in order does not begin again each time.
"""

import threading
from abc import ABC, abstractmethod
from typing import NamedTuple

from isomount.containers.decoded import DecodedSource
from isomount.errors import ClosedError
from isomount.sources import Source

# As many files may be read in order at the same time. A decoder may take some MiB.
IDLE_AT_MOST = 4
# Decoded at once of what nobody wants, in bytes: in one call, and before it is seen whether the
# image was closed meanwhile.
_AT_ONCE, _SKIPPED = 256 << 10, 4 << 20
# What lies so near before a request that another one may be for it, and how many such are held.
_NEAR = 1 << 20
_PASSED_AT_MOST = 2
# Who wants what another one decodes on the way waits if that is to go no farther than this.
_WAITED_FOR = 8 << 20


class Cursor(ABC):
    """A decoder at byte ``position`` of what it decodes. For one thread at a time."""

    position: int

    @abstractmethod
    def read(self, length: int) -> bytes:
        """The next bytes, short only at the end. Raises DamagedDataError or OSError."""

    def skip(self, length: int) -> None:
        """Pass over bytes, as far as there are so many."""
        while length > 0 and (passed := len(self.read(min(length, _AT_ONCE)))):
            length -= passed

    def close(self) -> None:  # noqa: B027 - most have nothing to free
        """Free what it holds."""


class _Busy(NamedTuple):
    """A cursor that is in use: it was at ``begin`` and will be at ``end``."""

    begin: int
    end: int


class CursorSource(DecodedSource):
    """A decoded source that is read by cursors.

    Several requests of one reader in order come at the same time, and not always in order. Each
    waits for the one before instead of decoding the same once more; what was passed over for a
    later one is held for a while.
    """

    def __init__(
        self, file: Source, size: int, block_size: int, idle_at_most: int = IDLE_AT_MOST
    ) -> None:
        """``idle_at_most`` decoders stay where they are when nobody reads."""
        super().__init__(file, size, block_size)
        self._idle_at_most = idle_at_most
        self._idle: list[Cursor] = []  # used least recently first
        self._busy: list[_Busy] = []
        self._passed: list[tuple[int, bytes]] = []  # place and bytes, the latest last
        self.failed_at = 0  # how far decoding went when it failed last
        self._is_closed = False
        self._changed = threading.Condition()

    @abstractmethod
    def nearest(self, offset: int) -> int:
        """The last place not after ``offset`` where decoding can begin."""

    @abstractmethod
    def start(self, offset: int) -> Cursor:
        """A new cursor at ``nearest(offset)``, or before if that turns out to be of no use."""

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short only at the end. Raises DamagedDataError or OSError."""
        with self._changed:
            while (busy := self._worth_waiting_for(offset)) is not None:
                while busy in self._busy:
                    self._changed.wait()
            held = self._held(offset, length)
            if held is not None:
                return held
            cursor, busy = self._take(offset, length)
        try:
            return self._read(cursor or self.start(offset), offset, length)
        finally:
            with self._changed:
                self._busy.remove(busy)
                self._changed.notify_all()

    def close(self) -> None:
        """Close the file, and every decoder."""
        with self._changed:
            self._is_closed = True
            idle, self._idle = self._idle, []
            self._passed = []
        for cursor in idle:
            cursor.close()
        super().close()

    def _worth_waiting_for(self, offset: int) -> _Busy | None:
        """The cursor in use that will have been at ``offset``, or be the nearest one before."""
        if not self._busy:
            return None
        nearest = self.nearest(offset)
        at = max((each.position for each in self._able(offset, nearest)), default=nearest)
        able = [
            each
            for each in self._busy
            if each.begin <= offset and at < each.end <= offset + _WAITED_FOR
        ]
        return max(able, key=lambda each: each.end) if able else None

    def _held(self, offset: int, length: int) -> bytes | None:
        """That range, if it was passed over a moment ago."""
        for place, data in self._passed:
            if place <= offset and offset + length <= place + len(data):
                return data[offset - place :][:length]
        return None

    def _able(self, offset: int, nearest: int) -> list[Cursor]:
        return [each for each in self._idle if nearest <= each.position <= offset]

    def _take(self, offset: int, length: int) -> tuple[Cursor | None, _Busy]:
        """The idle cursor that is nearest before ``offset``; None if a new one is nearer."""
        if self._is_closed:
            raise ClosedError(f"{self.name}: the image is closed")
        nearest = self.nearest(offset)
        able = self._able(offset, nearest)
        found = max(able, key=lambda each: each.position) if able else None
        if found is not None:
            self._idle.remove(found)
        busy = _Busy(nearest if found is None else found.position, offset + length)
        self._busy.append(busy)
        return found, busy

    def _read(self, cursor: Cursor, offset: int, length: int) -> bytes:
        """As ``read_at``, by ``cursor``."""
        try:
            self._go_near(cursor, offset)
            begin = cursor.position
            data = b"" if offset - begin > _NEAR else cursor.read(offset - begin + length)
        except BaseException:  # it stands nobody knows where
            self.failed_at = cursor.position
            cursor.close()
            raise
        self._put_back(cursor)
        if begin == offset:
            return data
        with self._changed:
            self._passed.append((begin, data[: offset - begin]))
            del self._passed[:-_PASSED_AT_MOST]
        return data[offset - begin :]

    def _go_near(self, cursor: Cursor, offset: int) -> None:
        """Skip what is far before ``offset``, which nobody will want, as far as it goes."""
        while (far := offset - cursor.position - _NEAR) > 0:
            if self._is_closed:
                raise ClosedError(f"{self.name}: the image is closed")
            before = cursor.position
            cursor.skip(min(far, _SKIPPED))
            if cursor.position == before:
                return

    def _put_back(self, cursor: Cursor) -> None:
        with self._changed:
            if not self._is_closed:
                self._idle.append(cursor)
                if len(self._idle) <= self._idle_at_most:
                    return
                cursor = self._idle.pop(0)
        cursor.close()
