"""The windows of the session, by the X server's own means."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.command import wait_until
from tests.desktop.session import Session

_GRAB = ["ffmpeg", "-loglevel", "error", "-f", "x11grab", "-draw_mouse", "0"]


class Window:
    """A window on the screen. ``program`` is its process, by its number in the session."""

    def __init__(self, session: Session, number: int) -> None:
        self._session = session
        self._number = number
        self.program = int(session.says("xdotool", "getwindowpid", str(number)))

    def resize(self, width: int, height: int) -> None:
        """Make it that many pixels large."""
        size = (str(width), str(height))
        self._session.says("xdotool", "windowsize", "--sync", str(self._number), *size)

    def picture(self) -> bytes:
        """What it looks like now, as PNG."""
        target = Path("/tmp/picture.png")
        size = self._session.says("xdotool", "getwindowgeometry", "--shell", str(self._number))
        width, height = re.findall(r"(?:WIDTH|HEIGHT)=(\d+)", size)
        where = ("-window_id", str(self._number), "-video_size", f"{width}x{height}")
        self._session.says(*_GRAB, *where, "-i", ":0", "-frames:v", "1", "-y", target)
        return self._session.outside(target).read_bytes()


@contextmanager
def window_titled(session: Session, title: str) -> Iterator[Window]:
    """The window with exactly this title, once it is there; in the end its program is ended."""
    found: list[int] = []

    def look() -> bool:
        words = ("--onlyvisible", "--name", f"^{re.escape(title)}$")
        found.extend(map(int, session.run("xdotool", "search", *words).stdout.split()))
        return bool(found)

    wait_until(f"there is a window {title!r}", look)
    window = Window(session, found[0])
    try:
        yield window
    finally:
        session.run("kill", str(window.program))
        wait_until("its program has ended", lambda: not session.is_running(window.program))
