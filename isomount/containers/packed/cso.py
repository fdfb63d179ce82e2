"""CISO (.cso, .ciso), versions 0 to 2, and ZSO: blocks of raw deflate or LZ4 behind an index.

The index has one 32-bit entry a block and one for the end. Its low 31 bits, shifted, are the
block's place in the file; its top bit says, by version, whether or how the block is compressed. The
layout is known from its writers only; there is no standard.
"""

import shlex
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import sub

from isomount import codecs
from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.decoded import BlockwiseSource
from isomount.containers.packed.damaged import damaged
from isomount.containers.packed.lz4 import unpack_padded
from isomount.errors import DamagedDataError, NotAnImageError
from isomount.sources import Source

# Magic, header size (unreliable in version 1), size, block size, version, shift.
_HEADER = struct.Struct("<8xQIBB")
# Where the index begins, and the size of an entry.
_INDEX, _ENTRY = 24, 4
_TOP = 1 << 31
# Writers use 2048 to 64 KiB; a disc's sector is the least that makes sense.
_BLOCKS = range(512, (4 << 20) + 1)
_VERSIONS = {b"CISO": range(3), b"ZISO": range(2)}
_KINDS = {b"CISO": "a compressed disc (CSO)", b"ZISO": "a compressed disc (ZSO)"}
# Places are 31 bits: a larger shift leads nowhere.
_SHIFT_AT_MOST = 31
# Blocks, at most, from one look at the index to the next while wrapped places are searched for.
_STEP = 4096
# Of a GameCube or Wii disc the magic is followed by the block size, then a byte a block.
_CUBE_BLOCK = struct.Struct("<4xI")
_CUBE_BLOCKS_AT_LEAST = 0x8000


class CsoSource(BlockwiseSource):
    """What is in a CISO or ZSO file."""

    def __init__(self, file: Source) -> None:
        """Raises OtherKindError or DamagedImageError."""
        header = file.read_at(0, _HEADER.size)
        if (magic := header[:4]) not in _VERSIONS:
            raise OtherKindError
        if len(header) < _HEADER.size:
            raise damaged(file, _KINDS[magic], "header")
        size, block_size, version, shift = _HEADER.unpack(header)
        is_known = version in _VERSIONS[magic] and block_size in _BLOCKS
        if not is_known or not size or shift > _SHIFT_AT_MOST:
            raise damaged(file, _KINDS[magic], "header")
        super().__init__(file, size, block_size)
        self._shift: int = shift
        self._is_zso = magic == b"ZISO"
        # From version 2 on the top bit says which of two codecs it is, not whether there is one.
        self._has_codecs = version == 2 and not self._is_zso
        if _INDEX + _ENTRY * (self.count + 1) > file.size:
            raise damaged(file, _KINDS[magic], "index")
        self._wraps = _wraps(self) if file.size >= _TOP << self._shift else []

    def block(self, number: int) -> bytes:
        """A block, decompressed unless it is stored as it is."""
        (block,) = self.blocks(range(number, number + 1))
        return block

    def blocks(self, numbers: range) -> Iterator[bytes]:
        """Blocks out of one read of the index and one of the file, where each ends at the next."""
        entries = self.entries(numbers)
        places = [(entry & ~_TOP) << self._shift for entry in entries]
        if self._wraps:
            places = self._unwrapped(places, numbers.start)
        sizes = list(map(sub, places[1:], places))
        if sizes and (min(sizes) <= 0 or max(sizes) > self._stored_at_most):
            raise DamagedDataError(
                f"the index entries of blocks {numbers[0]} to {numbers[-1]} are damaged"
            )
        stored = self._file.read_at(places[0], places[-1] - places[0])
        for number, entry, place, size in zip(numbers, entries, places, sizes, strict=False):
            at = place - places[0]
            yield self._decoded(number, stored[at : at + size], entry & _TOP != 0)

    def entries(self, numbers: range) -> Sequence[int]:
        """The entries of these blocks in the index, and of the one after them."""
        count = len(numbers) + 1
        entries = self._file.read_at(_INDEX + numbers.start * _ENTRY, count * _ENTRY)
        if len(entries) < count * _ENTRY:
            raise DamagedDataError(f"the index entry of block {numbers.stop} cannot be read")
        return struct.unpack(f"<{count}I", entries)

    @property
    def step(self) -> int:
        """As many blocks as surely take less than a lap of 31 bits."""
        return max(1, min(_STEP, (_TOP << self._shift) // self._stored_at_most - 1))

    @property
    def _stored_at_most(self) -> int:
        """No codec expands a block much, and padding is less than what the shift cannot tell."""
        return 2 * self.block_length + (1 << self._shift)

    def _unwrapped(self, places: Sequence[int], first: int) -> list[int]:
        """The places of blocks from ``first`` on, as they were before their highest bits went."""
        return [
            place + (bisect_right(self._wraps, number) * _TOP << self._shift)
            for number, place in enumerate(places, first)
        ]

    def _decoded(self, number: int, stored: bytes, is_marked: bool) -> bytes:
        size = self.length_of(number)
        if self._has_codecs:
            is_plain, is_lz4 = len(stored) >= self.block_length, is_marked
        else:
            is_plain, is_lz4 = is_marked, self._is_zso
        try:
            block = self._unpacked(stored, size, is_lz4) if not is_plain else stored[:size]
        except DamagedDataError:
            # Version 2 tells plain blocks by their length alone, and the last one is short.
            if not self._has_codecs or size == self.block_length or len(stored) < size:
                raise
            block = stored[:size]
        if len(block) < size:
            raise DamagedDataError(f"compressed block {number} is damaged: it is too short")
        return block

    def _unpacked(self, stored: bytes, size: int, is_lz4: bool) -> bytes:
        if is_lz4:  # the last block may have been filled up before it was compressed
            return unpack_padded(stored, size, self.block_length)
        return codecs.inflate_raw(stored, size)


def _wraps(source: CsoSource) -> list[int]:
    """Blocks whose place is a lap further than that of the block before.

    Writers that know no shift wrote places modulo 2 GiB. Places only grow, and no lap fits between
    two looks, so where one is less than the last, the lap began between them.
    """
    wraps: list[int] = []
    last = 0
    for number in [*range(source.step, source.count, source.step), source.count]:
        if _place(source, number) < _place(source, last):
            low, high = last, number
            while high - low > 1:
                middle = (low + high) // 2
                if _place(source, middle) < _place(source, last):
                    high = middle
                else:
                    low = middle
            wraps.append(high)
        last = number
    return wraps


def _place(source: CsoSource, number: int) -> int:
    """The place of a block, or of the end, as its entry in the index has it."""
    return source.entries(range(number, number))[0] & ~_TOP


def _refuse_a_cube(file: Source) -> None:
    """The same magic begins discs of the GameCube and the Wii, stored without empty blocks."""
    head = file.read_at(0, 4096)
    if len(head) < _CUBE_BLOCK.size:
        return
    (block_size,) = _CUBE_BLOCK.unpack_from(head)
    is_block = block_size >= _CUBE_BLOCKS_AT_LEAST and not block_size & (block_size - 1)
    if head.startswith(b"CISO") and is_block and max(head[_CUBE_BLOCK.size :], default=2) <= 1:
        raise NotAnImageError(
            f"{file.name}: is a GameCube or Wii disc (CISO), which has no file system that "
            "isomount reads; Dolphin opens it, and Wiimms ISO Tools unpack it with: "
            f"wit extract {shlex.quote(file.name)} FOLDER"
        )


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The image in a CISO or ZSO file.

    Raises OtherKindError, NotAnImageError or DamagedImageError.
    """
    _refuse_a_cube(file)
    return CsoSource(file)
