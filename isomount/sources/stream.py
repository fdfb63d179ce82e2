"""A Python file object as the source of an image."""

import os
import threading
from typing import Any, Protocol

from isomount.errors import ClosedError, ImageUnreadableError
from isomount.sources.base import FileRange


class BinaryFile(Protocol):
    """What is needed of a file object: seekable, and read as bytes."""

    def read(self, size: int, /) -> bytes | None:
        """At most ``size`` bytes from where it stands; b"" at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place. Returns it, counted from the start."""


class FileObjectSource:
    """A file object that is somebody else's: it is read under a lock and never closed here.

    Whoever else reads or moves it meanwhile disturbs only themselves: every read seeks first.
    """

    # Nothing else caches what a file object reads: it may be a decompressor, or a server.
    block_size: int | None = 64 << 10

    def __init__(self, file: BinaryFile) -> None:
        """Raises ImageUnreadableError when ``file`` is not seekable or gives no bytes."""
        name: Any = getattr(file, "name", None)
        # Of a bare descriptor it is a number.
        named = isinstance(name, str | bytes | os.PathLike)
        self.name = os.fsdecode(name) if named else f"<{_kind(file)}>"
        self._lock = threading.Lock()
        self._file: BinaryFile | None = file
        self.size = self._measure(file)

    def _measure(self, file: BinaryFile) -> int:
        try:
            size = file.seek(0, os.SEEK_END)
            sample = file.read(0)
        except (AttributeError, OSError, ValueError) as error:
            # io.UnsupportedOperation is both an OSError and a ValueError; a closed file's is one.
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
                # As file objects say that they were closed.
                raise ClosedError(f"{self.name}: {error}") from error

    def read_resident(self, offset: int, length: int) -> bytes | None:
        """Whether a file object would wait cannot be told: None, always."""
        return None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """The bytes stand in no file that could be handed on: None, always."""
        return None

    def close(self) -> None:
        """Forget the file object. It stays open for whoever opened it."""
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
