"""gzip (RFC 1952): deflate streams ("members") one after the other, each with its size modulo 2^32.

How long the whole is can only be told by reading it. Until it has been read, the size is what the
last member says of itself, made to fit what is known besides: how much is stored, and how long the
image in it says it is. Where it turns out that there is more, the size grows (see
``Source.measure``), and where there is less, what is beyond is the end.
"""

import struct
from typing import NamedTuple

from isomount.containers.base import OtherKindError, Surroundings, closed_on_failure
from isomount.containers.kept import key_of
from isomount.containers.length import DESCRIBED, stated_length
from isomount.containers.streams.deflated import DeflatedSource
from isomount.errors import DamagedDataError, DamagedImageError
from isomount.sources import Source

# ID1 ID2 CM FLG MTIME XFL OS (2.3.1); CM 8 is deflate.
_HEADER = struct.Struct("<3sBIBB")
_MAGIC = b"\x1f\x8b\x08"
# CRC32 and ISIZE.
_TRAILER = 8
_ISIZE_MODULUS = 1 << 32
# Flags: a CRC of the header, an extra field, a name, a comment.
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 2, 4, 8, 16
# The most that is looked at of a header: an extra field of 64 KiB, a name and a comment.
_HEADER_AT_MOST = 80 << 10
_HEADER_USUAL = 512
# Deflate makes what it cannot compress a little longer, at most by this part and this much.
_LONGER_BY, _LONGER_AT_MOST = 256, 64 << 10
# An image may be so much longer or shorter than its volume says, and still be whole.
_SLACK = 64 << 20
# Up to this size on disk all is decoded at once to know the size, where the file does not tell.
_SMALL = 8 << 20


class Guess(NamedTuple):
    """A size, and whether it is so likely that nothing is read to make sure."""

    size: int
    is_likely: bool


class GzipSource(DeflatedSource):
    """What is in a gzip file."""

    def __init__(self, file: Source) -> None:
        """Raises OtherKindError or DamagedImageError."""
        start = _behind_header(file, 0)
        if start is None:
            raise OtherKindError
        super().__init__(file, start, key_of(file, "gzip"))
        with closed_on_failure(self.points):
            self.size, self.is_likely = self._guess()
            if not self.is_likely and file.size <= _SMALL:
                self.measure_all()

    def following(self, stored: int) -> int | None:
        """Where the next member's deflate stream begins; what is no member is ignored."""
        return _behind_header(self._file, stored + _TRAILER)

    def next_guess(self) -> int:
        """What is left of the size when it is recorded comes in steps."""
        return self.size + _ISIZE_MODULUS

    def _guess(self) -> Guess:
        if self.points.end is not None:
            return Guess(self.points.end, is_likely=True)
        try:
            head = self.read_at(0, DESCRIBED)
        except DamagedDataError as error:
            raise DamagedImageError(
                f"{self.name}: is damaged from its beginning on: {error}; copy it again"
            ) from error
        stated = stated_length(lambda at, length: head[at : at + length])
        isize = int.from_bytes(self._file.read_at(self._file.size - 4, 4), "little")
        return guessed(self._file.size, isize, stated)


def guessed(stored: int, isize: int, stated: int) -> Guess:
    """How long a file is decoded that has ``stored`` bytes and ends with ``isize``.

    ``stated`` is what the image in it says of its length, 0 if it says nothing.
    """
    least = max(0, stored - stored // _LONGER_BY - _LONGER_AT_MOST)
    first = isize + -(-max(0, least - isize) // _ISIZE_MODULUS) * _ISIZE_MODULUS
    if not stated:
        return Guess(first, is_likely=False)
    times = max(0, round((stated - first) / _ISIZE_MODULUS))
    best = first + times * _ISIZE_MODULUS
    if abs(best - stated) <= _SLACK:
        return Guess(best, is_likely=True)
    if first < _ISIZE_MODULUS:  # more than the volume may follow it, as another session does
        return Guess(first, is_likely=stated < first)
    # Several members, of which the last one tells only of itself.
    return Guess(max(stated, least), is_likely=False)


def _behind_header(file: Source, start: int) -> int | None:
    """Where the deflate stream of the member at byte ``start`` begins; None if none is there."""
    for length in (_HEADER_USUAL, _HEADER_AT_MOST):
        head = file.read_at(start, length)
        if len(head) < _HEADER.size or not head.startswith(_MAGIC):
            return None
        behind = _length_of(head)
        if behind is not None:
            return start + behind
    return None


def _length_of(head: bytes) -> int | None:
    """The length of the header that ``head`` begins with; None if it goes on behind it."""
    flags = head[3]
    at = _HEADER.size
    if flags & _FEXTRA:
        at += 2 + int.from_bytes(head[at : at + 2], "little")
    for flag in (_FNAME, _FCOMMENT):
        if flags & flag:
            at = head.find(b"\0", at) + 1
            if not at:
                return None
    if flags & _FHCRC:
        at += 2
    return at if at <= len(head) else None


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """What is in a gzip file. Raises OtherKindError or DamagedImageError."""
    return GzipSource(file)
