"""CISO (.cso, .ciso), versions 0 to 2, and ZSO: blocks of raw deflate or LZ4 behind an index.

The index has one 32-bit entry a block and one for the end. Its low 31 bits, shifted, are the
block's place in the file; its top bit says, by version, whether or how the block is compressed. The
layout is known from its writers only; there is no standard.
"""

import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from isomount import codecs
from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.decoded import BlockwiseSource, stored_parts
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
        (block,) = self.blocks(range(number, number + 1))
        return block

    def blocks(self, numbers: range) -> Iterator[bytes]:
        """Blocks out of one read of the index, and of the file where they follow each other."""
        entries = self._entries(numbers)
        places = [self._place(*each) for each in zip(numbers, pairwise(entries), strict=True)]
        parts = stored_parts(self._file, places)
        for number, entry, part in zip(numbers, entries[:-1], parts, strict=True):
            yield self._decoded(number, _Stored(part, bool(entry & _TOP)))

    def _decoded(self, number: int, stored: _Stored) -> bytes:
        size = self.length_of(number)
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

    def _entries(self, numbers: range) -> Sequence[int]:
        """The entries of these blocks and of the one after them."""
        count = len(numbers) + 1
        entries = self._file.read_at(_INDEX + numbers.start * _ENTRY, count * _ENTRY)
        if len(entries) < count * _ENTRY:
            raise DamagedDataError(f"the index entry of block {numbers[-1]} cannot be read")
        return struct.unpack(f"<{count}I", entries)

    def _place(self, number: int, entries: tuple[int, int]) -> tuple[int, int]:
        """Where a block begins and ends in the file."""
        start, end = ((each & ~_TOP) << self._shift for each in entries)
        if not start < end <= start + 2 * self.block_length + (1 << self._shift):
            raise DamagedDataError(f"the index entry of block {number} is damaged")
        return start, end


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The image in a CISO or ZSO file. Raises OtherKindError or DamagedImageError."""
    return CsoSource(file)
