"""The flag ``-o`` and the help for its options, which ``-o help`` prints."""

import argparse
import textwrap
from collections.abc import Collection, Sequence
from typing import Any

from isomount.cli.options.table import TABLE, Target
from isomount.cli.terminal.output import finish, put

_HELP = "help"


def options_help(targets: Collection[Target] = tuple(Target)) -> str:
    """The help for the options of ``targets``, grouped and wrapped."""
    parts = []
    for target in targets:
        parts.append(f"{target.value} (-o):")
        options = [option for option in TABLE.values() if option.target is target]
        if target is Target.TABLE:
            names = ", ".join([*(option.usage for option in options), "x-..."])
            parts.append(textwrap.fill(names, 98, initial_indent="  ", subsequent_indent="  "))
        else:
            parts += [f"  {option.usage:<24} {option.help}" for option in options]
        parts.append("")
    return "\n".join(parts)


def add_options(
    parser: argparse.ArgumentParser, help_: str, targets: Collection[Target] = tuple(Target)
) -> None:
    """Add ``-o``, which may be given more than once, to ``parser``; its help is ``help_``."""
    parser.add_argument(
        "-o",
        dest="options",
        metavar="OPTIONS",
        action=_Options,
        const=targets,
        default=[],
        help=f"{help_}; -o help lists them",
    )


class _Options(argparse.Action):
    """Collects the values. ``const`` are the groups that "help" prints."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Take one value; print the options and exit where it is "help"."""
        if values == _HELP:
            put(options_help(self.const).rstrip("\n"))
            finish()
            parser.exit()
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), values])
