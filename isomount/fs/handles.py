"""Open files and directories by file handle."""

import itertools
from typing import Generic, NamedTuple, TypeVar

from isomount.blocks import Content

_Kind = TypeVar("_Kind")


class OpenFile(NamedTuple):
    """An open regular file: its inode number, its bytes, and the process that opened it."""

    ino: int
    content: Content
    pid: int


class OpenDirectory(NamedTuple):
    """An open directory: its inode number and the process that opened it."""

    ino: int
    pid: int


class Handles(Generic[_Kind]):
    """File handles. Thread-safe: each method performs a single dictionary operation."""

    def __init__(self) -> None:
        self._open: dict[int, _Kind] = {}
        self._numbers = itertools.count(1)

    def open(self, opened: _Kind) -> int:
        """A new handle for ``opened``, valid until it is released."""
        handle = next(self._numbers)
        self._open[handle] = opened
        return handle

    def __getitem__(self, handle: int) -> _Kind:
        return self._open[handle]

    def __len__(self) -> int:
        return len(self._open)

    def release(self, handle: int) -> None:
        """Release a handle: the last descriptor of its open is closed."""
        self._open.pop(handle, None)
