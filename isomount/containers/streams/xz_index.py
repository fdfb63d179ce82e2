"""Where the blocks of an xz file are, by the indexes at the ends of its streams (xz 1.2, 4)."""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from isomount.containers.streams.units import Units
from isomount.sources import Source

MAGIC = b"\xfd7zXZ\0"
# Stream header: magic, flags, CRC-32 (2.1.1). Footer: CRC-32, backward size, flags, magic (2.1.2).
HEADER, _FOOTER, _FOOTER_MAGIC = 12, 12, b"YZ"
# Streams are padded to a multiple of four bytes, and so are blocks (2.2, 3.3).
_ALIGNED = 4
# An index of more bytes, or more streams in one file than that: it is not looked at.
_INDEX_AT_MOST, _STREAMS_AT_MOST = 4 << 20, 10_000
_PADDING_AT_ONCE, _PADDING_AT_MOST = 64 << 10, 64 << 20
# Numbers have 7 bits a byte, at most so many bytes (1.2).
_NUMBER_AT_MOST = 9


class _Stream(NamedTuple):
    """A stream at byte ``start``: its flags, and its index, the table of its blocks."""

    start: int
    flags: bytes
    table: bytes


def indexed(file: Source) -> Units | None:
    """The blocks of all streams; None if an index is missing or wrong, or checks differ."""
    streams: list[_Stream] = []
    end = file.size
    while end > 0:
        stream = _stream(file, _without_padding(file, end))
        if stream is None or len(streams) == _STREAMS_AT_MOST:
            return None
        if streams and stream.flags != streams[-1].flags:
            return None
        streams.append(stream)
        end = stream.start
    units = Units()
    for stream in reversed(streams):
        at = stream.start + HEADER
        for unpadded, size in _pairs(stream.table):
            length = _aligned(unpadded)
            units.append(size, at, length)
            at += length
    return units


def _stream(file: Source, end: int) -> _Stream | None:
    """The stream that ends at byte ``end``; None if none does."""
    footer = file.read_at(max(0, end - _FOOTER), _FOOTER)
    if len(footer) < _FOOTER or not footer.endswith(_FOOTER_MAGIC):
        return None
    if zlib.crc32(footer[4:10]) != int.from_bytes(footer[:4], "little"):
        return None
    length = (int.from_bytes(footer[4:8], "little") + 1) * _ALIGNED
    at = end - _FOOTER - length
    if at < HEADER or length > _INDEX_AT_MOST:
        return None
    index = file.read_at(at, length)
    if len(index) < length or zlib.crc32(index[:-4]) != int.from_bytes(index[-4:], "little"):
        return None
    start = at - HEADER - sum(_aligned(unpadded) for unpadded, _ in _pairs(index))
    if start < 0 or file.read_at(start, HEADER)[: len(MAGIC) + 2] != MAGIC + footer[8:10]:
        return None
    return _Stream(start, footer[8:10], index)


def _pairs(index: bytes) -> Iterator[tuple[int, int]]:
    """Unpadded size and uncompressed size of each block (4.3)."""
    count, at = _number(index, 1)
    for _ in range(count):
        unpadded, at = _number(index, at)
        size, at = _number(index, at)
        if not unpadded:
            return
        yield unpadded, size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """The number at byte ``at``, and where the next one begins; 0 behind the end."""
    value = 0
    for shift, byte in enumerate(data[at : at + _NUMBER_AT_MOST]):
        value |= (byte & 0x7F) << 7 * shift
        if not byte & 0x80:
            return value, at + shift + 1
    return 0, at


def _aligned(length: int) -> int:
    return -(-length // _ALIGNED) * _ALIGNED


def _without_padding(file: Source, end: int) -> int:
    """Where the zeros begin that end at byte ``end``, in steps of four (2.2)."""
    least = max(0, end - _PADDING_AT_MOST)
    while end > least:
        start = max(0, end - _PADDING_AT_ONCE)
        zeros = len(data := file.read_at(start, end - start)) - len(data.rstrip(b"\0"))
        end -= zeros // _ALIGNED * _ALIGNED
        if zeros < max(len(data), _ALIGNED):  # fewer are no padding
            break
    return end
