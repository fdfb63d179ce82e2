"""Formatting names and nodes as ls does."""

import os
import stat
import sys
import time

from isomount.cli.terminal.words import say
from isomount.errors import IsomountError
from isomount.text import one_line
from isomount.tree import Node

_RESET = "\033[0m"
_DIRECTORY, _LINK, _PROGRAM, _DEVICE = "\033[1;34m", "\033[1;36m", "\033[1;32m", "\033[1;33m"
_UNITS = "KMGTPE"
_FAULT = "??????????"


class Style:
    """How names are printed: escaped and coloured on a terminal, unchanged in a pipe.

    Colour obeys NO_COLOR (no-color.org) and TERM.
    """

    def __init__(self) -> None:
        self.terminal = sys.stdout is not None and sys.stdout.isatty()
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        self.coloured = self.terminal and not plain

    def name(self, name: bytes, node: Node) -> str:
        """A name as it is to be printed."""
        text = os.fsdecode(name)
        if self.terminal:
            text = one_line(text)
        colour = _colour(node) if self.coloured else ""
        return f"{colour}{text}{_RESET}" if colour else text

    def target(self, node: Node) -> str:
        """The target of a symbolic link as it is to be printed; "" for anything else."""
        if node.target is None:
            return ""
        text = os.fsdecode(node.target)
        return " -> " + (one_line(text) if self.terminal else text)


def long_line(name: str, node: Node, target: str, *, human: bool) -> str:
    """A line as ``ls -l`` prints it. Owners are numbers, as the disc's users are not local ones."""
    if node.fault:
        return f"{_FAULT}   ?     ?     ?          ?                ? {name}"
    if stat.S_ISCHR(node.mode) or stat.S_ISBLK(node.mode):
        size = f"{os.major(node.rdev)}, {os.minor(node.rdev)}"
    else:
        size = _short(node.size) if human else str(node.size)
    return (
        f"{stat.filemode(node.mode)} {node.nlink:3} {node.uid:5} {node.gid:5} {size:>10} "
        f"{_date(node.mtime_ns)} {name}{target}"
    )


class Failures:
    """Reports what cannot be shown, and keeps the exit code."""

    def __init__(self, image: str) -> None:
        self._image = image
        self.exit_code = 0

    def add(self, path: bytes, error: IsomountError | OSError) -> None:
        """Report why ``path`` cannot be shown."""
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        if isinstance(error, FileNotFoundError):
            reason = (
                f"no such file in the image; list what is there with: isomount ls {self._image}"
            )
        say(f"{self._image}: {os.fsdecode(path)}: {reason}")
        self.exit_code = 1


def _colour(node: Node) -> str:
    if node.is_directory:
        return _DIRECTORY
    if stat.S_ISLNK(node.mode):
        return _LINK
    if not stat.S_ISREG(node.mode):
        return _DEVICE
    return _PROGRAM if node.mode & 0o111 else ""


def _date(nanoseconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(nanoseconds // 10**9))
    except (OverflowError, ValueError, OSError):
        return f"@{nanoseconds // 10**9:<15}"  # a year that the C library does not support


def _short(size: int) -> str:
    """As ``ls -h``: powers of 1024."""
    if size < 1024:
        return str(size)
    number, power = size / 1024, 0
    while number >= 999.5 and power < len(_UNITS) - 1:
        number, power = number / 1024, power + 1
    return f"{number:.{0 if number >= 9.95 else 1}f}{_UNITS[power]}"
