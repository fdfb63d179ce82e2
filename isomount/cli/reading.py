"""What the verbs that read an image without mounting it have in common."""

import argparse
import dataclasses
import logging
import sys
from datetime import UTC, datetime, timedelta

from isomount.cli.arguments import Parser
from isomount.cli.option_parser import ParsedOptions, parse_options
from isomount.cli.words import say
from isomount.daemon.request import FuseOptions
from isomount.errors import UsageError
from isomount.formats.options import ViewOptions
from isomount.image import Image, open_image

ANY_NUMBER = sys.maxsize

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB", "EB")


class _Warnings(logging.Handler):
    """The library's warnings, as this command says things: once the image is known to open.

    Where it does not, its one error says enough.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: list[str] | None = []

    def emit(self, record: logging.LogRecord) -> None:
        """One line on standard error, now or later."""
        if self._held is None:
            say(record.getMessage())
        else:
            self._held.append(record.getMessage())

    def speak(self) -> None:
        """Say what was held back, and from now on everything at once."""
        held, self._held = self._held or [], None
        for message in held:
            say(message)


def reading_parser(verb: str, description: str, examples: str, usage: str) -> Parser:
    """A parser with the options that decide what is shown of an image."""
    parser = Parser(f"isomount {verb}", description, examples, usage)
    parser.add_argument(
        "-o",
        dest="options",
        metavar="OPTIONS",
        action="append",
        default=[],
        help="what is shown, as for a mount: view=, norock, nojoliet, session= ...",
    )
    return parser


def view_options(flags: argparse.Namespace) -> ViewOptions:
    """The options of ``-o``. Raises UsageError for those that only a mount has."""
    parsed = parse_options(flags.options)
    rest = dataclasses.replace(parsed, view=ViewOptions(), asks_to_write=False)
    if rest != ParsedOptions(ViewOptions(), FuseOptions()):
        raise UsageError(
            "an option is about a mount, and nothing is mounted here; "
            "leave out all but what is shown (view=, norock, uid= ...)"
        )
    return parsed.view


def image_name(names: list[str], verb: str) -> str:
    """The first name. Raises UsageError when there is none."""
    if not names or not names[0]:
        raise UsageError(f"name the image; see isomount {verb} --help")
    return names[0]


def open_to_read(name: str, options: ViewOptions, *, warn: bool = True) -> Image:
    """Open the image; what is found damaged in it is said on standard error if ``warn``.

    Raises ImageUnreadableError, NotAnImageError or DamagedImageError.
    """
    warnings = _Warnings()
    log = logging.getLogger("isomount")
    log.addHandler(warnings if warn else logging.NullHandler())
    log.propagate = False
    image = open_image(name, options)
    warnings.speak()
    return image


def readable_size(size: int) -> str:
    """A size in the unit that fits: "512 bytes", "1.5 MB" (of 1000 each, as disc makers count)."""
    number = float(size)
    for unit in _UNITS:
        if number < 999.5 or unit == _UNITS[-1]:
            break
        number /= 1000
    return f"{size} bytes" if unit == "bytes" else f"{number:.3g} {unit}"


def moment(nanoseconds: int) -> datetime | None:
    """A time in UTC; None beyond the years that have a date (1 to 9999)."""
    try:
        return _EPOCH + timedelta(seconds=nanoseconds // 10**9)
    except OverflowError:
        return None
