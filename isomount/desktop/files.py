"""Files in a user's own directories: read, replaced atomically, and errors with a remedy."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterator

from isomount.errors import IsomountError

_DRAFT = ".isomount-"
_MODE = 0o644

_WRITABLE = "make the folder that it is in writable for you"
_IN_THE_WAY = "move away the file that is where its folder belongs"
_REMEDIES = {
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.EISDIR: "move that folder away",
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
}


def read(path: str) -> bytes | None:
    """The content of the file ``path``, or None if there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def replace(path: str, data: bytes) -> None:
    """Replace the file ``path`` atomically; it keeps its mode."""
    mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else _MODE
    fd, draft = tempfile.mkstemp(prefix=_DRAFT, dir=os.path.dirname(path))
    try:
        with open(fd, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        os.replace(draft, path)
    except BaseException:  # KeyboardInterrupt too: do not leave the draft
        os.unlink(draft)
        raise


def make_directories(directory: str, undo: Callable[..., object]) -> Iterator[str]:
    """Create ``directory`` and those above it, and yield each that was missing, the top one first.

    ``undo`` is called with what takes each away again.
    """
    if os.path.isdir(directory):
        return
    yield from make_directories(os.path.dirname(directory), undo)
    os.mkdir(directory)
    undo(os.rmdir, directory)
    yield directory


@contextlib.contextmanager
def told(directory: str, variable: str) -> Iterator[None]:
    """Turn an OSError into an IsomountError with a remedy.

    ``variable`` is the environment's name for what ``directory`` is.
    """
    try:
        yield
    except OSError as error:
        path = str(error.filename2 or error.filename or directory)
        if os.path.basename(path).startswith(_DRAFT):  # name its directory instead
            path = os.path.dirname(path)
        remedy = _REMEDIES.get(error.errno or 0, f"set {variable} to another folder")
        raise IsomountError(f"{path}: {error.strerror}; {remedy}, and run this again") from error
