"""Opening the desktop's file manager with xdg-open."""

import contextlib
import os
import re
import socket
import subprocess

from isomount.desktop.session_bus import has_session_bus
from isomount.errors import NoFileManagerError
from isomount.programs import find_program

# xdg-open is taken to have succeeded if it is still running after this time, in seconds.
_PATIENCE = 5.0
# Timeout for the display and xdg-mime, in seconds.
_ANSWER = 5.0
# The forms of DISPLAY (X(7)): an optional host, a display and a screen.
_X_DISPLAY = re.compile(r"(?:unix)?:(\d+)(?:\.\d+)?")
_X_OVER_TCP = re.compile(r"(?:tcp/|inet6?/)?\[?([^/\]]+)\]?:(\d+)(?:\.\d+)?")
_X_PORT = 6000


class FileManager:
    """The file manager of this display."""

    def __init__(self) -> None:
        """Check that there is one. Raises NoFileManagerError with the reason."""
        _require_display()
        opener = find_program("xdg-open")
        if opener is None:
            raise NoFileManagerError(
                "no file manager can be opened without xdg-open; install the package xdg-utils"
            )
        self._opener = opener

    def show(self, directory: str) -> None:
        """Open ``directory``. Raises NoFileManagerError with the reason."""
        opening = subprocess.Popen(
            [self._opener, directory],
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = opening.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            opening.returncode = 0  # it runs the file manager itself; do not wait for it
            return
        if code:
            why, remedy = "", "install one"
            if not has_session_bus():
                # Not started here: the bus, and the file manager with it, would end with isomount.
                why = ", without a session bus"
                remedy = "start a session bus first, for instance with: dbus-run-session sh"
            raise NoFileManagerError(
                f"no file manager was opened (xdg-open ended with code {code}{why}); {remedy}"
            )


def _require_display() -> None:
    """Check the display, as xdg-open does not report a missing one in every case."""
    wayland, x = os.environ.get("WAYLAND_DISPLAY", ""), os.environ.get("DISPLAY", "")
    if not (wayland or x):
        raise NoFileManagerError(
            "there is no display here to open a file manager on; run this on a desktop"
        )
    if not (wayland and _wayland_answers(wayland)) and not (x and _x_answers(x)):
        raise NoFileManagerError(
            f"the display {wayland or x} does not answer; run this on a desktop that is there"
        )


def _wayland_answers(display: str) -> bool:
    # join() ignores the directory if WAYLAND_DISPLAY is an absolute path.
    return _answers(os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), display))


def _x_answers(display: str) -> bool:
    if local := _X_DISPLAY.fullmatch(display):
        path = f"/tmp/.X11-unix/X{local[1]}"
        return _answers(path) or _answers(f"\0{path}")
    if remote := _X_OVER_TCP.fullmatch(display):
        with contextlib.suppress(OSError, OverflowError, UnicodeError):
            socket.create_connection((remote[1], _X_PORT + int(remote[2])), _ANSWER).close()
            return True
        return False
    return True  # an unknown form: let xdg-open try


def _answers(address: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_ANSWER)
        with contextlib.suppress(OSError):
            client.connect(address)
            return True
    return False


def _environment() -> dict[str, str]:
    """The environment for xdg-open.

    Without a program for directories xdg-open tries web browsers, some of which open no window. A
    BROWSER that always fails prevents that.
    """
    environment = dict(os.environ)
    asker = find_program("xdg-mime")
    if asker is not None and not _opens_directories(asker):
        environment["BROWSER"] = "false"
    return environment


def _opens_directories(asker: str) -> bool:
    try:
        asked = subprocess.run(
            [asker, "query", "default", "inode/directory"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_ANSWER,
            check=False,
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        return True  # unknown: let xdg-open try everything
    return bool(asked.stdout.strip())
