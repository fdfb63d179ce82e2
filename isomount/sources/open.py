"""Opening a source by path or from a file object."""

import os
import stat

from isomount.sources.base import Source
from isomount.sources.local.device import DeviceSource
from isomount.sources.local.file import LocalSource
from isomount.sources.stream import BinaryFile, FileObjectSource


def open_source(file: str | os.PathLike[str] | BinaryFile) -> Source:
    """The source for ``file``: the path of a file or a drive, or a binary file object.

    Raises ImageUnreadableError with the reason and the remedy.
    """
    if not isinstance(file, str | os.PathLike):
        return FileObjectSource(file)
    return DeviceSource(file) if _is_device(file) else LocalSource(file)


def _is_device(path: str | os.PathLike[str]) -> bool:
    try:
        return stat.S_ISBLK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False  # what is wrong is said by who opens it
