"""A source as the file object that readers of archives want."""

import os

from isomount.errors import DamagedImageError
from isomount.sources import Source

# What may be read for one header, with all that belongs to it; more is asked for by a damaged one.
_HEADER_AT_MOST = 1 << 20


class SourceFile:
    """The bytes of ``source`` from the current position on. Closing it leaves the source open."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0
        self._allowed = _HEADER_AT_MOST

    def next_header(self) -> None:
        """From here on as much may be read again as a header may have."""
        self._allowed = _HEADER_AT_MOST

    def tell(self) -> int:
        """The current position."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Change the position. Raises DamagedImageError for one before the start."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise DamagedImageError(
                f"{self._source.name}: is damaged: it points to before its own beginning"
            )
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, fewer at the end. Raises DamagedImageError for too many."""
        if not 0 <= size <= self._allowed:
            raise DamagedImageError(
                f"{self._source.name}: is damaged, or made to do harm: one header of it would have "
                f"more than {_HEADER_AT_MOST} bytes"
            )
        self._allowed -= size
        data = self._source.read_at(self._at, size)
        self._at += len(data)
        return data

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Nothing."""
