"""argparse, with errors as this project tells them."""

import argparse
from typing import NoReturn

from isomount.errors import UsageError


class Parser(argparse.ArgumentParser):
    """A parser whose errors are UsageError: one line, no usage before it."""

    def __init__(self, prog: str, description: str, epilog: str, usage: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            usage=usage,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        self.add_argument("-h", "--help", action="help", help="show this and exit")

    def error(self, message: str) -> NoReturn:
        """Raise it instead of printing the usage and exiting."""
        raise UsageError(f"{message}; see {self.prog} --help")
