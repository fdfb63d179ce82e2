"""Desktop notifications, for errors of commands started without a terminal."""

import contextlib
import html
import os
import subprocess
import sys

from isomount.programs import find_program
from isomount.text import one_line

_PATIENCE = 5.0


def is_needed() -> bool:
    """Whether standard error is not a terminal and there is a desktop."""
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    return not on_terminal and any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def notify(summary: str, text: str) -> None:
    """Show a notification. Does nothing if notify-send is missing or fails."""
    program = find_program("notify-send")
    if program is None:
        return
    body = html.escape(one_line(text), quote=False)  # desktops may interpret markup
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            [program, "--app-name=isomount", "--icon=isomount", "--", summary, body],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
            cwd="/",
        )
