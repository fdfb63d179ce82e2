"""The command line.

A verb is a module with ``run(words) -> exit code`` and ``parser() -> Parser``, from which the
manual and the shell completions are generated. It is only imported when it is used.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from isomount.cli.terminal.output import finish
from isomount.cli.terminal.words import say
from isomount.errors import IsomountError

_MOUNT = "mount"
_MOUNT_HELPER = "mount8"

# If the first word is not one of these, it is the image to mount.
VERBS = (
    "umount",
    "info",
    "ls",
    "tree",
    "cat",
    "extract",
    "list",
    "open",
    "recent",
    "cache",
    "integrate",
)

# Flags that take a value, which is not the first word.
_WITH_VALUE = ("-o",)

INTERRUPTED = 130  # 128 + SIGINT, as in shells


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code; errors are one line on standard error."""
    return _run(*_choose(list(sys.argv[1:] if argv is None else argv)))


def mount_helper(argv: Sequence[str] | None = None) -> int:
    """Run ``mount.isomount``, the helper that mount(8) calls."""
    return _run(_MOUNT_HELPER, list(sys.argv[1:] if argv is None else argv))


def verb_module(verb: str) -> Any:
    """The module of ``verb``."""
    return importlib.import_module(f"isomount.cli.verbs.{verb}")


def _run(verb: str, words: list[str]) -> int:
    try:
        code = _carry_out(verb, words)
        finish()
    except IsomountError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe. Keep Python from writing the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _carry_out(verb: str, words: list[str]) -> int:
    try:
        code: int = verb_module(verb).run(words)
    except SystemExit as end:  # from argparse, after --help and --version
        code = int(end.code or 0)
    return code


def _choose(words: list[str]) -> tuple[str, list[str]]:
    """The verb, which may come after flags, and the other words."""
    index = 0
    while index < len(words) and words[index].startswith("-") and words[index] not in ("-", "--"):
        index += 2 if words[index] in _WITH_VALUE else 1
    verb = words[index] if index < len(words) else ""
    if verb in VERBS:
        return verb, words[:index] + words[index + 1 :]
    return _MOUNT, words
