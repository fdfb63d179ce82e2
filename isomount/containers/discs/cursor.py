"""Reading the fields of a binary descriptor one after the other."""

import struct
from typing import Any

from isomount.errors import DamagedImageError
from isomount.sources import Source

# The longest field of any descriptor is the CD-Text: 8 languages with 256 packs of 18 bytes each.
_FIELD_AT_MOST = 1 << 16


class Cursor:
    """A place in ``file`` that moves on over what is read, up to the byte ``end``.

    What is not there raises DamagedImageError.
    """

    def __init__(self, file: Source, at: int = 0, end: int | None = None) -> None:
        self.at = at
        self.end = file.size if end is None else min(end, file.size)
        self._file = file

    def read(self, length: int) -> bytes:
        """The next ``length`` bytes."""
        if not 0 <= self.at <= self.end - length or length > _FIELD_AT_MOST:
            raise self._damaged()
        data = self._file.read_at(self.at, length)
        if len(data) < length:
            raise self._damaged()
        self.at += length
        return data

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        """The next fields, of that form."""
        return form.unpack(self.read(form.size))

    def number(self, length: int) -> int:
        """The next unsigned number, of ``length`` bytes, the lowest first."""
        return int.from_bytes(self.read(length), "little")

    def skip(self, length: int) -> None:
        """Leave out the next ``length`` bytes, which may be past the end."""
        self.at += length

    def _damaged(self) -> DamagedImageError:
        return DamagedImageError(
            f"{self._file.name}: is cut off or damaged: its list of tracks should go on at byte "
            f"{self.at}, and it ends at byte {self.end}; copy it again"
        )
