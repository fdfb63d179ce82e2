"""Opening a source by path or from a file object."""

import os

from isomount.sources.base import Source
from isomount.sources.local.file import LocalSource
from isomount.sources.stream import BinaryFile, FileObjectSource


def open_source(file: str | os.PathLike[str] | BinaryFile) -> Source:
    """The source for ``file``: the path of a file or a drive, or a binary file object.

    Raises ImageUnreadableError with the reason and the remedy.
    """
    if isinstance(file, str | os.PathLike):
        return LocalSource(file)
    return FileObjectSource(file)
