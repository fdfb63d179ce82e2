"""zisofs, versions 1 and 2: files stored as individually compressed blocks.

A stored file begins with a header, whose size is in the ZF field, and a table of one pointer per
block and one for the end. A block is all zeros if its pointer equals the next one.
"""

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from isomount import codecs
from isomount.blocks import Content, Reader, SingleExtent, read_coded
from isomount.errors import DamagedDataError, MissingPackageError

_MAGIC_2 = bytes.fromhex("ef2255a1bc1b95a0")
# Block sizes as powers of 2. Linux reads 14 to 17 of version 1; libisofs writes to 20 in version 2.
_BLOCK_SHIFTS_1, _BLOCK_SHIFTS_2 = range(14, 18), range(14, 21)
_POINTER_SIZE_1, _POINTER_SIZE_2 = 4, 8
_POINTER_CODES = {4: "I", 8: "Q"}
_VERSION_1 = b"pz"
# Version 2 has an id for each codec, documented in upper and lower case. The codec actually used is
# in the header of the file.
_VERSION_2 = frozenset((b"PZ", b"XZ", b"xz", b"L4", b"l4", b"ZD", b"zd", b"B2", b"b2"))
# No codec expands a block much; this bounds the allocation for a hostile pair of pointers.
_EXPANSION_AT_MOST = 2
# The largest off_t.
_SIZE_AT_MOST = (1 << 63) - 1

_CODECS: dict[int, codecs.Codec] = {
    1: codecs.inflate,
    2: codecs.unpack_xz,
    3: codecs.unpack_lz4,
    4: codecs.unpack_zstd,
    5: codecs.unpack_bzip2,
}


class ZisofsContent(NamedTuple):
    """A compressed file: the content of its directory record, and the values of its ZF field.

    bsdtar records fewer bytes than it stores, so a contiguous file may continue past its size.
    """

    stored: Content
    algorithm: bytes
    header_size: int
    block_shift: int
    size: int

    @property
    def end(self) -> int:
        """The image byte after the stored file."""
        return self.stored.end

    @property
    def block_size(self) -> int:
        """The bytes of a block, but for the last one."""
        return 1 << self.block_shift

    def read(self, reader: Reader, offset: int, length: int) -> bytes:
        """That range, decoding the blocks that it touches."""
        return read_coded(reader, self, offset, max(0, min(length, self.size - offset)))

    def decode(self, reader: Reader, numbers: range) -> Iterator[bytes]:
        """The blocks of these numbers."""
        pointers = self._pointers(reader, numbers)
        codec: codecs.Codec | None = None
        for number, (start, end) in zip(numbers, pairwise(pointers), strict=True):
            expected = min(self.block_size, self.size - (number << self.block_shift))
            if start == end:
                yield bytes(expected)
                continue
            codec = codec or self._codec(reader)
            yield _block(number, codec, self._exactly(reader, start, end - start), expected)

    def _pointers(self, reader: Reader, numbers: range) -> list[int]:
        """Where these blocks begin, and where the last one ends."""
        width = _POINTER_SIZE_1 if self.algorithm == _VERSION_1 else _POINTER_SIZE_2
        at = self.header_size + numbers.start * width
        table = self._exactly(reader, at, (len(numbers) + 1) * width)
        pointers = list(struct.unpack(f"<{len(numbers) + 1}{_POINTER_CODES[width]}", table))
        for number, (start, end) in zip(numbers, pairwise(pointers), strict=True):
            if start > end:
                raise DamagedDataError(f"compressed block {number} ends before it begins")
            if end - start > _EXPANSION_AT_MOST << self.block_shift:
                raise DamagedDataError(
                    f"compressed block {number} is larger than any codec makes it"
                )
        return pointers

    def _exactly(self, reader: Reader, offset: int, length: int) -> bytes:
        stored = self.stored
        if isinstance(stored, SingleExtent):
            stored = stored._replace(size=max(stored.size, offset + length))
        data = stored.read(reader, offset, length) if length else b""
        if len(data) < length:
            raise DamagedDataError("a compressed file is cut off")
        return data

    def _codec(self, reader: Reader) -> codecs.Codec:
        """The codec: always zlib in version 1; the eleventh byte of the header in version 2."""
        if self.algorithm == _VERSION_1:
            return codecs.inflate
        header = self._exactly(reader, 0, 24)
        if not header.startswith(_MAGIC_2):
            raise DamagedDataError("a zisofs version 2 file lacks its header")
        codec = _CODECS.get(header[10])
        if codec is None:
            raise DamagedDataError(f"zisofs version 2 codec {header[10]} is not known")
        return codec


def _block(number: int, codec: codecs.Codec, stored: bytes, expected: int) -> bytes:
    try:
        # bsdtar writes blocks that inflate to more than a block; the excess is ignored.
        block = codec(stored, expected)
    except MissingPackageError:
        raise
    except DamagedDataError as error:
        raise DamagedDataError(f"compressed block {number} is damaged: {error}") from error
    if len(block) != expected:
        raise DamagedDataError(
            f"compressed block {number} is damaged: it does not have {expected} bytes"
        )
    return block


def zisofs_content(
    stored: Content, algorithm: bytes, header_size: int, block_shift: int, size: int
) -> Content:
    """The decoded content, or ``stored`` itself if the parameters are invalid for zisofs."""
    shifts = _BLOCK_SHIFTS_1 if algorithm == _VERSION_1 else _BLOCK_SHIFTS_2
    known = algorithm == _VERSION_1 or algorithm in _VERSION_2
    if not known or block_shift not in shifts or size > _SIZE_AT_MOST:
        return stored
    return ZisofsContent(stored, algorithm, header_size, block_shift, size)
