"""JISO (.jso), for the PSP: blocks of deflate or LZO behind an index of places.

The layout is known from readers for the PSP only.
"""

import struct

from isomount import codecs
from isomount.containers.base import Surroundings
from isomount.containers.decoded import BlockwiseSource
from isomount.containers.packed.damaged import damaged
from isomount.errors import DamagedDataError, NotAnImageError
from isomount.sources import Source

# Magic, 2 bytes, block size, whether blocks have headers, method, size, MD5, header size.
_HEADER = struct.Struct("<4x2xHBxBxI16sI")
_INDEX, _PLACE = 48, struct.Struct("<II")
_KIND = "a compressed disc (JISO)"
_BLOCK_HEADER = 4
_BLOCKS = range(512, (32 << 10) + 1)
_LZO, _DEFLATE = 0, 1
# RFC 1950 2.2: deflate with a window of 32 KiB or less, a multiple of 31.
_ZLIB_METHOD, _ZLIB_CHECK = 8, 31


class JsoSource(BlockwiseSource):
    """What is in a JISO file."""

    def __init__(self, file: Source) -> None:
        """Raises NotAnImageError or DamagedImageError."""
        header = file.read_at(0, _HEADER.size)
        if len(header) < _HEADER.size:
            raise damaged(file, _KIND, "header")
        block_size, has_headers, method, size, _, _ = _HEADER.unpack(header)
        if method != _DEFLATE:
            raise NotAnImageError(
                f"{file.name}: is a disc compressed by LZO (JISO), which isomount does not read; "
                "unpack it with the program that made it, CISO Multi Compressor"
            )
        if block_size not in _BLOCKS or not size:
            raise damaged(file, _KIND, "header")
        super().__init__(file, size, block_size)
        self._header_length = _BLOCK_HEADER if has_headers else 0
        if _INDEX + (self.count + 1) * (_PLACE.size // 2) > file.size:
            raise damaged(file, _KIND, "index")

    def block(self, number: int) -> bytes:
        """A block, inflated unless it is stored as it is: then it is as long as unpacked."""
        size = self.length_of(number)
        entries = self._file.read_at(_INDEX + number * (_PLACE.size // 2), _PLACE.size)
        if len(entries) < _PLACE.size:
            raise DamagedDataError(f"the index entry of block {number} cannot be read")
        start, end = _PLACE.unpack(entries)
        if not start < end <= start + 2 * self.block_length:
            raise DamagedDataError(f"the index entry of block {number} is damaged")
        stored = self._file.read_at(start, end - start)[self._header_length :]
        if len(stored) == self.block_length:
            block = stored[:size]
        elif _is_zlib(stored):
            block = codecs.inflate(stored, size)
        else:
            block = codecs.inflate_raw(stored, size)
        if len(block) < size:
            raise DamagedDataError(f"compressed block {number} is damaged: it is too short")
        return block


def _is_zlib(stored: bytes) -> bool:
    """Whether it begins as a zlib stream; raw deflate begins with a type that zlib's is not."""
    is_method = (
        stored[0] & 0xF == _ZLIB_METHOD and stored[0] >> 4 < _ZLIB_METHOD if stored else False
    )
    return is_method and int.from_bytes(stored[:2], "big") % _ZLIB_CHECK == 0


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The image in a JISO file. Raises NotAnImageError or DamagedImageError."""
    return JsoSource(file)
