"""Opening a source by path or from a file object."""

import errno
import os
import shlex
import stat

from isomount.errors import MissingImageError
from isomount.sources.address import FILES, OBJECTS, is_remote, scheme_of
from isomount.sources.base import Source
from isomount.sources.keeping import USUAL, Keeping
from isomount.sources.local.file import LocalSource
from isomount.sources.stream import BinaryFile, FileObjectSource


def open_source(file: str | os.PathLike[str] | BinaryFile, keeping: Keeping = USUAL) -> Source:
    """The source for ``file``: the path of a file or a drive, an address, or a binary file object.

    ``keeping`` is what is kept on the disk of what is far away.

    Raises ImageUnreadableError with the reason and the remedy.
    """
    if not isinstance(file, str | os.PathLike):
        return FileObjectSource(file)
    name = os.fspath(file)
    refuse_what_is_no_path(name)
    if is_remote(name):
        from isomount.sources.remote import open_remote  # files do without

        return open_remote(name, keeping)
    if not _is_device(file):
        return LocalSource(file)
    from isomount.sources.local.device import DeviceSource  # files do without

    return DeviceSource(file)


def _is_device(path: str | os.PathLike[str]) -> bool:
    try:
        return stat.S_ISBLK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False  # what is wrong is said by who opens it


def refuse_what_is_no_path(name: str) -> None:
    """Raise MissingImageError if ``name`` is standard input or an address that leads to none.

    The command asks before it makes the path absolute.
    """
    reason = _other_than_a_path(name)
    if reason and not os.path.lexists(name):
        raise MissingImageError(errno.ENOENT, name, reason)


def _other_than_a_path(name: str) -> str:
    if name == "-":
        return (
            "standard input cannot be an image, which is read in any order; save it to a file first"
        )
    scheme = scheme_of(name)
    if not scheme or scheme in OBJECTS | FILES:
        return ""
    if scheme != "file":
        known = ", ".join(sorted(OBJECTS | FILES))
        return (
            f"is an address of a kind that is not read (only {known}); download it first, "
            f"with: curl -LO {shlex.quote(name)}"
        )
    from urllib.parse import unquote, urlsplit  # takes its time, and is hardly ever needed

    return f"is an address; name the file by its path: {unquote(urlsplit(name).path)}"
