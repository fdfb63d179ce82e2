"""Shared by the verbs that read an image without mounting it."""

import argparse
import dataclasses
import logging
import sys

from isomount.cli.options.arguments import Parser
from isomount.cli.options.help import add_options
from isomount.cli.options.parse import ParsedOptions, parse_options
from isomount.cli.options.table import Target
from isomount.cli.terminal.words import say
from isomount.errors import UsageError
from isomount.image import Image, ViewOptions, open_image
from isomount.mounting.options import FuseOptions
from isomount.mounting.shut_out import advising
from isomount.owners import known_here

ANY_NUMBER = sys.maxsize


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
    help_ = "what is shown, as for a mount: view=, norock, nojoliet, session= ..."
    add_options(parser, help_, (Target.VIEW,))
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
    return known_here(parsed.view)


def image_name(names: list[str], verb: str) -> str:
    """The first name. Raises UsageError when there is none."""
    if not names or not names[0]:
        raise UsageError(f"name the image; see isomount {verb} --help")
    return names[0]


def open_to_read(name: str, options: ViewOptions, *, warn: bool = True) -> Image:
    """Open the image; what is found damaged in it, and which of several sessions it is, is
    said on standard error if ``warn``.

    Raises ImageUnreadableError, NotAnImageError or DamagedImageError.
    """
    warnings = _Warnings()
    log = logging.getLogger("isomount")
    if warn:
        log.addHandler(warnings)
    log.propagate = False
    with advising(name):
        image = open_image(name, options, say if warn else None)
    warnings.speak()
    if warn and image.elsewhere:
        say(f"{name}: {image.elsewhere}")
    if warn and image.session.of > 1 and options.session is None:
        say(f"{name}: {image.session} is shown; -o session=N shows another")
    return image
