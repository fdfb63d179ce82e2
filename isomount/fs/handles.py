"""What is open, by the number that the kernel calls it."""

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
    """Numbers for what is open. Thread-safe: each step is one operation of a dictionary."""

    def __init__(self) -> None:
        self._open: dict[int, _Kind] = {}
        self._numbers = itertools.count(1)

    def open(self, opened: _Kind) -> int:
        """The number to call ``opened`` by until it is released."""
        handle = next(self._numbers)
        self._open[handle] = opened
        return handle

    def __getitem__(self, handle: int) -> _Kind:
        return self._open[handle]

    def __len__(self) -> int:
        return len(self._open)

    def release(self, handle: int) -> None:
        """The last descriptor of one open is closed."""
        self._open.pop(handle, None)
