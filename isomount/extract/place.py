"""The directory to extract into.

Nothing is written outside it, whatever names and links an image or another program creates: each
directory is opened relative to its parent's descriptor, and symbolic links are never followed.
"""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from isomount.errors import IsomountError

# The components of a path in the image.
Parts = tuple[bytes, ...]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# What a directory's owner needs to write into it, and to remove it with what it holds.
OWNERS_RIGHTS = 0o700
# The name of a file that is being written, followed by the process id.
_PARTIAL = ".isomount-partial-"
_PARTIAL_NAME = re.compile(re.escape(_PARTIAL) + r"(\d+)")
# Errors that every further file would meet too.
_HOPELESS = {
    errno.ENOSPC: "there is no room left; make some and run the same command again, "
    "it goes on where it stopped",
    errno.EDQUOT: "your quota is used up; make room and run the same command again, "
    "it goes on where it stopped",
    errno.EROFS: "is read-only; name another folder with -C",
    errno.EIO: "the disk reports an error; name another folder with -C",
}


class PlaceError(IsomountError):
    """The directory to extract into cannot be used, or is full."""


class ObstacleError(IsomountError):
    """An existing file is in the way of an entry."""


class Place:
    """A directory to extract into, created if it is missing. A context manager."""

    def __init__(self, path: str) -> None:
        """Open or create ``path``. Raises PlaceError with the reason and the remedy."""
        self.path = path
        self.made = _make(path)
        try:
            # Links in the path that the user gave are followed.
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except NotADirectoryError:
            raise PlaceError(f"{path}: is a file; name a folder with -C") from None
        except OSError as error:
            raise PlaceError(f"{path}: cannot be written to: {error.strerror}") from error
        self._partial = f"{_PARTIAL}{os.getpid()}"

    def close(self) -> None:
        """Close the directory."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    @contextmanager
    def directory(self, parts: Parts) -> Iterator[int]:
        """Open the directory ``parts``. Raises ObstacleError if something else is there."""
        fd = os.dup(self._fd)
        try:
            for name in parts:
                below = _open_directory(name, fd)
                os.close(fd)
                fd = below
            yield fd
        finally:
            os.close(fd)

    def enter(self, parts: Parts) -> None:
        """Create the directory ``parts``, or make an existing one writable.

        Partial files left by an interrupted run are removed. Raises ObstacleError or OSError.
        """
        if not parts:
            self._clear(self._fd)
            return
        require_name(parts[-1])
        with self.directory(parts[:-1]) as above:
            try:
                os.mkdir(parts[-1], OWNERS_RIGHTS, dir_fd=above)
            except FileExistsError:
                fd = _open_directory(parts[-1], above)
                try:
                    _make_writable(fd)
                    self._clear(fd)
                finally:
                    os.close(fd)

    @contextmanager
    def partial(self, directory: int, name: bytes) -> Iterator[str]:
        """A temporary name in ``directory``, which is renamed to ``name`` at the end.

        The file is removed if the block fails. Raises ObstacleError if a directory is in the way.
        """
        require_name(name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._partial, dir_fd=directory)
        try:
            yield self._partial
            os.rename(self._partial, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException as error:
            with contextlib.suppress(OSError):  # not created yet
                os.unlink(self._partial, dir_fd=directory)
            if isinstance(error, IsADirectoryError):
                raise ObstacleError("a folder of that name is in the way; remove it") from error
            raise

    def give_up_if_hopeless(self, error: OSError) -> None:
        """Raise PlaceError if every further file would fail with this error as well."""
        if error.errno in _HOPELESS:
            raise PlaceError(f"{self.path}: {_HOPELESS[error.errno]}") from error

    def _clear(self, directory: int) -> None:
        """Remove partial files of processes that have ended."""
        for name in os.listdir(directory):
            found = _PARTIAL_NAME.fullmatch(name)
            if found is not None and not os.path.exists(f"/proc/{found[1]}"):
                with contextlib.suppress(OSError):  # a directory of that name, for instance
                    os.unlink(name, dir_fd=directory)


def status_of(name: bytes, directory: int) -> os.stat_result | None:
    """The lstat of ``name`` in ``directory``, or None if there is no such file."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def require_name(name: bytes) -> None:
    """Raise ObstacleError unless ``name`` is safe: a second check, as the tree makes names safe."""
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
        raise ObstacleError(f"{os.fsdecode(name)!r} is no name for a file")


def _open_directory(name: bytes, above: int) -> int:
    require_name(name)
    try:
        return os.open(name, _DIRECTORY, dir_fd=above)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise ObstacleError(
                f"{os.fsdecode(name)} is there already and is no folder; remove it"
            ) from error
        raise


def _make_writable(fd: int) -> None:
    """Undo the read-only mode that an earlier run may have set from the image."""
    mode = stat.S_IMODE(os.fstat(fd).st_mode)
    if mode & OWNERS_RIGHTS != OWNERS_RIGHTS:
        with contextlib.suppress(PermissionError):  # another user's: writing may still work
            os.fchmod(fd, mode | OWNERS_RIGHTS)


def _make(path: str) -> bool:
    try:
        os.mkdir(path)
    except FileExistsError:
        return False
    except FileNotFoundError:
        above = os.path.dirname(os.path.abspath(path))
        raise PlaceError(
            f"{path}: cannot be made because the folder {above} is missing; make that first"
        ) from None
    except OSError as error:
        raise PlaceError(
            f"{path}: cannot be made: {error.strerror}; name a folder of your own with -C"
        ) from error
    return True
