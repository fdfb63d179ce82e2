"""A Python file object as the source of an image."""

import errno
import os
import threading
from typing import Any, Protocol

from isomount.errors import ClosedError, ImageUnreadableError
from isomount.sources.base import FileRange


class BinaryFile(Protocol):
    """The methods required of a file object: it must be seekable and return bytes."""

    def read(self, size: int, /) -> bytes | None:
        """At most ``size`` bytes from the current position; b"" at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Change the position. Returns the new one, from the start of the file."""


class FileObjectSource:
    """A caller's file object: read under a lock and never closed here.

    Every read seeks first, so other users of the file object may change its position.
    """

    # Nothing else may cache what is read: the file object may be a decompressor or a connection.
    block_size: int | None = 64 << 10

    def __init__(self, file: BinaryFile) -> None:
        """Raises ImageUnreadableError if ``file`` is not seekable or does not return bytes."""
        name: Any = getattr(file, "name", None)
        # For files opened by descriptor, the name is a number.
        named = isinstance(name, str | bytes | os.PathLike)
        self.name = os.fsdecode(name) if named else f"<{_kind(file)}>"
        self._lock = threading.Lock()
        self._file: BinaryFile | None = file
        self.size = self._measure(file)

    def _measure(self, file: BinaryFile) -> int:
        try:
            size = file.seek(0, os.SEEK_END)
            sample = file.read(0)
        except Exception as error:  # whatever a caller's object raises
            # Among others AttributeError, io.UnsupportedOperation, ValueError for a closed file,
            # EOFError and classes of its own from a decompressor, which reads all to seek.
            raise ImageUnreadableError(
                f"{self.name}: cannot be read as an image: {str(error).rstrip('.')}; "
                "give a file object that is open, readable and seekable"
            ) from error
        if not isinstance(sample, bytes):
            raise ImageUnreadableError(
                f"{self.name}: gives {_kind(sample)} instead of bytes; open it in binary mode"
            )
        return size

    def measure(self) -> int:
        """As it was when opened: to go to the end of what is decompressed means to read it all."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Seek and read until ``length`` bytes or the end. Raises ClosedError after ``close``."""
        with self._lock:
            if self._file is None:
                raise ClosedError(f"{self.name}: the image is closed")
            try:
                return _read(self._file, offset, length)
            except ValueError as error:
                if isinstance(error, OSError):
                    raise
                # File objects raise ValueError once they are closed.
                raise ClosedError(f"{self.name}: {error}") from error
            except Exception as error:  # a decompressor's own classes, EOFError: all mean the same
                if isinstance(error, OSError):
                    raise
                raise OSError(errno.EIO, f"cannot be read there: {error}") from error

    def read_resident(self, offset: int, length: int) -> bytes | None:
        """Always None: whether a file object would block is unknown."""
        return None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """Always None: there may be no file descriptor behind a file object."""
        return None

    def close(self) -> None:
        """Drop the reference. The file object stays open; its owner closes it."""
        with self._lock:
            self._file = None


def _read(file: BinaryFile, offset: int, length: int) -> bytes:
    file.seek(offset)
    pieces: list[bytes] = []
    while length > 0:
        piece = file.read(length)
        if piece is None:
            raise BlockingIOError("the file object is in non-blocking mode and has no data yet")
        if not piece:
            break
        pieces.append(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _kind(thing: object) -> str:
    return type(thing).__name__
