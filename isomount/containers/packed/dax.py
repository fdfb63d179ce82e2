"""DAX (.dax), versions 0 and 1: frames of 8192 bytes as zlib streams, for the PSP.

Behind the header stand a place for each frame, the stored size of each and, in version 1, areas of
frames that are stored as they are. The layout is known from its writers only.
"""

import struct

from isomount import codecs
from isomount.containers.base import Surroundings
from isomount.containers.decoded import BlockwiseSource
from isomount.containers.packed.damaged import damaged
from isomount.errors import DamagedDataError, NotAnImageError
from isomount.sources import Source

# Magic, size, version, number of areas, 16 bytes without a meaning.
_HEADER = struct.Struct("<4xIII16x")
_KIND = "a compressed disc (DAX)"
_FRAME = 8192
_PLACE, _SIZE = struct.Struct("<I"), struct.Struct("<H")
# The first frame of an area, and how many it has.
_AREA = struct.Struct("<II")
_NEWEST = 1


class DaxSource(BlockwiseSource):
    """What is in a DAX file."""

    def __init__(self, file: Source) -> None:
        """Raises NotAnImageError or DamagedImageError."""
        header = file.read_at(0, _HEADER.size)
        if len(header) < _HEADER.size:
            raise damaged(file, _KIND, "header")
        size, version, areas = _HEADER.unpack(header)
        if version > _NEWEST:
            raise NotAnImageError(
                f"{file.name}: is a DAX file of version {version}, which isomount does not know; "
                "unpack it with the program that made it"
            )
        super().__init__(file, size, _FRAME)
        self._sizes_at = _HEADER.size + self.count * _PLACE.size
        areas_at = self._sizes_at + self.count * _SIZE.size
        areas = areas if version == _NEWEST else 0
        if not size or areas_at + areas * _AREA.size > file.size:
            raise damaged(file, _KIND, "index")
        self._plain = _frames_of_areas(file.read_at(areas_at, areas * _AREA.size), self.count)

    def block(self, number: int) -> bytes:
        """A frame, inflated unless its area is stored as it is."""
        size = self.length_of(number)
        (place,) = _PLACE.unpack(self._index(_HEADER.size, number, _PLACE.size))
        (stored_size,) = _SIZE.unpack(self._index(self._sizes_at, number, _SIZE.size))
        if self._plain[number]:
            frame = self._file.read_at(place, size)
        else:  # the last one may inflate to a whole frame
            frame = codecs.inflate(self._file.read_at(place, stored_size), size)
        if len(frame) < size:
            raise DamagedDataError(f"compressed frame {number} is damaged: it is too short")
        return frame

    def _index(self, start: int, number: int, width: int) -> bytes:
        entry = self._file.read_at(start + number * width, width)
        if len(entry) < width:
            raise DamagedDataError(f"the index entry of frame {number} cannot be read")
        return entry


def _frames_of_areas(areas: bytes, count: int) -> bytearray:
    """For each of ``count`` frames whether it is in one of these areas."""
    plain = bytearray(count)
    for first, length in _AREA.iter_unpack(areas[: len(areas) // _AREA.size * _AREA.size]):
        end = min(first + length, count)
        if first < end:
            plain[first:end] = b"\1" * (end - first)
    return plain


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The image in a DAX file. Raises NotAnImageError or DamagedImageError."""
    return DaxSource(file)
