"""Nautilus, Thunar and PCManFM on a mounted image: opened, looked at, ejected."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.command import PATIENCE, wait_until
from tests.desktop.accessible import Screen, Widget
from tests.desktop.conftest import MakeDisc
from tests.desktop.mount import LoggedMount, logged_mount
from tests.desktop.session import HOME, MEDIA, Session
from tests.desktop.windows import Window, window_titled

_LABEL = "HOLIDAY_2026"
_RAN = HOME / "something-ran"
_AUTORUN = f"#!/bin/sh\ntouch {_RAN}\n".encode()
_FILES: dict[str, bytes | str] = {
    "Pictures/beach.txt": b"sand\n",
    "README.txt": b"hello\n",
    ".autorun": _AUTORUN,
    "autorun.sh": _AUTORUN,
    "autorun.inf": b"[autorun]\nopen=autorun.sh\n",
}
_PLAIN = ("README.txt", "autorun.inf", "autorun.sh")


@pytest.fixture
def disc(make_disc: MakeDisc) -> Path:
    return make_disc(_FILES, _LABEL)


def _assert_shown(mount: LoggedMount, window: Window) -> None:
    """The manager has looked into the folder, and something is to be seen."""
    wait_until("the folder was asked for", lambda: mount.asked()["readdirplus"] > 0)
    # Icons and text: an empty window has a handful of colours.
    wait_until("icons are to be seen", lambda: len(_colours(window.picture())) > 100)


def _colours(picture: bytes) -> set[bytes]:
    decode = ("ffmpeg", "-loglevel", "error", "-f", "png_pipe", "-i", "-")
    words = (*decode, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    raw = subprocess.run(words, input=picture, capture_output=True, check=True, timeout=PATIENCE)
    return {raw.stdout[at : at + 3] for at in range(0, len(raw.stdout), 3)}


def _seen(screen: Screen, role: str, names: set[str]) -> list[Widget]:
    """All that is on the screen, once ``names`` are there in that role."""
    found: list[Widget] = []

    def look() -> bool:
        found[:] = screen.widgets()
        return {each.name for each in found if each.role == role} >= names

    wait_until(f"{names} are on the screen", look)
    return found


def _opened_for_screen_readers(desktop: Session, disc: Path) -> Screen:
    """Open ``disc`` in Nautilus; which is started again if screen readers cannot find it.

    It tells them of itself once, when it starts, and a slow machine may not have heard it.
    """
    for _ in range(3):
        desktop.says("isomount", "open", disc)
        screen = Screen(desktop)
        until = time.monotonic() + PATIENCE / 3
        while time.monotonic() < until:
            if any(each.role == "label" and each.name == "Pictures" for each in screen.widgets()):
                return screen
        desktop.run("nautilus", "-q")
    return screen


def test_nautilus(desktop: Session, disc: Path) -> None:
    with logged_mount(desktop, disc, MEDIA / _LABEL) as mount:
        desktop.use_file_manager("org.gnome.Nautilus")
        screen = _opened_for_screen_readers(desktop, disc)
        with window_titled(desktop, _LABEL) as window:
            _assert_shown(mount, window)
            seen = _seen(screen, "label", {"Pictures", *_PLAIN})
            # In the list of places: a row with an icon, the label and the eject button.
            rows = [each.parent for each in seen if (each.name, each.role) == (_LABEL, "label")]
            eject = [each for each in seen if each.role == "button" and each.parent in rows]
            assert len(eject) == 1, eject
            assert not desktop.outside(_RAN).exists()
            screen.press(eject[0])
            wait_until("it is unmounted", lambda: not mount.is_there)


def test_thunar(desktop: Session, disc: Path) -> None:
    with logged_mount(desktop, disc, MEDIA / _LABEL) as mount:
        desktop.use_file_manager("thunar")
        desktop.says("isomount", "open", disc)
        with window_titled(desktop, f"{_LABEL} - Thunar") as window:
            _assert_shown(mount, window)
            screen = Screen(desktop)
            size = sum(len(_FILES[name]) for name in _PLAIN)
            seen = _seen(screen, "statusbar", {f"1 folder  |  3 files: {size} bytes"})
            (place, *_) = [
                each for each in seen if (each.name, each.role) == (_LABEL, "table cell")
            ]
            assert not desktop.outside(_RAN).exists()
            x, y = screen.middle(place)
            desktop.says("xdotool", "mousemove", str(x), str(y), "click", "3")
            screen.press(screen.wait_for("Unmount", "menu item"))
            wait_until("it is unmounted", lambda: not mount.is_there)


def test_pcmanfm(desktop: Session, disc: Path) -> None:
    """Nothing of its window can be found but by its place: its eject button was tried by hand."""
    with logged_mount(desktop, disc, MEDIA / _LABEL) as mount:
        desktop.use_file_manager("pcmanfm")
        desktop.says("isomount", "open", disc)
        with window_titled(desktop, _LABEL) as window:
            _assert_shown(mount, window)
            assert not desktop.outside(_RAN).exists()


def test_autorun_files_would_have_run(desktop: Session, disc: Path) -> None:
    """If anybody had run them, the tests above would have seen it."""
    with logged_mount(desktop, disc, MEDIA / _LABEL) as mount:
        for name in ("autorun.sh", ".autorun", "autorun.inf"):
            assert desktop.says("gio", "info", mount.place / name).count("type: regular") == 1
        assert not desktop.outside(_RAN).exists()
        for name in ("autorun.sh", ".autorun"):
            desktop.says("sh", mount.place / name)
            desktop.outside(_RAN).unlink()
