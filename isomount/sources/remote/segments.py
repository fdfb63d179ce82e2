"""Blocks of one image on the disk, shared by all processes that read it.

They are in files of 128 blocks, each of which has its blocks at their places, with holes for those
that are missing, and before them a table of checksums. A block is there if its checksum is there
and right: it is written after the block, and whatever was torn, lost in a crash or damaged since is
just missing. So there are no locks: who writes a block at the same time writes the same. Files that
were used least recently go first; who still reads such a file does so to the end.
"""

import os
import stat
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from isomount.room import room_in
from isomount.sources.remote.shelves import ABOUT, trim

_MAGIC = b"isomount blocks\1"
# Before the table: the magic, the number of the file, the bytes of a block.
_HEADER = struct.Struct("<16sQQ")
# A checksum (CRC-32 of the block, begun with its number) and the same with all bits flipped, so
# that zeros are none.
_ENTRY = struct.Struct("<II")
_TABLE = 64
_BLOCKS = 128
_DATA = 4096
_ALL_BITS = 0xFFFFFFFF
# After so many bytes written it is looked whether there is too much, or too little room; as long
# after the disk was full nothing is written, in seconds.
_LOOK_EVERY = 16 << 20
_REST = 60.0
# A file that is read counts as used now, as exactly as this, in seconds.
_USED_WITHIN = 60.0


class Segments:
    """The blocks kept of one version of one image. Thread-safe."""

    def __init__(self, place: str, key: str, about: str, block: int, size: int, limit: int) -> None:
        """In the directory ``key`` of ``place``; ``about`` is what it says of itself there.

        ``block`` is the bytes of a block, ``size`` of the image, ``limit`` of all images together.
        """
        self._place, self._directory = place, os.path.join(place, key)
        self._about = about
        self._block, self._size, self._limit = block, size, limit
        self._lock = threading.Lock()
        self._unlooked = _LOOK_EVERY  # so that the first block looks
        self._rests_until = 0.0

    def get(self, numbers: range) -> list[bytes | None]:
        """The blocks of these numbers, None for each that is not there. Never raises."""
        blocks: list[bytes | None] = []
        for run in _by_segment(numbers):
            found: Sequence[bytes | None] = [None] * len(run)
            with suppress(OSError), self._opened(run.start // _BLOCKS, os.O_RDONLY) as file:
                found = self._read(file, run)
            blocks += found
        return blocks

    def put(self, numbers: range, blocks: Sequence[bytes]) -> None:
        """Keep the blocks of these numbers, if there is room. Never raises."""
        if list(map(len, blocks)) != list(map(self._length, numbers)):
            return  # cut off
        for run in _by_segment(numbers):
            start = run.start - numbers.start
            if self._has_room(len(run) * self._block):
                self._put(run, blocks[start : start + len(run)])

    def _put(self, run: range, blocks: Sequence[bytes]) -> None:
        within = run.start % _BLOCKS
        entries = b"".join(map(_entry, run, blocks))
        try:
            os.makedirs(self._directory, 0o700, exist_ok=True)
            with self._opened(run.start // _BLOCKS, os.O_RDWR | os.O_CREAT) as file:
                _write(file, blocks, _DATA + within * self._block)
                _write(file, [entries], _TABLE + within * _ENTRY.size)
        except OSError:  # full, read-only, no longer there: nothing is lost
            with self._lock:
                self._rests_until = time.monotonic() + _REST

    def _read(self, file: int, run: range) -> list[bytes | None]:
        within = run.start % _BLOCKS
        table = os.pread(file, len(run) * _ENTRY.size, _TABLE + within * _ENTRY.size)
        if not any(table) or len(table) < len(run) * _ENTRY.size:
            return [None] * len(run)
        data = os.pread(file, len(run) * self._block, _DATA + within * self._block)
        _touch(file)
        blocks: list[bytes | None] = []
        for index, number in enumerate(run):
            start = index * self._block
            block = data[start : start + self._length(number)]
            said = table[index * _ENTRY.size : (index + 1) * _ENTRY.size]
            is_there = any(said) and len(block) == self._length(number)
            blocks.append(block if is_there and said == _entry(number, block) else None)
        return blocks

    def _length(self, number: int) -> int:
        return min(self._block, self._size - number * self._block)

    @contextmanager
    def _opened(self, segment: int, flags: int) -> Iterator[int]:
        """The file of that number. Raises OSError if it is missing, or another thing."""
        path = os.path.join(self._directory, f"{segment:08}")
        file = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError("no regular file")
            header = _HEADER.pack(_MAGIC, segment, self._block)
            if os.pread(file, len(header), 0) != header:
                if flags == os.O_RDONLY:
                    raise OSError("no file of blocks")
                self._begin(file, header)
            yield file
        finally:
            os.close(file)

    def _begin(self, file: int, header: bytes) -> None:
        """Make a file of blocks out of a new one, or of one that is none."""
        if os.fstat(file).st_size:
            os.ftruncate(file, 0)
        _write(file, [header], 0)
        about = os.path.join(self._directory, ABOUT)
        with suppress(OSError), open(about, "x", encoding="utf-8", errors="replace") as text:
            text.write(self._about)

    def _has_room(self, more: int) -> bool:
        with self._lock:
            if time.monotonic() < self._rests_until:
                return False
            self._unlooked += more
            if self._unlooked < _LOOK_EVERY:
                return True
            self._unlooked = 0
        trim(self._place, self._limit)
        with suppress(OSError):
            os.makedirs(self._place, 0o700, exist_ok=True)
        if room_in(self._place) > _LOOK_EVERY:
            return True
        with self._lock:
            self._rests_until = time.monotonic() + _REST
        return False


def _by_segment(numbers: range) -> Iterator[range]:
    start = numbers.start
    while start < numbers.stop:
        stop = min(numbers.stop, start - start % _BLOCKS + _BLOCKS)
        yield range(start, stop)
        start = stop


def _entry(number: int, block: bytes) -> bytes:
    checksum = zlib.crc32(block, number & _ALL_BITS)
    return _ENTRY.pack(checksum, checksum ^ _ALL_BITS)


def _write(file: int, data: Sequence[bytes], offset: int) -> None:
    if os.pwritev(file, data, offset) < sum(map(len, data)):
        raise OSError("not all could be written")


def _touch(file: int) -> None:
    """The file is used now, which who removes the least recently used looks at."""
    if time.time() - os.fstat(file).st_mtime > _USED_WITHIN:
        with suppress(OSError):
            os.utime(file)
