"""What the command says to people: one line on standard error."""

import contextlib
import sys

from isomount.text import one_line


def say(message: str) -> None:
    """Print a line on standard error, where that can be written: there is no other place."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(f"isomount: {one_line(message)}", file=sys.stderr)
