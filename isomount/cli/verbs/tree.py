"""``isomount tree IMAGE [PATH...]``: draw what is in an image."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from isomount.cli.options.arguments import Parser
from isomount.cli.reading import (
    ANY_NUMBER,
    image_name,
    open_to_read,
    reading_parser,
    view_options,
)
from isomount.cli.terminal.listing import Failures, Style, children
from isomount.cli.terminal.output import finish, put
from isomount.errors import DamagedDataError, IsomountError, UsageError
from isomount.tree import Node, Volume, resolve

_USAGE = "isomount tree [-L LEVELS] IMAGE [PATH...] [-o OPTION[,OPTION...]]..."
_DESCRIPTION = "Draw what is in an image as a tree, without mounting it: all of it, or each PATH."
_EXAMPLES = """examples:
  isomount tree debian.iso             everything
  isomount tree -L 2 debian.iso boot   the folder boot, two levels deep
"""


class _Branches(NamedTuple):
    """What the lines of a tree begin with."""

    more: str
    last: str
    beside: str
    below: str


_DRAWN = _Branches("├── ", "└── ", "│   ", "    ")
_TYPED = _Branches("|-- ", "`-- ", "|   ", "    ")


def run(words: Sequence[str]) -> int:
    """Draw. Returns the exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=ANY_NUMBER)
    options = view_options(flags)
    if flags.levels is not None and flags.levels < 1:
        raise UsageError(f"-L {flags.levels}: name at least one level; see isomount tree --help")
    name = image_name(names, "tree")
    with open_to_read(name, options) as image:
        drawing = _Drawing(image.volume, flags.levels, Failures(name))
        for path in names[1:] or [""]:
            drawing.draw(os.fsencode(path))
    return drawing.finish()


def parser() -> Parser:
    """What this verb understands, for the command, the manual and the shells."""
    parser = reading_parser("tree", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument("-L", "--levels", type=int, metavar="LEVELS", help="go no deeper than this")
    return parser


class _Level(NamedTuple):
    """A folder that is being drawn: what stands before its lines, and what is left of it."""

    prefix: str
    ino: int
    path: bytes
    entries: Iterator[tuple[bytes, Node, bool]]


class _Drawing:
    def __init__(self, volume: Volume, levels: int | None, failures: Failures) -> None:
        self._volume = volume
        self._levels = sys.maxsize if levels is None else levels
        self._failures = failures
        self._style = Style()
        self._branches = _DRAWN if _can_encode("".join(_DRAWN)) else _TYPED
        self._folders = self._files = 0
        # Folders stand in blocks of their own: more of them than blocks means trickery.
        self._visits_left = volume.blocks.size // 512 + 1

    def draw(self, path: bytes) -> None:
        """The tree below ``path``."""
        try:
            node = resolve(self._volume, path)
        except (IsomountError, OSError) as error:
            self._failures.add(path, error)
            return
        put(self._style.name(path or b".", node))
        if not node.is_directory:
            self._files += 1
            return
        stack = [self._level("", node.ino, path.rstrip(b"/"))]
        while stack:
            level = stack[-1]
            entry = self._next(level)
            if entry is None:
                stack.pop()
                continue
            name, child, last = entry
            below = self._entry(level, name, child, last)
            if below is None or len(stack) >= self._levels:
                continue
            if not self._visits_left or any(below == above.ino for above in stack):
                endless = DamagedDataError("the folder nests without end")
                self._failures.add(level.path + b"/" + name, endless)
                continue
            self._visits_left -= 1
            prefix = level.prefix + (self._branches.below if last else self._branches.beside)
            stack.append(self._level(prefix, below, level.path + b"/" + name))

    def finish(self) -> int:
        """Print how much there was. Returns the exit code."""
        folders = f"{self._folders} folder{'' if self._folders == 1 else 's'}"
        files = f"{self._files} file{'' if self._files == 1 else 's'}"
        put(f"\n{folders}, {files}")
        finish()
        return self._failures.exit_code

    def _level(self, prefix: str, ino: int, path: bytes) -> _Level:
        return _Level(prefix, ino, path, self._with_last(ino))

    def _with_last(self, ino: int) -> Iterator[tuple[bytes, Node, bool]]:
        """The entries of a folder, each with whether it is the last."""
        waiting: tuple[bytes, Node] | None = None
        for entry in children(self._volume, ino):
            if waiting is not None:
                yield *waiting, False
            waiting = entry
        if waiting is not None:
            yield *waiting, True

    def _next(self, level: _Level) -> tuple[bytes, Node, bool] | None:
        try:
            return next(level.entries, None)
        except (IsomountError, OSError) as error:
            self._failures.add(level.path or b".", error)
            return None

    def _entry(self, level: _Level, name: bytes, node: Node, last: bool) -> int | None:
        """Print one line. Returns the folder's number if it is one."""
        branch = self._branches.last if last else self._branches.more
        put(level.prefix + branch + self._style.name(name, node) + self._style.target(node))
        if node.fault:
            self._failures.add(level.path + b"/" + name, IsomountError(node.fault))
            return None
        if node.is_directory:
            self._folders += 1
            return node.ino
        self._files += 1
        return None


def _can_encode(text: str) -> bool:
    """Whether names, which are printed in the file system's encoding, can have lines beside."""
    try:
        text.encode(sys.getfilesystemencoding())
    except UnicodeEncodeError:
        return False
    return True
