"""Places where decoding can begin, learnt while a stream is read, and kept for the next time.

Two files on the shelf of indexes: the points, of one size each, and what a decoder has to know at
each of them (its window). Both are only ever appended to, at once for each point, and each point
has a checksum: what a killed process leaves behind is an index of less. One process writes an
index; another one that reads the same stream at that time keeps what it learns to itself.
"""

import errno
import fcntl
import os
import struct
import threading
import zlib
from array import array
from bisect import bisect_right
from contextlib import suppress
from typing import NamedTuple

from isomount import codecs
from isomount.containers.kept import INDEXES
from isomount.errors import DamagedDataError, MissingPackageError

# Changes with what follows it, or with what the users of an index mean by it.
_MAGIC = b"isomount index 1"
# Place in the output, byte of the input, place, length and CRC-32 of the window, bits; CRC-32 of
# all that. A place of the input that is _END says where the output ends.
_POINT = struct.Struct("<QQQIIB3x")
_CHECKED = struct.Struct("<I")
_SIZE = _POINT.size + _CHECKED.size
_END = (1 << 64) - 1
# Places of windows from here on are in a file that is not kept.
_ELSEWHERE = 1 << 62
_BITS_AT_MOST = 7


class Point(NamedTuple):
    """At byte ``output`` of what is decoded, decoding goes on at byte ``stored`` of the file.

    Of the byte before that the upper ``bits`` belong to what follows.
    """

    output: int
    stored: int
    bits: int = 0
    window: bytes = b""


class Points:
    """The points of one stream, in order. Thread-safe.

    ``end`` is how many bytes the whole stream is decoded to, None as long as that is not known.
    """

    def __init__(self, first: Point, key: str | None) -> None:
        """``first`` has no window, and is not kept. Without ``key`` nothing is."""
        self._outputs = array("Q", [first.output])
        self._stored = array("Q", [first.stored])
        self._bits = bytearray([first.bits])
        self._windows = array("Q", [0])
        self._lengths = array("I", [0])
        self._checks = array("I", [0])
        self.end: int | None = None
        self._lock = threading.Lock()
        self._files = _Files(key)
        for values in self._files.found:
            self._admit(values)

    @property
    def last(self) -> int:
        """The output at the last point."""
        return self._outputs[-1]

    def nearest(self, output: int) -> int:
        """The output at the last point not after ``output``."""
        return self._outputs[max(0, bisect_right(self._outputs, output) - 1)]

    def before(self, output: int) -> Point:
        """The last point not after ``output`` that can be read."""
        with self._lock:
            number = max(0, bisect_right(self._outputs, output) - 1)
        while number:
            with suppress(OSError, DamagedDataError):
                return self._point(number)
            number -= 1
        return Point(self._outputs[0], self._stored[0], self._bits[0])

    def add(self, point: Point) -> None:
        """A point after all others; one that is not is known already."""
        with self._lock:
            if point.output <= self.last or self.end is not None:
                return
            packed = _squeezed(point.window) if point.window else b""
            with suppress(OSError):  # no room: it stays as it is
                place = self._files.add_window(packed)
                values = (point.output, point.stored, place, len(packed), zlib.crc32(packed))
                self._admit((*values, point.bits))
                self._files.add_point(_POINT.pack(*values, point.bits))

    def finish(self, end: int) -> None:
        """The stream is decoded to ``end`` bytes."""
        with self._lock:
            if self.end is None:
                self.end = end
                with suppress(OSError):
                    self._files.add_point(_POINT.pack(end, _END, 0, 0, 0, 0))

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def _admit(self, values: tuple[int, ...]) -> None:
        output, stored, window, length, check, bits = values
        if stored == _END:
            self.end = output
            return
        self._stored.append(stored)
        self._bits.append(bits)
        self._windows.append(window)
        self._lengths.append(length)
        self._checks.append(check)
        self._outputs.append(output)  # last, as it is what is searched without the lock

    def _point(self, number: int) -> Point:
        packed = self._files.window(self._windows[number], self._lengths[number])
        if zlib.crc32(packed) != self._checks[number]:
            raise DamagedDataError("the kept index is damaged")
        window = zlib.decompress(packed) if packed else b""
        return Point(self._outputs[number], self._stored[number], self._bits[number], window)


class _Files:
    """The two files of an index, of which another process may be the writer."""

    def __init__(self, key: str | None) -> None:
        self.found: list[tuple[int, ...]] = []  # the points that are there
        self._points = -1  # appended to
        self._kept = -1  # the windows of those points
        self._own = -1  # where further windows are appended
        self._base = _ELSEWHERE  # what is added to a place in ``_own``
        self._room = 0  # where in ``_own``
        self._next = 0  # where in ``_points``
        if key is not None:
            with suppress(OSError):
                self._open(key)

    def _open(self, key: str) -> None:
        INDEXES.trim()
        points, windows = (INDEXES.path(f"{key}.{name}") for name in ("points", "windows"))
        if points is None or windows is None:
            return
        self._points = _opened(points)
        self._kept = _opened(windows)
        os.utime(self._points)
        is_writer = _locked(self._points)
        room = os.fstat(self._kept).st_size
        size = os.fstat(self._points).st_size
        self.found = _sound(os.pread(self._points, size, 0), room)
        if is_writer:
            self._own, self._base, self._room = self._kept, 0, room
            self._begin()
        else:
            os.close(self._points)
            self._points = -1

    def _begin(self) -> None:
        """Cut off what is not sound, and go on behind the rest."""
        if not self.found:
            os.ftruncate(self._points, 0)
            os.ftruncate(self._kept, 0)
            os.pwrite(self._points, _MAGIC, 0)
            self._room = 0
        self._next = len(_MAGIC) + _SIZE * len(self.found)
        os.ftruncate(self._points, self._next)

    def add_window(self, packed: bytes) -> int:
        """Write what a point needs. Returns its place. Raises OSError."""
        if self._own < 0:
            self._own = INDEXES.unnamed()
        place = self._room
        if os.pwrite(self._own, packed, place) < len(packed):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room += len(packed)
        return self._base + place

    def add_point(self, point: bytes) -> None:
        """Keep a point whose window was written. Raises OSError."""
        if self._points >= 0:
            os.pwrite(self._points, point + _CHECKED.pack(zlib.crc32(point)), self._next)
            self._next += _SIZE

    def window(self, place: int, length: int) -> bytes:
        """What was written at ``place``. Raises OSError."""
        if place >= _ELSEWHERE:
            return os.pread(self._own, length, place - _ELSEWHERE)
        return os.pread(self._kept, length, place)

    def close(self) -> None:
        """Close them. The lock goes with them."""
        for descriptor in {self._points, self._kept, self._own} - {-1}:
            os.close(descriptor)
        self._points = self._kept = self._own = -1


def _squeezed(window: bytes) -> bytes:
    """A zlib stream of ``window``, by the fastest package: it delays who reads in order."""
    try:
        compress = codecs.package("isal.isal_zlib").compress
    except MissingPackageError:
        compress = zlib.compress
    return bytes(compress(window, 1))


def _opened(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


def _locked(descriptor: int) -> bool:
    """Whether this process is the one that writes."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody else does, or the file system has no locks
        return False
    return True


def _sound(data: bytes, room: int) -> list[tuple[int, ...]]:
    """The points in ``data``, up to the first that is damaged; their windows are in ``room``."""
    found: list[tuple[int, ...]] = []
    if not data.startswith(_MAGIC):
        return found
    last = -1
    for at in range(len(_MAGIC), len(data) - _SIZE + 1, _SIZE):
        (check,) = _CHECKED.unpack_from(data, at + _POINT.size)
        values = _POINT.unpack_from(data, at)
        output, _, place, length, _, bits = values
        if check != zlib.crc32(data[at : at + _POINT.size]):
            break
        if output < last or place + length > room or bits > _BITS_AT_MOST:
            break
        last = output
        found.append(values)
    return found
