"""LZ4 frames (frame format 1.6.1), and the legacy frame: blocks, each with its length before it.

Blocks that do not refer to those before them can be decoded alone, and all of a frame but the last
are of one size. A frame of dependent blocks can only be decoded from its beginning.
"""

import struct
from collections.abc import Iterator
from typing import Any

from isomount import codecs
from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.copy import decoded_copy
from isomount.containers.kept import key_of
from isomount.containers.streams.units import Decoder, Stored, Unit, Units, UnitSource
from isomount.errors import DamagedDataError, DamagedImageError, NotAnImageError
from isomount.sources import Source

_MAGIC = b"\x04\x22\x4d\x18"
_LEGACY = b"\x02\x21\x4c\x18"
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
# Of the frame descriptor's first byte: version, independent blocks, checksums, sizes.
_VERSION, _VERSION_MASK = 0x40, 0xC0
_INDEPENDENT, _BLOCK_CHECKSUM, _CONTENT_SIZE = 0x20, 0x10, 0x08
_CONTENT_CHECKSUM, _DICTIONARY = 0x04, 0x01
# Block sizes by the descriptor's second byte, bits 4 to 6.
_BLOCK_SIZES = {4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20}
_LEGACY_BLOCK = 8 << 20
# A block's length, of which the top bit says that it is stored as it is; 0 ends a frame.
_LENGTH = struct.Struct("<I")
_STORED_BIT = 1 << 31
_CHECKSUM = 4
# The legacy frame's blocks may become as much longer as LZ4 makes what it cannot compress.
_LONGER_BY = 255
_HEADER_AT_MOST = 19
_AT_ONCE = 256 << 10
# More blocks than this are not looked for: 512 GiB of the smallest ones.
_WALKED_AT_MOST = 1 << 23
# Nor more frames, as the last block of each has to be decoded to know its size.
_FRAMES_AT_MOST = 4096


class Lz4Source(UnitSource):
    """What is in frames of independent blocks."""

    def decoder(self, unit: Unit) -> Decoder:
        """A decoder for a block."""
        return _Block(self._file, unit)


class _Block:
    """A block, decoded when it is first read."""

    def __init__(self, file: Source, unit: Unit) -> None:
        self._file = file
        self._unit = unit
        self._data: bytes | None = None
        self._at = 0

    def read(self, length: int) -> bytes:
        """The next bytes."""
        if self._data is None:
            self._data = _decoded(self._file, self._unit.stored, self._unit.size)
            if len(self._data) != self._unit.size:
                raise DamagedDataError("an LZ4 block is of another size than all others")
        data = self._data[self._at : self._at + length]
        self._at += len(data)
        return data


def _decoded(file: Source, at: int, size: int) -> bytes:
    """The block whose length is at byte ``at``, of at most ``size`` bytes."""
    header = _LENGTH.unpack(file.read_at(at, _LENGTH.size).ljust(_LENGTH.size, b"\0"))[0]
    length = header & ~_STORED_BIT
    stored = file.read_at(at + _LENGTH.size, length)
    if len(stored) < length:
        raise DamagedDataError("an LZ4 block is cut off")
    return stored[:size] if header & _STORED_BIT else codecs.unpack_lz4_block(stored, size)


class _Frame:
    """What a frame's header says; ``first`` is where its first block is, from the frame's start."""

    def __init__(self, head: bytes) -> None:
        self.is_legacy = head.startswith(_LEGACY)
        if self.is_legacy:
            self.first, self.block, self.check, self.end_check = 4, _LEGACY_BLOCK, 0, 0
            self.is_independent, self.needs_dictionary = True, False
            return
        flags, sizes = head[4], head[5] >> 4 & 7
        if flags & _VERSION_MASK != _VERSION or sizes not in _BLOCK_SIZES:
            raise OtherKindError
        self.block = _BLOCK_SIZES[sizes]
        self.check = _CHECKSUM if flags & _BLOCK_CHECKSUM else 0
        self.end_check = _CHECKSUM if flags & _CONTENT_CHECKSUM else 0
        self.is_independent = bool(flags & _INDEPENDENT)
        self.needs_dictionary = bool(flags & _DICTIONARY)
        self.first = 7 + (8 if flags & _CONTENT_SIZE else 0) + (4 if flags & _DICTIONARY else 0)


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """What is in an LZ4 file.

    Raises OtherKindError, NotAnImageError if it needs a dictionary, DamagedDataError if the package
    lz4 is missing, ImageUnreadableError if the disk has no room.
    """
    codecs.package("lz4.block")
    units = _walked(file)
    if units is not None:
        return Lz4Source(file, units)
    return decoded_copy(
        file.name, None, key_of(file, "lz4"), lambda: _in_order(file), surroundings, file
    )


def _in_order(file: Source) -> Iterator[bytes]:
    """All of it, frame by frame."""
    frames: Any = codecs.package("lz4.frame")
    stored, data = Stored(file, 0, file.size), b""
    while data := data or stored.read(_AT_ONCE):
        decompressor = frames.LZ4FrameDecompressor()
        while not decompressor.eof:
            try:
                output = decompressor.decompress(data, _AT_ONCE)
            except (RuntimeError, MemoryError) as error:
                raise DamagedDataError(f"lz4 data is damaged: {error}") from error
            data = b""
            if output:
                yield output
            elif decompressor.needs_input and not (data := stored.read(_AT_ONCE)):
                raise EOFError("it is cut off")
        data = decompressor.unused_data or b""


def _walked(file: Source) -> Units | None:
    """The blocks, found one by one; None if they depend on each other."""
    units, at = Units(), 0
    for number in range(_FRAMES_AT_MOST + 1):
        if at >= file.size:
            break
        if number == _FRAMES_AT_MOST:
            return None
        head = file.read_at(at, _HEADER_AT_MOST)
        magic = int.from_bytes(head[:4], "little")
        if magic in _SKIPPABLE and len(head) >= 8:
            at += 8 + int.from_bytes(head[4:8], "little")
            continue
        if not head.startswith((_MAGIC, _LEGACY)) or len(head) < 8:
            break
        frame = _Frame(head)
        if frame.needs_dictionary:
            raise NotAnImageError(
                f"{file.name}: is compressed with a dictionary that is not in the file; unpack it "
                "with: lz4 -D DICTIONARY -d"
            )
        if not frame.is_independent:
            return None
        at = _walk_blocks(file, at + frame.first, frame, units)
    if not at:
        raise OtherKindError
    if not len(units):
        raise DamagedImageError(f"{file.name}: has no block that is whole; copy it again")
    return units


def _walk_blocks(file: Source, at: int, frame: _Frame, units: Units) -> int:
    """Add the blocks of ``frame`` to ``units``. Returns where it ends."""
    last = None
    while len(units) < _WALKED_AT_MOST:
        header = file.read_at(at, _LENGTH.size)
        if len(header) < _LENGTH.size:
            break
        value = _LENGTH.unpack(header)[0]
        if _ends_frame(value, frame):
            at += 0 if frame.is_legacy else _LENGTH.size + frame.end_check
            break
        length = _LENGTH.size + (value & ~_STORED_BIT) + frame.check
        if at + length > file.size:  # cut off within a block
            at = file.size
            break
        if last is not None:
            units.append(frame.block, *last)
        last = at, length
        at += length
    if last is not None:
        units.append(_size_of_last(file, last[0], frame), *last)
    return at


def _ends_frame(value: int, frame: _Frame) -> bool:
    """Whether that is no block's length: the legacy frame ends where another magic stands."""
    if not frame.is_legacy:
        return value == 0
    return value > frame.block + frame.block // _LONGER_BY + 16


def _size_of_last(file: Source, at: int, frame: _Frame) -> int:
    try:
        return len(_decoded(file, at, frame.block))
    except DamagedDataError:
        return frame.block  # whoever reads it is told
