"""Where the records of an ECM file are, with those that are alike counted together."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from isomount.containers.packed.damaged import damaged
from isomount.sources import Source

_MAGIC = b"ECM\0"
_KIND = "a disc image without its checksums (ECM)"
# Types of records. Then what a sector of mode 2 is recorded as: 16 bytes of sync and header as they
# are, and one sector of form 1 or form 2 without them.
BYTES, MODE1, FORM1, FORM2, RAW_FORM1, RAW_FORM2 = range(6)
# The bytes that one unit of each has, stored and made: an address or a subheader, and the data.
STORED = (1, 3 + 2048, 4 + 2048, 4 + 2324, 1 + 16 + 1 + 4 + 2048, 1 + 16 + 1 + 4 + 2324)
MADE = (1, 2352, 2336, 2336, 2352, 2352)
# The headers in such a pair: 16 units of type 0; 1 unit of type 2 or 3.
_SIXTEEN_BYTES = (16 - 1) << 2 | BYTES
_SECOND_AT = 1 + 16
_PAIRS = {FORM1: RAW_FORM1, FORM2: RAW_FORM2}
# In a header's first byte: type, 5 bits of the count less 1, and whether there is more of it.
_TYPE, _COUNT_AT, _COUNT_BITS, _MORE = 3, 2, 5, 0x80
_FURTHER_BITS = 7
_HEADER_AT_MOST = 5
# The count that ends the records.
_END = 0xFFFFFFFF
# Bytes that are looked at at once: some hundred sectors.
_WINDOW = 1 << 20
# Stretches that are remembered, at 20 bytes each: more than a disc has sectors.
_STRETCHES_AT_MOST = 1 << 20


class Stretch(NamedTuple):
    """Records of one kind side by side. The image's bytes from ``start`` to ``end`` are made of
    what is stored from ``place`` on."""

    kind: int
    start: int
    end: int
    place: int


class EcmIndex:
    """The stretches of an ECM file, in order."""

    def __init__(self) -> None:
        self.size = 0
        self._kinds = bytearray()
        self._starts = array("Q")
        self._places = array("Q")

    def __len__(self) -> int:
        return len(self._kinds)

    def add(self, kind: int, count: int, place: int) -> None:
        """``count`` units at ``place``: with the stretch before them if that ends there."""
        if not self._goes_on(kind, place):
            self._kinds.append(kind)
            self._starts.append(self.size)
            self._places.append(place)
        self.size += count * MADE[kind]

    def between(self, offset: int, end: int) -> Iterator[Stretch]:
        """The stretches that have a part in that range."""
        number = bisect_right(self._starts, offset) - 1
        while offset < end and number < len(self):
            is_last = number + 1 == len(self)
            offset = self.size if is_last else self._starts[number + 1]
            yield Stretch(self._kinds[number], self._starts[number], offset, self._places[number])
            number += 1

    def _goes_on(self, kind: int, place: int) -> bool:
        # Only pairs have their headers among their units.
        if not self._kinds or kind not in _PAIRS.values() or self._kinds[-1] != kind:
            return False
        units = (self.size - self._starts[-1]) // MADE[kind]
        return place == self._places[-1] + units * STORED[kind]


def index_of(file: Source) -> EcmIndex:
    """Where everything is in ``file``, which is read through for that. Raises DamagedImageError."""
    index = EcmIndex()
    window, start = b"", 0
    place = len(_MAGIC)
    while True:
        # What is looked at of a record and the next one is in the window.
        if place + _SECOND_AT + 1 - start > len(window):
            start, window = place, file.read_at(place, _WINDOW)
        at = place - start
        if window[at : at + 1] == _PAIR_BEGINS and (kind := _pair(window, at)) is not None:
            index.add(kind, 1, place)
            place += STORED[kind]
        else:
            header = _header(window, at)
            if header is None:
                raise damaged(file, _KIND, f"record at byte {place}")
            kind, count, length = header
            if count == _END:
                break
            index.add(kind, count + 1, place + length)
            place += length + (count + 1) * STORED[kind]
        if place >= file.size or len(index) > _STRETCHES_AT_MOST:
            raise damaged(file, _KIND, f"record at byte {min(place, file.size)}")
    if not index.size:
        raise damaged(file, _KIND, f"record at byte {place}")
    return index


_PAIR_BEGINS = bytes([_SIXTEEN_BYTES])


def _pair(window: bytes, at: int) -> int | None:
    """The kind of the pair at ``at``, whose first header is that of one."""
    second = window[at + _SECOND_AT : at + _SECOND_AT + 1]
    return _PAIRS.get(second[0]) if second else None


def _header(window: bytes, at: int) -> tuple[int, int, int] | None:
    """Type, count less 1, and length of the header at ``at``."""
    header = window[at : at + _HEADER_AT_MOST]
    if not header:
        return None
    kind, count = header[0] & _TYPE, header[0] >> _COUNT_AT & (1 << _COUNT_BITS) - 1
    shift = _COUNT_BITS
    for length, byte in enumerate(header, 1):
        if length > 1:
            count |= (byte & (_MORE - 1)) << shift
            shift += _FURTHER_BITS
        if not byte & _MORE:
            return (kind, count, length) if count <= _END else None
    return None
