"""argparse, with errors raised as UsageError."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from isomount.errors import UsageError


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError instead of printing the usage and exiting."""

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

    @property
    def flags(self) -> list[argparse.Action]:
        """Every flag, for the manual."""
        return list(self._actions)

    def parse(
        self, words: Sequence[str], names_at_most: int
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse flags, in any position, and names; everything after "--" is a name.

        Raises UsageError.
        """
        before, after = list(words), list[str]()
        if "--" in before:
            at = before.index("--")
            before, after = before[:at], before[at + 1 :]
        # argparse handles "--" differently in different versions of Python.
        flags, names = self.parse_known_args(before)
        names += after
        self._refuse_flags(names[: len(names) - len(after)])
        if len(names) > names_at_most:
            raise UsageError(f"too many names: {names[names_at_most]}; see {self.prog} --help")
        return flags, names

    def _refuse_flags(self, names: list[str]) -> None:
        unknown = next((name for name in names if name.startswith("-") and name != "-"), None)
        if unknown is not None:
            raise UsageError(f"unknown flag {unknown}; see {self.prog} --help")

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message}; see {self.prog} --help")
