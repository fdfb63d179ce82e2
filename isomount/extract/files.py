"""Copying the content of one file, and comparing it."""

import os
import stat
from collections.abc import Callable, Iterator

from isomount.errors import DamagedDataError
from isomount.formats.node import Node
from isomount.tree import Volume

_PIECE = 1 << 20
# Aligned blocks of zeros of this size become holes.
_HOLE = 1 << 16
_ZEROS = bytes(_HOLE)


def pieces(volume: Volume, node: Node) -> Iterator[bytes | bytearray]:
    """The content of a regular file. Raises DamagedDataError where it cannot be read."""
    content = node.content
    if content is None:
        raise DamagedDataError("there is no content behind it")
    offset = 0
    while offset < content.size:
        try:
            piece = content.read(volume.blocks, offset, min(_PIECE, content.size - offset))
        except OSError as error:
            raise DamagedDataError(f"byte {offset} cannot be read: {error.strerror}") from error
        if not piece:
            raise DamagedDataError(f"byte {offset} is lost")
        yield piece
        offset += len(piece)


def write_content(fd: int, volume: Volume, node: Node, moved: Callable[[int], None]) -> None:
    """Write a file's content to the empty file ``fd``, zeros as holes.

    ``moved`` is called with the number of bytes of each step. Raises DamagedDataError, or OSError
    when the target cannot be written.
    """
    # First, so that a size beyond the file system's limit fails at once.
    os.ftruncate(fd, node.content.size if node.content else 0)
    offset = 0
    for piece in pieces(volume, node):
        for start, end in _runs(piece):
            _write_all(fd, memoryview(piece)[start:end], offset + start)
        offset += len(piece)
        moved(len(piece))


def open_to_read(name: bytes, directory: int) -> int:
    """Open the file ``name`` in ``directory``, also where its mode keeps even its owner out.

    No symbolic link is followed. Raises OSError.
    """
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except PermissionError:
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        itself = f"/proc/self/fd/{handle}"
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        os.chmod(itself, mode | stat.S_IRUSR)
        try:
            return os.open(itself, os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.chmod(itself, mode)
    finally:
        os.close(handle)


def is_equal(fd: int, volume: Volume, node: Node, moved: Callable[[int], None]) -> bool:
    """Whether the file ``fd``, read back from the disk, equals the node's content."""
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    offset = 0
    for piece in pieces(volume, node):
        if _read_all(fd, len(piece), offset) != piece:
            return False
        offset += len(piece)
        moved(len(piece))
    return not os.pread(fd, 1, offset)


def _runs(piece: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """The (start, end) ranges of data between holes."""
    start: int | None = None
    for at in range(0, len(piece), _HOLE):
        width = min(_HOLE, len(piece) - at)
        if piece.startswith(_ZEROS if width == _HOLE else bytes(width), at):
            if start is not None:
                yield start, at
            start = None
        elif start is None:
            start = at
    if start is not None:
        yield start, len(piece)


def _write_all(fd: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data = data[written:]
        offset += written


def _read_all(fd: int, length: int, offset: int) -> bytes:
    read = bytearray()
    while len(read) < length:
        piece = os.pread(fd, length - len(read), offset + len(read))
        if not piece:
            break
        read += piece
    return bytes(read)
