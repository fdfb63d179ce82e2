"""CISO (.cso, .ciso), versions 0 to 2, and ZSO: blocks of raw deflate or LZ4 behind an index.

The index has one 32-bit entry a block and one for the end. Its low 31 bits, shifted, are the
block's place in the file; its top bit says, by version, whether or how the block is compressed. The
layout is known from its writers only; there is no standard.
"""

import struct
from collections.abc import Iterator, Sequence
from operator import sub

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


class CsoSource(BlockwiseSource):
    """What is in a CISO or ZSO file."""

    def __init__(self, file: Source) -> None:
        """Raises OtherKindError or DamagedImageError."""
        header = file.read_at(0, _HEADER.size)
        if len(header) < _HEADER.size:
            raise DamagedImageError(f"{file.name}: is cut off in its header; copy it again")
        magic, size, block_size, version, self._shift = _HEADER.unpack(header)
        if version not in _VERSIONS[magic] or block_size not in _BLOCKS:
            raise OtherKindError  # the same magic begins discs of the GameCube and the Wii
        super().__init__(file, size, block_size)
        self._is_zso = magic == b"ZISO"
        # From version 2 on the top bit says which of two codecs it is, not whether there is one.
        self._has_codecs = version == 2 and not self._is_zso
        if _INDEX + _ENTRY * (self.count + 1) > file.size:
            raise DamagedImageError(
                f"{file.name}: is cut off at byte {file.size}, within its index; copy it again"
            )

    def block(self, number: int) -> bytes:
        """A block, decompressed unless it is stored as it is."""
        (block,) = self.blocks(range(number, number + 1))
        return block

    def blocks(self, numbers: range) -> Iterator[bytes]:
        """Blocks out of one read of the index and one of the file, where each ends at the next."""
        entries = self._entries(numbers)
        places = [(entry & ~_TOP) << self._shift for entry in entries]
        sizes = list(map(sub, places[1:], places))
        if min(sizes) <= 0 or max(sizes) > 2 * self.block_length + (1 << self._shift):
            raise DamagedDataError(
                f"the index entries of blocks {numbers[0]} to {numbers[-1]} are damaged"
            )
        stored = self._file.read_at(places[0], places[-1] - places[0])
        for number, entry, place, size in zip(numbers, entries, places, sizes, strict=False):
            at = place - places[0]
            yield self._decoded(number, stored[at : at + size], entry & _TOP != 0)

    def _decoded(self, number: int, stored: bytes, is_marked: bool) -> bytes:
        size = self.length_of(number)
        if self._has_codecs:
            is_plain, is_lz4 = len(stored) >= self.block_length, is_marked
        else:
            is_plain, is_lz4 = is_marked, self._is_zso
        if is_plain:
            block = stored[:size]
        elif is_lz4:
            block = codecs.unpack_lz4(stored, size)
        else:
            block = codecs.inflate_raw(stored, size)
        if len(block) < size:
            raise DamagedDataError(f"compressed block {number} is damaged: it is too short")
        return block

    def _entries(self, numbers: range) -> Sequence[int]:
        """The entries of these blocks and of the one after them."""
        count = len(numbers) + 1
        entries = self._file.read_at(_INDEX + numbers.start * _ENTRY, count * _ENTRY)
        if len(entries) < count * _ENTRY:
            raise DamagedDataError(f"the index entry of block {numbers[-1]} cannot be read")
        return struct.unpack(f"<{count}I", entries)


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The image in a CISO or ZSO file. Raises OtherKindError or DamagedImageError."""
    return CsoSource(file)
