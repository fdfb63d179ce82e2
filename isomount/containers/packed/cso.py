"""CISO (.cso, .ciso), versions 0 to 2, and ZSO: blocks of raw deflate or LZ4 behind an index.

The index has one 32-bit entry a block and one for the end. Its low 31 bits, shifted, are the
block's place in the file; its top bit says, by version, whether or how the block is compressed. The
layout is known from its writers only; there is no standard.
"""

import struct
from typing import NamedTuple

from isomount import codecs
from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.decoded import BlockwiseSource
from isomount.errors import DamagedDataError, DamagedImageError
from isomount.sources import Source

# Magic, header size (unreliable in version 1), size, block size, version, shift.
_HEADER = struct.Struct("<4s4xQIBB")
# Where the index begins, and the size of an entry.
_INDEX, _ENTRY = 24, 4
_TOP = 1 << 31
# Writers use 2048 to 64 KiB; a disc's sector is the least that makes sense.
_BLOCKS = range(512, (4 << 20) + 1)
_VERSIONS = {b"CISO": range(3), b"ZISO": range(2)}


class _Stored(NamedTuple):
    """One block as it is stored, and whether its entry's top bit is set."""

    data: bytes
    is_marked: bool


class CsoSource(BlockwiseSource):
    """What is in a CISO or ZSO file."""

    def __init__(self, file: Source) -> None:
        """Raises OtherKindError or DamagedImageError."""
        header = file.read_at(0, _HEADER.size)
        if len(header) < _HEADER.size:
            raise DamagedImageError(f"{file.name}: is cut off in its header; copy it again")
        magic, size, block_size, self._version, self._shift = _HEADER.unpack(header)
        if self._version not in _VERSIONS[magic] or block_size not in _BLOCKS:
            raise OtherKindError  # the same magic begins discs of the GameCube and the Wii
        super().__init__(file, size, block_size)
        self._is_zso = magic == b"ZISO"
        if _INDEX + _ENTRY * (self.count + 1) > file.size:
            raise DamagedImageError(
                f"{file.name}: is cut off at byte {file.size}, within its index; copy it again"
            )

    def block(self, number: int) -> bytes:
        """A block, decompressed unless it is stored as it is."""
        size = self.length_of(number)
        stored = self._stored(number)
        if self._is_plain(stored):
            block = stored.data[:size]
        elif self._is_zso or (self._version == 2 and stored.is_marked):
            block = codecs.unpack_lz4(stored.data, size)
        else:
            block = codecs.inflate_raw(stored.data, size)
        if len(block) < size:
            raise DamagedDataError(f"compressed block {number} is damaged: it is too short")
        return block

    def _is_plain(self, stored: _Stored) -> bool:
        if self._version == 2 and not self._is_zso:
            return len(stored.data) >= self.block_length
        return stored.is_marked

    def _stored(self, number: int) -> _Stored:
        entries = self._file.read_at(_INDEX + number * _ENTRY, 2 * _ENTRY)
        if len(entries) < 2 * _ENTRY:
            raise DamagedDataError(f"the index entry of block {number} cannot be read")
        entry, following = struct.unpack("<II", entries)
        start, end = ((each & ~_TOP) << self._shift for each in (entry, following))
        if not start < end <= start + 2 * self.block_length + (1 << self._shift):
            raise DamagedDataError(f"the index entry of block {number} is damaged")
        return _Stored(self._file.read_at(start, end - start), bool(entry & _TOP))


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The image in a CISO or ZSO file. Raises OtherKindError or DamagedImageError."""
    return CsoSource(file)
