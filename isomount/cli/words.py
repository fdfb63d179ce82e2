"""What the command says to people: one line, whatever the names in it hold."""

import contextlib
import os
import sys


def say(message: str) -> None:
    """Print a line on standard error, where that can be written: there is no other place."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(f"isomount: {one_line(message)}", file=sys.stderr)


def one_line(text: str) -> str:
    """``text`` as one printable line: no line ends, no terminal controls, no undecodable bytes."""
    decoded = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in decoded)
