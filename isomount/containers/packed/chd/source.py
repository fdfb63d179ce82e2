"""The content of a CHD file, hunk by hunk."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from isomount import codecs
from isomount.containers.decoded import BlockwiseSource
from isomount.containers.packed.chd.codecs import FRAME, Decoder, decoder, is_for_cd
from isomount.containers.packed.chd.header import Header
from isomount.containers.packed.chd.hunks import (
    Form,
    Hunk,
    HunkMap,
    OldestMap,
    OldMap,
    StoredMap,
)
from isomount.containers.packed.chd.map import CompressedMap
from isomount.errors import DamagedDataError, DamagedImageError, NotAnImageError
from isomount.sources import Source

_NO_CODEC = bytes(4)
# A copy is of what is stored; a chain of copies is allowed, but bounded.
_COPIES_AT_MOST = 16
# Hunks with bytes of their own in the file.
_IN_FILE = (Form.COMPRESSED, Form.STORED)


class ChdSource(BlockwiseSource):
    """The bytes that a CHD file holds, sectors with subchannel where it is a CD.

    A hunk whose checksum is wrong raises DamagedDataError. That is not told where ECC or subchannel
    were left out, of which the checksum is as well: there a codec's own checks must do.
    """

    def __init__(self, file: Source, header: Header, parent: Source | None) -> None:
        """``parent`` is the content of the parent, closed with this; ``header`` may name none.

        Raises DamagedImageError or NotAnImageError.
        """
        super().__init__(file, header.size, header.hunk_size)
        self._unit = header.unit_size
        self._parent = parent
        self._map = _map(file, header)
        self._codecs = _decoders(file, header)
        self._checksum: Callable[[bytes], int] = codecs.crc16 if header.version >= 5 else zlib.crc32
        # The last hunk of which there was a copy: a disc's empty part is thousands of copies.
        self._copied: tuple[int, bytes] = (-1, b"")

    def block(self, number: int) -> bytes:
        """The hunk ``number``."""
        return self._block(number, self._map.hunk(number))

    def blocks(self, numbers: range) -> Iterator[bytes]:
        """Hunks, out of one read where all of them are stored one behind the other, as most are."""
        hunks = [self._map.hunk(number) for number in numbers]
        if not (hunks and self._is_run(hunks)):
            yield from map(self._block, numbers, hunks)
            return
        start = hunks[0].place
        stored = self._file.read_at(start, hunks[-1].place + hunks[-1].length - start)
        for number, hunk in zip(numbers, hunks, strict=True):
            at = hunk.place - start
            data = self._decoded(hunk, number, stored[at : at + hunk.length])
            yield data[: self.length_of(number)]

    def _is_run(self, hunks: Sequence[Hunk]) -> bool:
        return all(
            hunk.form in _IN_FILE and hunk.length <= self.block_length for hunk in hunks
        ) and all(
            each.place + each.length == following.place for each, following in pairwise(hunks)
        )

    def _block(self, number: int, hunk: Hunk) -> bytes:
        if hunk.form is not Form.SELF:
            return self._content(hunk, number)[: self.length_of(number)]
        original, hunk = self._original(number, hunk)
        known, data = self._copied
        if known != original:
            data = self._content(hunk, original)
            self._copied = (original, data)
        return data[: self.length_of(number)]

    def close(self) -> None:
        """Close the file and its parent."""
        super().close()
        if self._parent is not None:
            self._parent.close()

    def _original(self, number: int, hunk: Hunk) -> tuple[int, Hunk]:
        """The number of the hunk that ``hunk`` is a copy of, and where that is."""
        original = number
        for _ in range(_COPIES_AT_MOST):
            if hunk.form is not Form.SELF:
                return original, hunk
            if not 0 <= hunk.place < self.count:
                break
            original = hunk.place
            hunk = self._map.hunk(original)
        raise DamagedDataError(f"the map entry of hunk {number} is damaged")

    def _content(self, hunk: Hunk, number: int) -> bytes:
        """All bytes of a hunk that is no copy of another; the last may be longer than needed."""
        if hunk.form is Form.REPEATED:
            return hunk.place.to_bytes(8) * -(-self.block_length // 8)
        if hunk.form is Form.PARENT:
            return self._of_parent(hunk.place, number)
        if hunk.length > self.block_length:
            raise DamagedDataError(f"the map entry of hunk {number} is damaged")
        return self._decoded(hunk, number, self._file.read_at(hunk.place, hunk.length))

    def _decoded(self, hunk: Hunk, number: int, stored: bytes) -> bytes:
        """All bytes of a hunk that is kept as ``stored``."""
        if len(stored) < hunk.length:
            raise DamagedDataError(f"hunk {number} is cut off")
        is_exact = True
        if hunk.form is Form.COMPRESSED:
            decode = self._codecs[hunk.codec] if hunk.codec < len(self._codecs) else None
            if decode is None:
                raise DamagedDataError(f"the map entry of hunk {number} names no codec")
            stored, is_exact = decode(stored, self.block_length)
        if len(stored) < self.block_length:
            raise DamagedDataError(f"hunk {number} is damaged: it is too short")
        if is_exact and hunk.checksum not in (None, self._checksum(stored)):
            raise DamagedDataError(f"hunk {number} is damaged: its checksum is wrong")
        return stored

    def _of_parent(self, unit: int, number: int) -> bytes:
        if self._parent is None:
            raise DamagedDataError(f"hunk {number} is in a parent file, and none is named")
        data = self._parent.read_at(unit * self._unit, self.block_length)
        if len(data) < self.length_of(number):
            raise DamagedDataError(f"hunk {number} lies behind the end of the parent file")
        return data


def _map(file: Source, header: Header) -> HunkMap:
    if header.version >= 5:
        return (CompressedMap if header.is_compressed else StoredMap)(file, header)
    return (OldMap if header.version >= 3 else OldestMap)(file, header)


def _decoders(file: Source, header: Header) -> list[Decoder | None]:
    decoders: list[Decoder | None] = []
    for tag in header.codecs:
        decode = decoder(tag)
        if decode is None and tag != _NO_CODEC:
            raise NotAnImageError(
                f"{file.name}: is a CHD file with the codec {tag!r}, which is not known; unpack it "
                "with: chdman extractcd -i FILE -o disc.cue (or extractraw -o disc.iso)"
            )
        if is_for_cd(tag) and header.hunk_size % FRAME:
            raise DamagedImageError(
                f"{file.name}: the header of the CHD file is damaged: a hunk is no whole CD frames"
            )
        decoders.append(decode)
    return decoders
