"""A file of an image as Python's io knows files."""

import errno
import io
import os
from typing import TYPE_CHECKING, Any

from isomount.errors import DamagedDataError, PathError, PathIsDirectoryError, about_path
from isomount.formats.node import Node

if TYPE_CHECKING:
    from isomount.image import Image

# What is read of an image at a time, however much is asked for; in bytes.
_PIECE = 1 << 20
# Large enough that a line or a record seldom costs a read of its own.
_BUFFER = 128 << 10


class ImageFile(io.RawIOBase):
    """The bytes of a regular file, seekable and not buffered. ``name`` is its path in the image.

    Reading raises PathError (EIO) where bytes are lost: a read stops short before them, and the
    next one raises. They can be passed over with ``seek``. After the image was closed it raises
    ClosedError. Not thread-safe, as every raw file; open the path once for each thread.
    """

    mode = "rb"

    def __init__(self, image: "Image", node: Node, path: str) -> None:
        """``node`` is what stands at ``path``. Raises PathIsDirectoryError or PathError."""
        super().__init__()
        if node.fault:
            raise PathError(errno.EIO, path, node.fault)
        if node.is_directory:
            raise PathIsDirectoryError(errno.EISDIR, path)
        if node.content is None:
            raise PathError(errno.EINVAL, path, "is no regular file, so there is nothing to read")
        self.name = path
        self._image = image
        self._content = node.content
        self._ino = node.ino
        self._position = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} of {self._image.name!r}>"

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read begins, in bytes from the start."""
        self._require_open()
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place, which may lie past the end. Returns it, counted from the start."""
        self._require_open()
        starts = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._content.size}
        if whence not in starts:
            raise ValueError(f"whence {whence} is not 0, 1 or 2")
        place = starts[whence] + offset
        if place < 0:
            raise OSError(errno.EINVAL, f"{place} lies before the start of the file")
        self._position = place
        return place

    def readinto(self, buffer: Any, /) -> int:
        """Fill ``buffer`` as far as one read goes; 0 is the end."""
        view = memoryview(buffer).cast("B")
        data = self._next(len(view))
        view[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """All that is left."""
        pieces: list[bytes] = []
        while piece := self._next(_PIECE):
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _next(self, length: int) -> bytes:
        """At most ``length`` bytes from where it stands, which moves; none at the end."""
        self._require_open()
        length = min(length, _PIECE, self._content.size - self._position)
        if length <= 0:
            return b""
        with about_path(self.name):
            data = self._read(length)
        self._position += len(data)
        return data

    def _read(self, length: int) -> bytes:
        volume = self._image.volume
        try:
            data = self._content.read(volume.blocks, self._position, length)
            if not data:
                raise DamagedDataError(f"byte {self._position} of the file is lost")
        except (DamagedDataError, OSError) as error:
            volume.note_unreadable(self._ino, self._position, error)
            raise
        return data

    def _require_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        self._image.require_open()


def open_file(image: "Image", node: Node, path: str) -> io.BufferedReader:
    """The same, buffered."""
    return io.BufferedReader(ImageFile(image, node, path), _BUFFER)
