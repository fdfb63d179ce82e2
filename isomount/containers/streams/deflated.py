"""Random access to deflate streams: points are learnt while they are read (see points.py)."""

import ctypes
from abc import abstractmethod

from isomount.containers.streams.cursors import Cursor
from isomount.containers.streams.inflate import Inflater, inflater
from isomount.containers.streams.learning import LearningSource
from isomount.containers.streams.points import Point
from isomount.errors import DamagedDataError
from isomount.sources import Source

# A point about every so many bytes of output: a random read decodes half of that for nothing, and
# each point takes some 20 KiB of the index.
SPACING = 512 << 10
# What is read of the file at a time, and what is decoded at a time of what nobody wants.
_INPUT, _SCRATCH = 128 << 10, 256 << 10


class DeflatedSource(LearningSource):
    """What deflate streams in ``file`` are decoded to, one after the other."""

    def __init__(self, file: Source, start: int, key: str | None) -> None:
        """The first stream begins at byte ``start``; ``key`` is what the index is kept under."""
        super().__init__(file, Point(0, start), key)

    @abstractmethod
    def following(self, stored: int) -> int | None:
        """Where the stream begins that follows one which ended before byte ``stored``."""

    def start(self, offset: int) -> Cursor:
        """A decoder at the last point not after ``offset``."""
        return InflatingCursor(self, self.points.before(offset))


class DeflateStream(DeflatedSource):
    """One raw deflate stream, decoded to ``size`` bytes: a member of a zip archive, for instance.

    ``file`` has nothing else: it is a Window of the archive. It is closed with this.
    """

    def __init__(self, file: Source, size: int, key: str | None) -> None:
        """``key`` is what the index is kept under (see ``kept.key_of``), None if it is not."""
        super().__init__(file, 0, key)
        self.size = size
        self.is_likely = True

    def following(self, stored: int) -> int | None:
        """None: there is one stream."""
        return None

    def next_guess(self) -> int | None:
        """The size is what was said."""
        return self.size

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range; what the stream lacks of its size is damage."""
        wanted = max(0, min(length, self.size - offset))
        data = super().read_at(offset, wanted)
        if len(data) < wanted:
            raise DamagedDataError(f"{self.name}: ends before byte {offset + wanted}")
        return data


class InflatingCursor(Cursor):
    """A decoder of a DeflatedSource, which adds points to it where nobody was before."""

    def __init__(self, source: DeflatedSource, point: Point) -> None:
        self.position = point.output
        self._source = source
        self._points = source.points
        self._at = point.stored  # of the file, behind what was fed
        self._is_at_end = False
        byte = 0
        if point.bits:
            byte = (source.stored.read_at(point.stored - 1, 1) or b"\0")[0]
        self._inflater: Inflater = inflater(point.window, point.bits, byte)

    def read(self, length: int) -> bytes:
        """The next bytes, short only at the end."""
        buffer = bytearray(length)
        view = ctypes.c_char.from_buffer(buffer) if length else None
        address = ctypes.addressof(view) if view is not None else 0
        done = 0
        while done < length and not self._is_at_end:
            done += self._inflate(address + done, length - done)
        return bytes(memoryview(buffer)[:done])

    def skip(self, length: int) -> None:
        """Pass over bytes."""
        buffer = ctypes.create_string_buffer(min(length, _SCRATCH))
        address = ctypes.addressof(buffer)
        while length > 0 and not self._is_at_end:
            length -= self._inflate(address, min(length, _SCRATCH))

    def close(self) -> None:
        """Free the decoder."""
        self._inflater.close()

    def _inflate(self, address: int, room: int) -> int:
        """Decode at most ``room`` bytes. Returns how many; none is no end."""
        if not self._inflater.unused and not self._feed():
            self._end()
            return 0
        due = self._points.last + SPACING - self.position
        if due > 0:
            got = self._inflater.inflate(address, min(room, due))
        else:
            got = self._inflater.inflate_block(address, room)
        self.position += got
        if self._inflater.is_at_end:
            self._begin_next()
        elif due <= 0:
            self._add_point()
        return got

    def _feed(self) -> bool:
        data = self._source.stored.read_at(self._at, _INPUT)
        self._at += len(data)
        self._inflater.feed(data)
        return bool(data)

    def _add_point(self) -> None:
        bits = self._inflater.boundary
        if bits is not None:
            stored = self._at - self._inflater.unused
            self._points.add(Point(self.position, stored, bits, self._inflater.window()))

    def _begin_next(self) -> None:
        """Go on with the stream behind this one; its beginning is as good as any point."""
        start = self._source.following(self._at - self._inflater.unused)
        if start is None:
            self._end()
            return
        self._inflater.close()
        self._inflater = inflater()
        self._at = start
        if self.position >= self._points.last + SPACING:
            self._points.add(Point(self.position, start))

    def _end(self) -> None:
        """All is decoded, or what follows is missing."""
        self._is_at_end = True
        self._points.finish(self.position)
