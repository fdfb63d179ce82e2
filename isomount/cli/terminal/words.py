"""Messages on standard error."""

import contextlib
import sys

from isomount.text import one_line


def say(message: str) -> None:
    """Print one line on standard error. Errors are ignored, as they cannot be reported."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(f"isomount: {one_line(message)}", file=sys.stderr)
