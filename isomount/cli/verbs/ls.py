"""``isomount ls IMAGE [PATH...]``: list what is in an image."""

import argparse
import os
from collections.abc import Sequence

from isomount.cli.options.arguments import Parser
from isomount.cli.reading import (
    ANY_NUMBER,
    image_name,
    open_to_read,
    reading_parser,
    view_options,
)
from isomount.cli.terminal.listing import Failures, Style, long_line
from isomount.cli.terminal.output import finish, put
from isomount.errors import IsomountError
from isomount.tree import Node, Volume, Walk, by_name, resolve

_USAGE = "isomount ls [-l] [-R] [-d] IMAGE [PATH...] [-o OPTION[,OPTION...]]..."
_DESCRIPTION = "List what is in an image, without mounting it: its root, or each PATH in it."
_EXAMPLES = """examples:
  isomount ls debian.iso               the names in the root
  isomount ls -l debian.iso boot       with modes, owners, sizes and times
  isomount ls -lR debian.iso           everything
  isomount ls windows.iso -o view=iso9660,nojoliet
"""


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=ANY_NUMBER)
    options = view_options(flags)
    name = image_name(names, "ls")
    with open_to_read(name, options) as image:
        lister = _Lister(image.volume, flags, Failures(name))
        code = lister.list([os.fsencode(path) for path in names[1:]] or [b""])
    finish()
    return code


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    parser = reading_parser("ls", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument("-l", "--long", action="store_true", help="modes, owners, sizes, times")
    parser.add_argument("-R", "--recursive", action="store_true", help="folders in folders too")
    parser.add_argument(
        "-d", "--directory", action="store_true", help="folders themselves, not what they hold"
    )
    parser.add_argument("--human", action="store_true", help="sizes such as 1.5M (with -l)")
    return parser


class _Lister:
    def __init__(self, volume: Volume, flags: argparse.Namespace, failures: Failures) -> None:
        self._volume = volume
        self._flags = flags
        self._failures = failures
        self._style = Style()
        self._titled = False

    def list(self, paths: Sequence[bytes]) -> int:
        """Print files first, then each directory, as ls does. Returns the exit code."""
        directories: list[tuple[bytes, Node]] = []
        for path in paths:
            try:
                # As in ls, a link itself is only shown with -l or -d.
                follow = path.endswith(b"/") or not (self._flags.long or self._flags.directory)
                node = resolve(self._volume, path, follow=follow)
            except (IsomountError, OSError) as error:
                self._failures.add(path, error)
                continue
            if node.is_directory and not self._flags.directory:
                directories.append((path.rstrip(b"/") if path.strip(b"/") else b"", node))
            else:
                self._line(path or b".", node)
                self._titled = True
        titles = self._titled or self._flags.recursive or len(paths) > 1
        for path, node in directories:
            self._directory(path, node, titles)
        return self._failures.exit_code

    def _directory(self, path: bytes, top: Node, titles: bool) -> None:
        """Print a directory, and with -R its subdirectories."""
        levels = ANY_NUMBER if self._flags.recursive else 1
        fail = self._failures.add
        walk = Walk(self._volume, top, path, order=by_name, levels=levels, on_error=fail)
        for visit, entries, _ in walk.directories():
            if titles:
                put(("\n" if self._titled else "") + f"{os.fsdecode(visit.path or b'.')}:")
                self._titled = True
            for _, name, node in entries:
                self._line(name, node)
                if node.fault:
                    fail(visit.prefix + name, IsomountError(node.fault))

    def _line(self, name: bytes, node: Node) -> None:
        shown = self._style.name(name, node)
        if self._flags.long:
            shown = long_line(shown, node, self._style.target(node), human=self._flags.human)
        put(shown)
