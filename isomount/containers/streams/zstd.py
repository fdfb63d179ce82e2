"""Zstandard (RFC 8878): frames, one after the other.

The seekable format ends with a table of its frames, in a skippable frame. Elsewhere they are found
by their block headers; where each of them says how long it is, any can be decoded alone. What is
one large frame can only be decoded from its beginning, as most files are.
"""

import shlex
import struct
from collections.abc import Iterator
from typing import Any

from isomount import codecs
from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.copy import decoded_copy
from isomount.containers.kept import key_of
from isomount.containers.streams.units import UNIT_AT_MOST, Decoder, Stored, Unit, Units, UnitSource
from isomount.errors import DamagedDataError, NotAnImageError
from isomount.sources import Source
from isomount.text import readable_size

_MAGIC = b"\x28\xb5\x2f\xfd"
# Skippable frames have any of 16 magics, and their length in four bytes behind it (3.1.2).
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_SKIPPABLE_HEADER = 8
# The seek table: a skippable frame with entries and a footer (frames, descriptor, magic).
_TABLE_MAGIC = 0x184D2A5E
_FOOTER = struct.Struct("<IBI")
_FOOTER_MAGIC = 0x8F92EAB1
_HAS_CHECKSUMS, _RESERVED = 0x80, 0x7C
# Of a frame's header (3.1.1.1): magic, descriptor; then window, dictionary, content size.
_DESCRIPTOR_AT = 4
_HEADER_AT_MOST = 18
_SINGLE_SEGMENT, _CHECKSUM = 0x20, 0x04
_DICTIONARY_SIZES = (0, 1, 2, 4)
_CONTENT_SIZES = (0, 2, 4, 8)
# Block types (3.1.1.2): the third is stored as one byte that is repeated.
_BLOCK_HEADER, _RLE = 3, 1
# Windows up to that of "zstd --long" are decoded; larger ones take more memory than a mount may.
_WINDOW_AT_MOST = 1 << 27
_AT_ONCE = 256 << 10
# More frames than this, or blocks in one, are not looked for: 128 GiB of the largest blocks.
_FRAMES_AT_MOST, _BLOCKS_AT_MOST = 1 << 17, 1 << 20
_TABLE_AT_MOST = 64 << 20


class ZstdSource(UnitSource):
    """What is in a file of several frames."""

    def decoder(self, unit: Unit) -> Decoder:
        """A decoder for a frame."""
        return _Frames(Stored(self._file, unit.stored, unit.length), is_one=True)


class _Frames:
    """Decodes a frame, or all there are."""

    def __init__(self, stored: Stored, *, is_one: bool) -> None:
        package = codecs.package("zstandard")
        decompressor = package.ZstdDecompressor(max_window_size=_WINDOW_AT_MOST)
        self._error: type[Exception] = package.ZstdError
        self._reader: Any = decompressor.stream_reader(
            stored, read_size=_AT_ONCE, read_across_frames=not is_one
        )

    def read(self, length: int) -> bytes:
        """The next bytes."""
        try:
            return bytes(self._reader.read(length))
        except (self._error, MemoryError) as error:
            raise DamagedDataError(f"zstd data is damaged: {error}") from error


class _Header:
    """What a frame's header says: how long it is itself, and how much is in the frame."""

    def __init__(self, data: bytes) -> None:
        descriptor = data[_DESCRIPTOR_AT]
        is_single = bool(descriptor & _SINGLE_SEGMENT)
        dictionary = _DICTIONARY_SIZES[descriptor & 3]
        length = _CONTENT_SIZES[descriptor >> 6] or (1 if is_single else 0)
        at = _DESCRIPTOR_AT + 1 + (0 if is_single else 1) + dictionary
        self.needs_dictionary = any(data[at - dictionary : at])
        self.has_checksum = bool(descriptor & _CHECKSUM)
        self.length = at + length
        self.content: int | None = None
        if length:
            size = int.from_bytes(data[at : at + length], "little")
            self.content = size + 256 if length == 2 else size
        # What has to be kept in memory to decode it (3.1.1.1.2).
        self.window = self.content or 0
        if not is_single:
            exponent, mantissa = divmod(data[_DESCRIPTOR_AT + 1], 8)
            self.window = ((8 + mantissa) << (10 + exponent)) // 8


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """What is in a zstd file.

    Raises NotAnImageError if it needs a dictionary or too much memory, ImageUnreadableError if the
    disk has no room.
    """
    codecs.package("zstandard")
    _refuse_large_window(file)
    units = _table(file) or _walked(file)
    if units is not None and units.largest <= UNIT_AT_MOST:
        return ZstdSource(file, units)
    size = None if units is None else units.size
    return decoded_copy(
        file.name, size, key_of(file, "zstd"), lambda: _decoded(file), surroundings, file
    )


def _refuse_large_window(file: Source) -> None:
    """Raise NotAnImageError if the first frame needs more memory than a mount may take."""
    data = file.read_at(0, _HEADER_AT_MOST)
    if len(data) < _HEADER_AT_MOST or not data.startswith(_MAGIC):
        return
    if (window := _Header(data).window) > _WINDOW_AT_MOST:
        raise NotAnImageError(
            f"{file.name}: needs {readable_size(window)} of memory to be decompressed, which a "
            f"mount may not take; unpack it first, with: "
            f"zstd -dc --long=31 <{shlex.quote(file.name)} >disc.iso"
        )


def _decoded(file: Source) -> Iterator[bytes]:
    """All of it."""
    frames = _Frames(Stored(file, 0, file.size), is_one=False)
    while data := frames.read(_AT_ONCE):
        yield data


def _table(file: Source) -> Units | None:
    """The frames of the seekable format, out of its table; None without one that is sound."""
    footer = file.read_at(max(0, file.size - _FOOTER.size), _FOOTER.size)
    if len(footer) < _FOOTER.size:
        return None
    count, descriptor, magic = _FOOTER.unpack(footer)
    entry = 12 if descriptor & _HAS_CHECKSUMS else 8
    length = count * entry + _FOOTER.size
    start = file.size - length - _SKIPPABLE_HEADER
    if magic != _FOOTER_MAGIC or descriptor & _RESERVED or start < 0 or length > _TABLE_AT_MOST:
        return None
    table = file.read_at(start, _SKIPPABLE_HEADER + count * entry)
    if struct.unpack_from("<II", table) != (_TABLE_MAGIC, length):
        return None
    units, at = Units(), 0
    for place in range(_SKIPPABLE_HEADER, len(table) - entry + 1, entry):
        stored, size = struct.unpack_from("<II", table, place)
        units.append(size, at, stored)
        at += stored
    return units if at <= start else None


def _walked(file: Source) -> Units | None:
    """The frames, found one by one; None if one of them does not say how long it is.

    Raises OtherKindError if the first one is none, NotAnImageError if one needs a dictionary.
    """
    units, at = Units(), 0
    for _ in range(_FRAMES_AT_MOST):
        if at >= file.size:
            return _or_other_kind(units)
        head = file.read_at(at, _HEADER_AT_MOST)
        magic = int.from_bytes(head[:4], "little")
        if magic in _SKIPPABLE and len(head) >= _SKIPPABLE_HEADER:
            at += _SKIPPABLE_HEADER + int.from_bytes(head[4:8], "little")
            continue
        if not head.startswith(_MAGIC) or len(head) <= _DESCRIPTOR_AT:
            return _or_other_kind(units)
        header = _Header(head)
        if header.needs_dictionary:
            raise NotAnImageError(
                f"{file.name}: is compressed with a dictionary that is not in the file; unpack it "
                "with: zstd -D DICTIONARY -d"
            )
        if header.content is None:
            return None
        end = _frame_end(file, at + header.length)
        if end is None:  # cut off
            return None
        end += 4 if header.has_checksum else 0
        units.append(header.content, at, end - at)
        at = end
    return None


def _or_other_kind(units: Units) -> Units:
    """``units``, behind which no further frame is, if there are any."""
    if not len(units):
        raise OtherKindError
    return units


def _frame_end(file: Source, at: int) -> int | None:
    """Where the blocks end of which the first one is at byte ``at``.

    None if they go on behind the end of the file, or there are too many.
    """
    for _ in range(_BLOCKS_AT_MOST):
        header = int.from_bytes(file.read_at(at, _BLOCK_HEADER), "little")
        at += _BLOCK_HEADER + (1 if header >> 1 & 3 == _RLE else header >> 3)
        if at > file.size:
            return None
        if header & 1:
            return at
    return None
