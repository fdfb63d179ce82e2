"""isomount umount of what is shown on the desktop."""

import subprocess

import pytest

from tests.command import PATIENCE, wait_until
from tests.desktop.conftest import MakeDisc
from tests.desktop.mount import logged_mount
from tests.desktop.session import MEDIA, Session
from tests.desktop.windows import window_titled

_LABEL = "HOLIDAY_2026"
_FILES: dict[str, bytes | str] = {"Pictures/beach.txt": b"sand\n", "README.txt": b"hello\n"}
# Keeps a file open until it is told that the mount is about to go, as a file manager may.
_LETS_GO = """
mkfifo /tmp/news && gio mount --monitor >/tmp/news &
sleep 1
exec 3<"$1" && echo open
while read -r line; do
    case $line in *pre-unmount*) sleep "$2" && exit 0 ;; esac
done </tmp/news
"""


@pytest.mark.parametrize("manager", ["org.gnome.Nautilus", "thunar", "pcmanfm"])
def test_while_a_file_manager_shows_it(desktop: Session, make_disc: MakeDisc, manager: str) -> None:
    disc = make_disc(_FILES, _LABEL)
    with logged_mount(desktop, disc, MEDIA / _LABEL) as mount:
        desktop.use_file_manager(manager)
        desktop.says("isomount", "open", disc)
        with window_titled(desktop, f"{_LABEL} - Thunar" if manager == "thunar" else _LABEL):
            wait_until("the folder was asked for", lambda: mount.asked()["readdirplus"] > 0)
            desktop.says("isomount", "umount", _LABEL)
            assert not mount.is_there


@pytest.mark.parametrize("seconds", ["0", "1"])
def test_while_a_program_of_the_desktop_has_a_file_open(
    desktop: Session, make_disc: MakeDisc, seconds: str
) -> None:
    """It is told before, and lets go: fusermount3 alone would find the mount busy.

    A program may take longer for that than the desktop waits.
    """
    with logged_mount(desktop, make_disc(_FILES, _LABEL), MEDIA / _LABEL) as mount:
        file = mount.place / "README.txt"
        holder = subprocess.Popen(
            desktop.command("sh", "-c", _LETS_GO, "sh", file, seconds), stdout=subprocess.PIPE
        )
        with holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"open\n"
            assert desktop.run("fusermount3", "-u", mount.place).returncode != 0
            desktop.says("isomount", "umount", mount.place)
            assert holder.wait(PATIENCE) == 0
        assert not mount.is_there
