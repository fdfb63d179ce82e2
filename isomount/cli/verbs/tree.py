"""``isomount tree IMAGE [PATH...]``: draw what is in an image."""

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from isomount.cli.options.arguments import Parser
from isomount.cli.reading import (
    ANY_NUMBER,
    image_name,
    open_to_read,
    reading_parser,
    view_options,
)
from isomount.cli.terminal.listing import Failures, Style
from isomount.cli.terminal.output import finish, put
from isomount.errors import IsomountError, UsageError
from isomount.tree import Node, Volume, Walk, by_name, resolve

_USAGE = "isomount tree [-L LEVELS] IMAGE [PATH...] [-o OPTION[,OPTION...]]..."
_DESCRIPTION = "Draw what is in an image as a tree, without mounting it: all of it, or each PATH."
_EXAMPLES = """examples:
  isomount tree debian.iso             everything
  isomount tree -L 2 debian.iso boot   the folder boot, two levels deep
"""


class _Branches(NamedTuple):
    """The characters that draw the tree."""

    more: str
    last: str
    beside: str
    below: str


_DRAWN = _Branches("├── ", "└── ", "│   ", "    ")
_TYPED = _Branches("|-- ", "`-- ", "|   ", "    ")


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
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
    """The parser, also for the manual and the shell completions."""
    parser = reading_parser("tree", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument("-L", "--levels", type=int, metavar="LEVELS", help="go no deeper than this")
    return parser


class _Drawing:
    def __init__(self, volume: Volume, levels: int | None, failures: Failures) -> None:
        self._volume = volume
        self._levels = sys.maxsize if levels is None else levels
        self._failures = failures
        self._style = Style()
        self._branches = _DRAWN if _can_encode("".join(_DRAWN)) else _TYPED
        self._directories = self._files = 0

    def draw(self, path: bytes) -> None:
        """Draw the tree below ``path``."""
        try:
            node = resolve(self._volume, path)
        except (IsomountError, OSError) as error:
            self._failures.add(path, error)
            return
        put(self._style.name(path or b".", node))
        if not node.is_directory:
            self._files += 1
            return
        self._draw_below(node, path.rstrip(b"/"))

    def _draw_below(self, top: Node, path: bytes) -> None:
        fail, branches = self._failures.add, self._branches
        walk = Walk(self._volume, top, path, order=by_name, levels=self._levels, on_error=fail)
        # The margin of the entries of each directory on the way, by depth.
        margins = [""]
        for visit, name, node, is_last in walk.entries():
            del margins[visit.depth :]
            margin = margins[-1]
            self._line(margin + (branches.last if is_last else branches.more), name, node)
            margins.append(margin + (branches.below if is_last else branches.beside))
            if node.fault:
                fail(visit.prefix + name, IsomountError(node.fault))

    def finish(self) -> int:
        """Print the totals. Returns the exit code."""
        folders = f"{self._directories} folder{'' if self._directories == 1 else 's'}"
        files = f"{self._files} file{'' if self._files == 1 else 's'}"
        put(f"\n{folders}, {files}")
        finish()
        return self._failures.exit_code

    def _line(self, margin: str, name: bytes, node: Node) -> None:
        put(margin + self._style.name(name, node) + self._style.target(node))
        if not node.fault:
            self._directories += node.is_directory
            self._files += not node.is_directory


def _can_encode(text: str) -> bool:
    """Whether ``text`` can be printed in the encoding that is used for names."""
    try:
        text.encode(sys.getfilesystemencoding())
    except UnicodeEncodeError:
        return False
    return True
