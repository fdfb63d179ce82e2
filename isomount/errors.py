"""What can go wrong, each with the sentence for people and the exit code for scripts.

Every error names the thing, the reason and the remedy in its message. Errors that a running mount
can meet carry an ``errno`` as well: the file system layer hands that number to the kernel. Where
Python has a class of its own for it, the error is one of those too, with ``errno`` and
``filename``: what catches FileNotFoundError for a file of the disk catches it for one of an image.
"""

import errno as _errno
import os
from collections.abc import Iterator
from contextlib import contextmanager


class IsomountError(Exception):
    """Any failure that isomount itself reports.

    ``exit_code`` is what the command returns, ``meaning`` what the manual says of that code.
    """

    exit_code = 1
    meaning = "Another failure."
    errno: int | None = _errno.EIO  # as OSError has it


class UsageError(IsomountError, ValueError):
    """The command line or an option is wrong: what Python calls a ValueError."""

    exit_code = 2
    meaning = "The command line or an option is wrong."
    errno = _errno.EINVAL


class MountPointError(IsomountError):
    """The mount point cannot be used."""

    exit_code = 10
    meaning = (
        "The mount point cannot be used: a file, not empty, already mounted on, dead, not writable."
    )


class ImageUnreadableError(IsomountError):
    """The image cannot be opened or read."""

    exit_code = 11
    meaning = "The image cannot be opened or read: missing, not permitted, a folder, no disc."


class FuseUnavailableError(IsomountError):
    """FUSE cannot be used here."""

    exit_code = 12
    meaning = (
        "FUSE cannot be used here: no /dev/fuse, no fusermount3, no pyfuse3 or trio, not allowed."
    )


class NoFileManagerError(IsomountError):
    """There is nothing to show it with."""

    exit_code = 13
    meaning = "There is nothing to show it with: no display, or no file manager."


class NotMountedError(IsomountError):
    """Nothing of isomount is mounted there."""

    exit_code = 20
    meaning = "Nothing of isomount is mounted there."


class NotAnImageError(IsomountError):
    """The bytes are no disc image that isomount knows."""

    exit_code = 30
    meaning = "The bytes are no disc image that isomount knows."


class DamagedImageError(IsomountError):
    """The image is a known one but too damaged to show anything of it."""

    exit_code = 31
    meaning = "The image is a known one but too damaged to show anything of it."


class DifferenceError(IsomountError):
    """Verification found a difference."""

    exit_code = 40
    meaning = "Verification found a difference."


class DamagedDataError(IsomountError):
    """One file, directory or range of the image cannot be read (EIO for just that)."""


class MissingPackageError(DamagedDataError):
    """A Python package that is needed is not installed: nothing is wrong with the data."""


class StaleNodeError(IsomountError):
    """An inode number that does not lead to a node of this image (ESTALE)."""

    errno = _errno.ESTALE


class ClosedError(IsomountError, ValueError):
    """The image is closed. A ValueError as well, as for a closed file of Python's own."""

    errno = _errno.EBADF


class _PathError(OSError):
    """``filename`` is a path in the image, or the image's own; ``strerror`` says what is wrong."""

    def __init__(self, code: int, filename: str, reason: str = "") -> None:
        super().__init__(code, reason or os.strerror(code), filename)

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.errno, self.filename, self.strerror)


class MissingImageError(_PathError, FileNotFoundError, ImageUnreadableError):
    """There is no image of that name."""


class ForbiddenImageError(_PathError, PermissionError, ImageUnreadableError):
    """The image may not be read by this user."""


class DirectoryAsImageError(_PathError, IsADirectoryError, ImageUnreadableError):
    """A directory was named where an image belongs."""


class PathNotFoundError(_PathError, FileNotFoundError, IsomountError):
    """There is nothing of that name in the image."""


class PathNotDirectoryError(_PathError, NotADirectoryError, IsomountError):
    """A file of the image where a directory is needed."""


class PathIsDirectoryError(_PathError, IsADirectoryError, IsomountError):
    """A directory of the image where a file is needed."""


class PathError(_PathError, IsomountError):
    """Anything else about one path of the image: a loop of links (ELOOP), lost data (EIO)."""


@contextmanager
def about_path(path: str) -> Iterator[None]:
    """Whatever goes wrong inside is about ``path`` of the image, and an OSError that says so.

    A closed image is not about any path, and stays ClosedError.
    """
    try:
        yield
    except (ClosedError, _PathError):
        raise
    except (IsomountError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise PathError(error.errno or _errno.EIO, path, reason or "") from error
