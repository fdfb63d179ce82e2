"""bzip2: blocks of up to 900 kB that can be decoded alone, beginning at any bit.

There is no standard, but one program that everything else follows. A stream is "BZh", a digit (the
block size in 100 kB), its blocks, each with a mark of 48 bits and its CRC-32, and a last mark with
a CRC of all blocks; streams may follow each other. The marks are found by searching, and a block is
decoded as a stream of its own. How much comes of a block is learnt by decoding all before it.
"""

import bz2
import threading
from collections.abc import Iterator
from typing import NamedTuple

from isomount.containers.base import OtherKindError, Surroundings, closed_on_failure
from isomount.containers.kept import key_of
from isomount.containers.length import DESCRIBED, stated_length
from isomount.containers.streams.cursors import Cursor
from isomount.containers.streams.learning import LearningSource
from isomount.containers.streams.marks import (
    BLOCK,
    BLOCK_AT_MOST,
    END,
    MARK_BITS,
    alone,
    mark_at,
    next_mark,
)
from isomount.containers.streams.points import Point
from isomount.errors import DamagedDataError, DamagedImageError, IsomountError
from isomount.sources import Source
from isomount.workers import WORKERS

_HEADER = 4  # "BZh9"
_CRC_BITS = 32
# A file of more bytes than this takes so long that it is said beforehand.
_SMALL = 8 << 20
# What is decoded of a block in one call: all of it, but for a block of nothing but zeros.
_AT_ONCE = 4 << 20


class Bzip2Source(LearningSource):
    """What is in a bzip2 file."""

    def __init__(self, file: Source) -> None:
        """Raises OtherKindError or DamagedImageError."""
        if not _begins_stream(file, 0):
            raise OtherKindError
        super().__init__(file, Point(0, _HEADER), key_of(file, "bzip2"))
        with closed_on_failure(self.points):
            self.size = self.points.end or self._stated()

    def _stated(self) -> int:
        """What the image in it says of its length; 0 if it says nothing."""
        try:
            head = self.read_at(0, DESCRIBED)
        except DamagedDataError as error:
            raise DamagedImageError(
                f"{self.name}: is damaged from its beginning on: {error}; copy it again"
            ) from error
        stated = stated_length(lambda at, length: head[at : at + length])
        self.is_likely = bool(stated)
        return stated

    def next_guess(self) -> int | None:
        """Nothing tells but the end."""
        return None

    def start(self, offset: int) -> Cursor:
        """A cursor at the last block known that begins not after ``offset``."""
        return _Bzip2Cursor(self, self.points.before(offset))


class _Block(NamedTuple):
    """A block from its mark on to the next one, in bits."""

    start: int
    end: int


class _Bzip2Cursor(Cursor):
    """Decodes one block after the other, and the one after that meanwhile."""

    def __init__(self, source: Bzip2Source, point: Point) -> None:
        self.position = point.output
        self._source = source
        self._blocks = _blocks(source, 8 * point.stored + point.bits)
        self._current: _Decoding | None = None
        self._ahead: _Decoding | None = None
        self._is_in_order = False  # whether a block was read to its end
        self._is_at_end = False

    def read(self, length: int) -> bytes:
        """The next bytes, short only at the end."""
        pieces: list[bytes] = []
        while length > 0 and not self._is_at_end:
            if self._current is None and not self._begin_next():
                break
            assert self._current is not None
            piece = self._current.read(length)
            if not piece:
                self._current = None
                continue
            pieces.append(piece)
            self.position += len(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _begin_next(self) -> bool:
        """Begin the next block. Returns whether there is one."""
        current, self._ahead = self._ahead or self._next(), None
        if current is None:
            self._is_at_end = True
            self._source.points.finish(self.position)
            return False
        stored, bits = divmod(current.block.start, 8)
        self._source.points.add(Point(self.position, stored, bits))
        if self._is_in_order:
            self._ahead = self._next()
            if self._ahead is not None:
                self._ahead.begin()
        self._is_in_order = True
        self._current = current
        return True

    def _next(self) -> "_Decoding | None":
        block = next(self._blocks, None)
        return None if block is None else _Decoding(self._source, block)


class _Decoding:
    """A block being decoded, maybe by a worker."""

    def __init__(self, source: Bzip2Source, block: _Block) -> None:
        self.block = block
        self._source = source
        self._decompressor: bz2.BZ2Decompressor | None = None
        self._output = b""
        self._at = 0
        self._error: Exception | None = None
        self._is_at_end = False
        self._lock = threading.Lock()  # of who decodes

    def begin(self) -> None:
        """Have the first of it decoded beside the caller, if a worker can be had for that."""
        WORKERS.begin(self._decode_beside)  # else it is decoded when it is needed

    def read(self, length: int) -> bytes:
        """The next bytes of the block, b"" at its end."""
        with self._lock:
            return self._read(length)

    def _decode_beside(self) -> None:
        with self._lock:
            if self._decompressor is None:  # else the reader was here before
                self._decode()

    def _read(self, length: int) -> bytes:
        while self._at == len(self._output) and not self._is_at_end:
            self._decode()
        if self._error is not None:
            raise self._error
        data = self._output[self._at : self._at + length]
        self._at += len(data)
        return data

    def _decode(self) -> None:
        """Decode as much as is held at a time."""
        stored, output = b"", b""
        try:
            if self._decompressor is None:
                self._decompressor = bz2.BZ2Decompressor()
                stored = alone(self._source.stored, self.block.start, self.block.end)
            output = self._decompressor.decompress(stored, _AT_ONCE)
            self._is_at_end = self._decompressor.eof
            if not output and self._decompressor.needs_input and not self._is_at_end:
                raise EOFError("a block is cut off")
        except (OSError, EOFError, ValueError) as error:
            self._error = DamagedDataError(f"bzip2 data is damaged: {error}")
        except IsomountError as error:
            self._error = error
        self._is_at_end = self._is_at_end or self._error is not None
        self._output, self._at = output, 0


def _blocks(source: Bzip2Source, at: int) -> Iterator[_Block]:
    """The blocks from the bit ``at`` on, of this stream and of those that follow it."""
    while True:
        mark = mark_at(source.stored, at)
        if mark == BLOCK:
            end = next_mark(source.stored, at + MARK_BITS)
            if end is None:
                if at + 8 * BLOCK_AT_MOST < 8 * source.stored.size:
                    raise DamagedDataError(f"no block ends behind byte {at // 8}")
                return  # cut off within a block: nothing of it can be decoded
            yield _Block(at, end)
            at = end
        elif mark == END:
            start = -(-(at + MARK_BITS + _CRC_BITS) // 8)
            if not _begins_stream(source.stored, start):
                return
            at = 8 * (start + _HEADER)
        else:
            return


def _begins_stream(file: Source, start: int) -> bool:
    header = file.read_at(start, _HEADER)
    return (
        header.startswith(b"BZh")
        and header[3:].isdigit()
        and header[3:] != b"0"
        and mark_at(file, 8 * (start + _HEADER)) in (BLOCK, END)
    )


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """What is in a bzip2 file. Raises OtherKindError or DamagedImageError."""
    found = Bzip2Source(file)
    if not found.size:
        if file.size > _SMALL:
            surroundings.notice(
                f"{file.name}: does not tell its size; it is decompressed once to learn it"
            )
        if not found.measure() and mark_at(file, 8 * _HEADER) == BLOCK:
            found.points.close()
            raise DamagedImageError(f"{file.name}: has no block that is whole; copy it again")
    return found
