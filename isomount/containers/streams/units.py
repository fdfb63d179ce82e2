"""Streams of units that are decoded apart from each other: blocks of xz, frames of zstd and LZ4."""

from abc import abstractmethod
from array import array
from bisect import bisect_right
from typing import NamedTuple, Protocol

from isomount.containers.streams.cursors import IDLE_AT_MOST, Cursor, CursorSource
from isomount.errors import DamagedDataError
from isomount.sources import Source

# A unit of more bytes than this is no help in getting at the middle of it: all of it, half on
# average, would be decoded for a single byte.
UNIT_AT_MOST = 32 << 20
# Decoders of large units take as much memory as those.
_LARGE = 4 << 20
_BLOCK = 64 << 10


class Unit(NamedTuple):
    """``size`` bytes at byte ``output``, stored as ``length`` bytes at byte ``stored``."""

    output: int
    size: int
    stored: int
    length: int


class Units:
    """The units of a stream, in order."""

    def __init__(self) -> None:
        self._outputs = array("Q")
        self._stored = array("Q")
        self._lengths = array("Q")
        self.size = 0  # of what all of them are decoded to
        self.largest = 0

    def __len__(self) -> int:
        return len(self._outputs)

    def __getitem__(self, number: int) -> Unit:
        output = self._outputs[number]
        behind = self._outputs[number + 1] if number + 1 < len(self) else self.size
        return Unit(output, behind - output, self._stored[number], self._lengths[number])

    def append(self, size: int, stored: int, length: int) -> None:
        """A further unit. One that is empty is left out."""
        if size:
            self._outputs.append(self.size)
            self._stored.append(stored)
            self._lengths.append(length)
            self.size += size
            self.largest = max(self.largest, size)

    def number_at(self, offset: int) -> int:
        """The number of the unit that has the byte ``offset``, or of the last one."""
        return max(0, bisect_right(self._outputs, offset) - 1)


class Decoder(Protocol):
    """What decodes one unit from its beginning."""

    def read(self, length: int) -> bytes:
        """The next bytes, at least one if any are left; b"" at its end, if that is sound.

        Raises DamagedDataError or OSError.
        """


class UnitSource(CursorSource):
    """What is in a stream of units."""

    def __init__(self, file: Source, units: Units) -> None:
        idle = IDLE_AT_MOST if units.largest <= _LARGE else 1
        super().__init__(file, units.size, _BLOCK, idle)
        self.units = units

    @abstractmethod
    def decoder(self, unit: Unit) -> Decoder:
        """A decoder for ``unit``."""

    def nearest(self, offset: int) -> int:
        """Where the unit begins that has the byte ``offset``."""
        return self.units[self.units.number_at(offset)].output if len(self.units) else 0

    def start(self, offset: int) -> Cursor:
        """A cursor at the beginning of that unit."""
        return _UnitCursor(self, self.units.number_at(offset))


class _UnitCursor(Cursor):
    """Decodes units, one after the other."""

    def __init__(self, source: UnitSource, number: int) -> None:
        self._source = source
        self._number = number
        self._decoder: Decoder | None = None
        self._left = 0  # bytes of the unit
        self.position = source.units[number].output if number < len(source.units) else 0

    def read(self, length: int) -> bytes:
        """The next bytes, of as many units as it takes."""
        pieces: list[bytes] = []
        while length > 0 and (self._left or self._begin_next()):
            assert self._decoder is not None
            piece = self._decoder.read(min(length, self._left))
            if not piece:
                raise DamagedDataError(f"a compressed block ends before byte {self.position}")
            pieces.append(piece)
            self.position += len(piece)
            self._left -= len(piece)
            length -= len(piece)
            if not self._left and self._decoder.read(1):  # which checks its checksum, too
                raise DamagedDataError(f"a compressed block goes on behind byte {self.position}")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _begin_next(self) -> bool:
        if self._number >= len(self._source.units):
            return False
        unit = self._source.units[self._number]
        self._decoder = self._source.decoder(unit)
        self._left = unit.size
        self._number += 1
        return True


class Stored:
    """The stored bytes of a range of a file, in order, as a file object."""

    def __init__(self, file: Source, start: int, length: int) -> None:
        self._file = file
        self._at = start
        self._end = start + length

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; b"" at the end."""
        left = self._end - self._at
        data = self._file.read_at(self._at, left if size < 0 else min(size, left))
        self._at += len(data)
        return data
