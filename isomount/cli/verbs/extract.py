"""``isomount extract IMAGE [PATH...]``: copy files out of an image."""

import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from isomount.cli.options.arguments import Parser
from isomount.cli.reading import (
    ANY_NUMBER,
    image_name,
    open_to_read,
    reading_parser,
    view_options,
)
from isomount.cli.terminal.output import OutputError, finish, put
from isomount.cli.terminal.progress import Bar, can_draw
from isomount.cli.terminal.words import say
from isomount.containers.names import stem
from isomount.errors import DifferenceError, IsomountError, UsageError
from isomount.extract import Extractor, Place, Totals
from isomount.image import Image, file_name
from isomount.text import one_line, readable_size

_USAGE = """isomount extract IMAGE [PATH...] [-C FOLDER] [--verify] [--exact-modes]
                        [-q] [-o OPTION[,OPTION...]]..."""
_DESCRIPTION = """Copy what is in an image, or each PATH in it, into a folder, without mounting it.

A PATH with *, ? or [...] in it stands for all that match; ** is any folders. Quote it, as the shell
would look for them here.

Modes, times, symbolic and hard links, holes and users' extended attributes (AAIP) are kept; as root
owners, set-id bits, devices and other attributes too. An ordinary user can write to the folders, to
remove them too, whatever their modes on the disc are; --exact-modes keeps those. Nothing is written
outside the folder. When it was interrupted, the same command goes on: files that are there whole
(same size and time) are not written again."""
_EXAMPLES = """examples:
  isomount extract debian.iso                       everything, into the folder debian here
  isomount extract debian.iso boot doc -C /tmp/d    two folders of it, into /tmp/d
  isomount extract debian.iso '*.txt' '**/*.md'     by their names: in the root, and anywhere
  isomount extract debian.iso -C d --verify         and read it back and compare (exit code 40)
"""


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=ANY_NUMBER)
    options = view_options(flags)
    name = image_name(names, "extract")
    with open_to_read(name, options) as image:
        paths = [path for pattern in names[1:] for path in _matching(image, name, pattern)]
        directory = _default_directory(name) if flags.folder is None else flags.folder
        if not directory:
            raise UsageError("-C needs the name of a folder; see isomount extract --help")
        with Place(directory) as place:
            report = _Report(name, lines=_prints_lines(flags.quiet))
            extractor = image.extractor(
                place, report, exact_modes=flags.exact_modes or None, verify=flags.verify
            )
            try:
                with _bar(report, extractor, paths, flags.quiet):
                    totals = extractor.extract(paths)
            except KeyboardInterrupt:
                say("interrupted; the same command goes on where it stopped")
                raise
    if report.unheard is not None:
        raise report.unheard
    if not flags.quiet:
        put(_summary(totals, directory, verified=flags.verify))
    finish()
    return _exit_code(totals)


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    parser = reading_parser("extract", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument(
        "-C",
        "--folder",
        metavar="FOLDER",
        help="where to; made if missing (the default is one named like the image, here)",
    )
    parser.add_argument("--verify", action="store_true", help="read back and compare every file")
    parser.add_argument(
        "--exact-modes", action="store_true", help="keep folders read-only that are so on the disc"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what goes wrong")
    return parser


class _Report:
    """Shows progress: a bar on a terminal, or a line for each file in a pipe.

    If the pipe breaks, the extraction continues without lines; ``unheard`` is the error to raise at
    the end.
    """

    def __init__(self, image: str, *, lines: bool) -> None:
        self.bar: Bar | None = None
        self.unheard: BrokenPipeError | OutputError | None = None
        self._image = image
        self._lines = lines

    def started(self, path: bytes, size: int) -> None:
        """Show what is being written."""
        if self.bar is not None:
            self.bar.show(path)
        if self._lines:
            try:
                put(os.fsdecode(path))
            except (BrokenPipeError, OutputError) as error:
                self.unheard, self._lines = error, False

    def moved(self, count: int) -> None:
        """Move the bar."""
        if self.bar is not None:
            self.bar.advance(count)

    def problem(self, path: bytes, error: Exception) -> None:
        """Report an error."""
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        say(f"{self._image}: {os.fsdecode(path)}: {reason}")


def _prints_lines(quiet: bool) -> bool:
    return not quiet and sys.stdout is not None and not sys.stdout.isatty()


def _bar(
    report: _Report, extractor: Extractor, paths: list[bytes], quiet: bool
) -> AbstractContextManager[object]:
    if quiet or not can_draw():
        return nullcontext()
    report.bar = Bar(extractor.measure(paths))
    return report.bar


def _matching(image: Image, name: str, pattern: str) -> list[bytes]:
    """The path of that name, or else all that match the pattern. Raises IsomountError for none."""
    path = os.fsencode(pattern)
    if not set(pattern) & set("*?["):
        _require(image, name, path)
        return [path]
    try:
        image.volume.lookup(path)
    except OSError:
        found = [os.fsencode(str(each)) for each in image.root.glob(pattern.lstrip("/"))]
    else:
        return [path]  # a name with such characters in it
    inside = [each for each in found if _is_there(image, each)]
    if not inside:
        raise IsomountError(
            f"{name}: {pattern}: nothing in the image matches; list what is there with: "
            f"isomount ls -R {shlex.quote(name)}"
        )
    return inside


def _is_there(image: Image, path: bytes) -> bool:
    """Whether no symbolic link is on the way."""
    try:
        image.volume.lookup(path)
    except OSError:
        return False
    return True


def _require(image: Image, name: str, path: bytes) -> None:
    """Raise IsomountError, before anything is written, if ``path`` does not exist."""
    try:
        image.volume.lookup(path)
    except FileNotFoundError:
        raise IsomountError(
            f"{name}: {os.fsdecode(path)}: no such file in the image; "
            f"list what is there with: isomount ls {name}"
        ) from None
    except NotADirectoryError:
        raise IsomountError(
            f"{name}: {os.fsdecode(path)}: leads through a file or a symbolic link; "
            "name where the link leads"
        ) from None


def _default_directory(image: str) -> str:
    """The name of the image without its extension, in the current directory."""
    base = file_name(image)
    name = stem(base)
    return f"{name}.extracted" if name == base else name


def _summary(totals: Totals, directory: str, *, verified: bool) -> str:
    parts = [f"{_count(totals.files, 'file')} ({readable_size(totals.bytes)})"]
    parts.append(_count(totals.directories, "folder"))
    parts += [_count(totals.links, "link")] if totals.links else []
    text = f"{', '.join(parts)} extracted into {one_line(directory)}"
    text += f"; {totals.present} there already" if totals.present else ""
    specials = _count(totals.left_out, "device or socket", "devices or sockets")
    text += f"; {specials} left out" if totals.left_out else ""
    bare = _count(totals.bare, "file or folder", "files and folders")
    text += f"; {bare} without extended attributes, not taken there" if totals.bare else ""
    text += f"; {totals.failed} failed" if totals.failed else ""
    if verified:
        differ = f"{totals.different} differ" if totals.different else "no differences"
        text += f"; compared with the image: {differ}"
    return text


def _count(number: int, one: str, more: str = "") -> str:
    return f"{number} {one if number == 1 else more or one + 's'}"


def _exit_code(totals: Totals) -> int:
    if totals.different:
        return DifferenceError.exit_code
    return 1 if totals.failed else 0
