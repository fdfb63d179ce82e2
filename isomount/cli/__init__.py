"""The command: argv in, exit code out.

A verb is a module with ``run(words) -> exit code``, imported only when it is called for, and
``parser() -> Parser``, which the manual and the shells' completions are made from.
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

# The first word, when it is one of these, is the verb; else it is the image to mount.
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
    "integrate",
)

# Flags of the mount command that are followed by a value, and so may stand before the first word.
_WITH_VALUE = ("-o",)

INTERRUPTED = 130  # 128 + SIGINT, as shells say it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Every failure is one line on standard error and an exit code."""
    return _run(*_choose(list(sys.argv[1:] if argv is None else argv)))


def mount_helper(argv: Sequence[str] | None = None) -> int:
    """Run ``mount.isomount``, which is what mount(8) looks for."""
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
        # Who read our output has gone; Python must not try to write the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _carry_out(verb: str, words: list[str]) -> int:
    try:
        code: int = verb_module(verb).run(words)
    except SystemExit as end:  # argparse's, after --help and --version
        code = int(end.code or 0)
    return code


def _choose(words: list[str]) -> tuple[str, list[str]]:
    """The verb, and the words for it: it may follow flags."""
    index = 0
    while index < len(words) and words[index].startswith("-") and words[index] not in ("-", "--"):
        index += 2 if words[index] in _WITH_VALUE else 1
    verb = words[index] if index < len(words) else ""
    if verb in VERBS:
        return verb, words[:index] + words[index + 1 :]
    return _MOUNT, words
