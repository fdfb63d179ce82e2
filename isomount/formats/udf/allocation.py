"""Allocation descriptors: where the bytes of a file are (ECMA-167 4/12 and 4/14.14)."""

import struct
import threading
from array import array
from bisect import bisect_right
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.errors import DamagedDataError
from isomount.formats.udf.space import Space
from isomount.formats.udf.structures import ALLOCATION_EXTENT, ALLOCATION_EXTENT_LAYOUT
from isomount.formats.udf.tags import Soundness, soundness

SHORT, LONG, EXTENDED, EMBEDDED = range(4)
_DESCRIPTORS = {
    SHORT: struct.Struct("<II"),
    LONG: struct.Struct("<IIH6x"),
    EXTENDED: struct.Struct("<I4x4xIH2x"),
}
LENGTH_MASK = (1 << 30) - 1
RECORDED, NEXT_EXTENT = 0, 3
# Links of a chain that are remembered; beyond that, every second one is dropped.
_REMEMBERED = 1024
# Consecutive allocation extents without descriptors.
_EMPTY_AT_MOST = 64


class _Link(NamedTuple):
    """Piece ``number`` of a chain: from file byte ``start`` on, ``length`` bytes of descriptors."""

    number: int
    start: int
    offset: int
    length: int


class _Segment(NamedTuple):
    """The descriptors of one link, decoded into compact arrays.

    ``places`` holds type, partition and block of each extent packed in one number; ``following`` is
    the partition and block of the next link, None at the end of the chain.
    """

    start: int
    end: int
    starts: "array[int]"
    places: "array[int]"
    following: tuple[int, int] | None


class Allocation:
    """The content of a file that its allocation descriptors describe. Thread-safe.

    Only the descriptors last used and a sparse list of the chain's links are kept, so a file with a
    million extents needs no more memory than one with ten.

    An extent that ends within a block extends to the end of that block. As in Linux, bytes beyond
    the last descriptor are not recorded and read as zeros.
    """

    __slots__ = ("_kind", "_links", "_lock", "_partition", "_segment", "_space", "_stride", "size")

    def __init__(
        self, space: Space, partition: int, kind: int, size: int, offset: int, length: int
    ) -> None:
        """``length`` bytes of descriptors of ``kind`` at image byte ``offset``.

        ``partition`` is the one that short descriptors refer to.
        """
        self.size = size
        self._space = space
        self._partition = partition
        self._kind = kind
        self._links = [_Link(0, 0, offset, length)]
        self._stride = 1
        self._segment: _Segment | None = None
        self._lock = threading.Lock()

    @property
    def end(self) -> int:
        """Always 0: it is not known without reading."""
        return 0

    def read(self, reader: Reader, offset: int, length: int, mirror: bool = False) -> bytes:
        """That range, across extents; from the second copy with ``mirror``."""
        length = min(length, self.size - offset)
        pieces: list[bytes] = []
        while length > 0:
            try:
                piece = self._read_run(reader, offset, length, mirror)
            except DamagedDataError:
                if pieces:
                    break
                raise
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _read_run(self, reader: Reader, offset: int, length: int, mirror: bool) -> bytes:
        place, run = self.locate(reader, offset, mirror)
        if place is None:
            return bytes(min(run, length))
        data = reader.read(place, min(run, length))
        if not data:
            raise DamagedDataError(
                f"byte {place} lies past the end of the image ({reader.size} bytes)"
            )
        return data

    def locate(self, reader: Reader, position: int, mirror: bool = False) -> tuple[int | None, int]:
        """The image byte of file byte ``position`` (None if not recorded), and the bytes left."""
        segment = self._find(reader, position)
        if position >= segment.end:
            return None, self.size - position
        index = bisect_right(segment.starts, position) - 1
        after = segment.starts[index + 1] if index + 1 < len(segment.starts) else segment.end
        place = segment.places[index]
        if place >> 48 != RECORDED:
            return None, after - position
        blocks, within = divmod(position - segment.starts[index], self._space.block_size)
        block = (place & 0xFFFFFFFF) + blocks
        offset, run = self._space.locate(reader, place >> 32 & 0xFFFF, block, mirror)
        return offset + within, min(run - within, after - position)

    def position_of(self, reader: Reader, offset: int) -> int | None:
        """The file byte that is stored at image byte ``offset``; None if there is none."""
        position = 0
        bound = min(self.size, reader.size)
        while position < bound:
            place, run = self.locate(reader, position)
            if place is not None and place <= offset < place + run:
                return position + offset - place
            position += run
        return None

    def _find(self, reader: Reader, position: int) -> _Segment:
        """The segment that contains ``position``, or the last one."""
        segment = self._segment
        if segment is None or not segment.start <= position < segment.end:
            segment = self._walk(reader, position)
            self._segment = segment
        return segment

    def _walk(self, reader: Reader, position: int) -> _Segment:
        with self._lock:
            index = bisect_right(self._links, position, key=lambda link: link.start) - 1
            link = self._links[index]
        # Brent's algorithm detects a cycle in the chain.
        seen, until = link.offset, link.number + 2
        empty = 0
        while True:
            segment = self._decode(reader, link)
            if position < segment.end or segment.following is None:
                return segment
            empty = 0 if segment.end > segment.start else empty + 1
            link = self._follow(reader, link.number + 1, segment)
            if link.offset == seen or empty > _EMPTY_AT_MOST:
                raise DamagedDataError("a chain of allocation extents runs in a circle")
            if link.number == until:
                seen, until = link.offset, 2 * until
            self._remember(link)

    def _remember(self, link: _Link) -> None:
        with self._lock:
            if link.number < self._links[-1].number + self._stride:
                return
            self._links.append(link)
            if len(self._links) > _REMEMBERED:
                del self._links[1::2]
                self._stride *= 2

    def _follow(self, reader: Reader, number: int, segment: _Segment) -> _Link:
        """The link in the allocation extent that a segment ends with (4/14.5)."""
        assert segment.following is not None
        partition, block = segment.following
        offset, _ = self._space.locate(reader, partition, block)
        head = self._extent_head(reader, offset)
        if head is None:
            mirror = self._space.mirror_of(reader, partition, offset)
            head = None if mirror is None else self._extent_head(reader, mirror)
            if head is None or mirror is None:
                raise DamagedDataError(f"no allocation extent descriptor at byte {offset}")
            self._space.damage.note(offset, "allocation extent descriptor damaged, mirror used")
            offset = mirror
        room = self._space.block_size - ALLOCATION_EXTENT_LAYOUT.size
        return _Link(number, segment.end, offset + ALLOCATION_EXTENT_LAYOUT.size, min(head, room))

    def _extent_head(self, reader: Reader, offset: int) -> int | None:
        """How many bytes of descriptors the allocation extent at ``offset`` has."""
        data = reader.read(offset, self._space.block_size)
        if soundness(data, (ALLOCATION_EXTENT,)) is Soundness.BAD:
            return None
        return ALLOCATION_EXTENT_LAYOUT.parse(data).descriptors_length

    def _decode(self, reader: Reader, link: _Link) -> _Segment:
        layout = _DESCRIPTORS[self._kind]
        data = reader.read(link.offset, link.length // layout.size * layout.size)
        if len(data) % layout.size:
            raise DamagedDataError("allocation descriptors lie past the end of the image")
        starts, places = array("Q"), array("Q")
        position = link.start
        block_size = self._space.block_size
        for fields in layout.iter_unpack(data):
            length = fields[0] & LENGTH_MASK
            kind = fields[0] >> 30
            partition = self._partition if self._kind == SHORT else fields[2]
            if length == 0:
                break
            if kind == NEXT_EXTENT:
                following = (partition, fields[1])
                return _Segment(link.start, position, starts, places, following)
            starts.append(position)
            places.append(kind << 48 | partition << 32 | fields[1])
            position += -(-length // block_size) * block_size
        return _Segment(link.start, position, starts, places, None)
