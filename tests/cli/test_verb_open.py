"""isomount open: where it mounts, what it calls the folder, and the file manager."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.desktop.media import safe_directory_name
from tests.cli.words import assert_failed
from tests.command import (
    COMMAND,
    PATIENCE,
    as_ordinary_user,
    environment,
    mount_points,
    run,
    take_down,
    wait_until,
)
from tests.conftest import MakeImage
from tests.remote.server import serving


class Desktop:
    """A home, a display that answers, and an xdg-open that writes down what it is to open."""

    def __init__(self, folder: Path, display: socket.socket) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.opened = folder / "opened"
        programs = folder / "bin"
        programs.mkdir()
        self.xdg_open = programs / "xdg-open"
        self.set_xdg_open(f'echo "$@" >> {self.opened}')
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "DISPLAY": "",
            "WAYLAND_DISPLAY": display.getsockname(),
            "XDG_RUNTIME_DIR": str(folder / "runtime"),
        }

    def set_xdg_open(self, line: str) -> None:
        self.xdg_open.write_text(f"#!/bin/sh\n{line}\n")
        self.xdg_open.chmod(0o755)

    def open(self, *words: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
        """As an ordinary user, or root outside /run/media: in a mount namespace without it."""
        return run("open", *words, env={**self.env, **env}, user=True)


@pytest.fixture
def desktop(user_folder: Path) -> Iterator[Desktop]:
    with socket.socket(socket.AF_UNIX) as display:
        display.bind(str(user_folder / "display"))
        display.listen()
        desktop = Desktop(user_folder, display)
        for path in (user_folder, *user_folder.rglob("*")):
            os.chown(path, 65534, 65534)
        yield desktop
    places = [Path(place) for place in mount_points() if place.startswith(f"{user_folder}/")]
    for place in places:
        take_down(place)
    wait_until("the folders are gone", lambda: not any(place.exists() for place in places))


@pytest.fixture
def image(make_image: MakeImage, user_folder: Path) -> Path:
    made = make_image({"readme.txt": b"hello\n"}, "-R", "-V", "My disc")
    return made.rename(user_folder / "some.iso")


def test_an_image_far_away(desktop: Desktop, image: Path) -> None:
    pytest.importorskip("obstore")
    place = desktop.home / "Discs/My disc"
    with serving() as server:
        address = server.add("/some.iso", image.read_bytes())
        for _ in range(2):
            done = desktop.open(f"{address}?key=secret")
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout == f"{address} is mounted on {place}\n"
        assert desktop.opened.read_text() == f"{place}\n" * 2
        take_down(place)


def test_it_mounts_and_opens(desktop: Desktop, image: Path) -> None:
    place = desktop.home / "Discs/My disc"
    done = desktop.open(image)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{image} is mounted on {place}\n"
    assert str(place) in mount_points()
    assert desktop.opened.read_text() == f"{place}\n"
    again = desktop.open(image)
    assert again.stdout == done.stdout
    assert desktop.opened.read_text() == f"{place}\n{place}\n"
    assert mount_points().count(str(place)) == 1
    assert run("umount", image, user=True, env=desktop.env).returncode == 0
    assert list((desktop.home / "Discs").iterdir()) == []


def test_equal_labels_get_numbers(desktop: Desktop, image: Path) -> None:
    other = image.with_name("other.iso")
    other.write_bytes(image.read_bytes())
    (desktop.home / "Discs").mkdir()
    (desktop.home / "Discs/My disc 2").write_text("in the way")
    os.chown(desktop.home / "Discs", 65534, 65534)
    assert desktop.open(image).stdout.endswith("Discs/My disc\n")
    assert desktop.open(other).stdout.endswith("Discs/My disc 3\n")


def test_two_clicks_at_once(desktop: Desktop, image: Path) -> None:
    clicks = [
        subprocess.Popen(
            [*as_ordinary_user(), *COMMAND, "open", str(image)],
            env=environment(desktop.env),
            stdout=subprocess.PIPE,
            cwd="/",
        )
        for _ in range(2)
    ]
    said = [click.communicate(timeout=PATIENCE)[0] for click in clicks]
    assert said[0] == said[1]
    mounts = [place for place in mount_points() if place.startswith(str(desktop.home))]
    assert mounts == [f"{desktop.home}/Discs/My disc"]


def test_a_mount_elsewhere_is_used(desktop: Desktop, image: Path, user_folder: Path) -> None:
    place = user_folder / "place"
    assert run(image, place, user=True, env=desktop.env).returncode == 0
    assert desktop.open(image).stdout == f"{image} is mounted on {place}\n"
    assert desktop.opened.read_text() == f"{place}\n"


def test_an_image_that_was_replaced(desktop: Desktop, image: Path, make_image: MakeImage) -> None:
    """The new one is shown, beside the old one, whatever their labels."""
    runtime = Path(desktop.env["XDG_RUNTIME_DIR"])  # for the register, which knows the daemons
    runtime.mkdir(0o700)
    os.chown(runtime, 65534, 65534)
    places = [desktop.home / f"Discs/{name}" for name in ("My disc", "TWO", "My disc 2")]
    assert desktop.open(image).stdout == f"{image} is mounted on {places[0]}\n"
    first = image.read_bytes()
    for place in places[1:]:
        new = make_image({"new.txt": b"new\n"}, "-R", "-V", "TWO")
        if place == places[2]:
            new.write_bytes(first)
        os.replace(new.rename(image.with_name("new.iso")), image)
        for _ in range(2):  # it is there already, the second time
            assert desktop.open(image).stdout == f"{image} is mounted on {place}\n"
    assert [each for each in mount_points() if str(desktop.home) in each] == list(map(str, places))


def test_an_image_that_was_deleted_is_still_shown(desktop: Desktop, image: Path) -> None:
    """What was mounted can be read on."""
    said = desktop.open(image).stdout
    image.unlink()
    assert desktop.open(image).stdout == said


def test_without_a_display(desktop: Desktop, image: Path) -> None:
    done = desktop.open(image, WAYLAND_DISPLAY="")
    assert_failed(done, 13, "there is no display here to open a file manager on")
    assert f"or mount without it: isomount {image} FOLDER\n" in done.stderr
    for gone in ({"WAYLAND_DISPLAY": "gone"}, {"WAYLAND_DISPLAY": "", "DISPLAY": ":7654.0"}):
        assert_failed(desktop.open(image, **gone), 13, "does not answer; run this on a desktop")
    remote = {"WAYLAND_DISPLAY": "", "DISPLAY": "localhost:7654"}
    assert_failed(desktop.open(image, **remote), 13, "the display localhost:7654 does not answer")
    nobody = {"WAYLAND_DISPLAY": "", "DISPLAY": "a..b:0"}  # no host can have that name
    assert_failed(desktop.open(image, **nobody), 13, "the display a..b:0 does not answer")
    assert list(desktop.home.iterdir()) == []
    assert not desktop.opened.exists()


def test_an_x_display_that_answers(desktop: Desktop, image: Path) -> None:
    """By the socket without a file, which X servers have as well."""
    with socket.socket(socket.AF_UNIX) as display:
        display.bind(f"\0/tmp/.X11-unix/X{os.getpid()}")
        display.listen()
        env = {"WAYLAND_DISPLAY": "", "DISPLAY": f":{os.getpid()}"}
        done = desktop.open(image, **env, XDG_CURRENT_DESKTOP="X-Generic")
    assert (done.returncode, done.stderr) == (0, "")
    assert desktop.opened.exists()


def test_without_xdg_open(desktop: Desktop, image: Path) -> None:
    desktop.xdg_open.unlink()
    hide = "[ ! -e /usr/bin/xdg-open ] || mount --bind /dev/null /usr/bin/xdg-open"
    private = ["unshare", "-m", "sh", "-c", f'{hide}; exec "$@"', "sh"]
    done = run("open", image, env=desktop.env, user=True, prefix=private)
    assert_failed(done, 13, "without xdg-open; install the package xdg-utils, or mount without it")
    assert list(desktop.home.iterdir()) == []


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_what_cannot_be_shown_is_not_mounted(desktop: Desktop, image: Path, code: int) -> None:
    desktop.set_xdg_open(f"exit {code}")
    done = desktop.open(image)
    assert_failed(done, 13, f"no file manager was opened (xdg-open ended with code {code}")
    assert f"or mount without it: isomount {image} FOLDER\n" in done.stderr
    assert list(desktop.home.iterdir()) == []


def test_a_media_folder_that_was_there_stays(desktop: Desktop, image: Path) -> None:
    (desktop.home / "Discs").mkdir()
    os.chown(desktop.home / "Discs", 65534, 65534)
    desktop.set_xdg_open("exit 3")
    assert desktop.open(image).returncode == 13
    assert list((desktop.home / "Discs").iterdir()) == []


def test_a_mount_that_was_there_stays(desktop: Desktop, image: Path, user_folder: Path) -> None:
    place = user_folder / "my place"
    assert run(image, place, user=True, env=desktop.env).returncode == 0
    desktop.set_xdg_open("exit 4")
    done = desktop.open(image)
    assert_failed(done, 13, f"or go where the image is mounted: cd '{place}'")
    assert_failed(desktop.open(image, WAYLAND_DISPLAY=""), 13, f"cd '{place}'")
    assert str(place) in mount_points()


def test_a_mount_in_use_stays(desktop: Desktop, image: Path, user_folder: Path) -> None:
    """Somebody does show it then, whatever xdg-open says."""
    desktop.set_xdg_open(f'cd "$1"; sleep 60 & echo $! > {user_folder}/pid; exit 4')
    done = desktop.open(image)
    try:
        place = desktop.home / "Discs/My disc"
        assert_failed(done, 13, f"or go where the image is mounted: cd '{place}'")
        assert str(place) in mount_points()
    finally:
        os.kill(int((user_folder / "pid").read_text()), 9)


# The real xdg-open, in a home of its own.


@pytest.fixture
def real(desktop: Desktop, user_folder: Path) -> Desktop:
    """No file manager is known, and a browser without a window would be there."""
    desktop.xdg_open.unlink()
    browser = desktop.xdg_open.with_name("w3m")
    browser.write_text(f"#!/bin/sh\ntouch {desktop.opened}\n")
    browser.chmod(0o755)
    nothing = user_folder / "nothing"
    nothing.mkdir()
    desktop.env |= {"XDG_DATA_DIRS": str(nothing), "XDG_DATA_HOME": str(desktop.home / "data")}
    return desktop


def know(desktop: Desktop, program: str) -> None:
    """Let it be known that ``program`` opens folders."""
    applications = desktop.home / "data/applications"
    applications.mkdir(parents=True)
    (applications / "files.desktop").write_text(
        f"[Desktop Entry]\nType=Application\nName=Files\nExec={program}\n"
        "MimeType=inode/directory;\n"
    )
    (applications / "mimeapps.list").write_text(
        "[Default Applications]\ninode/directory=files.desktop\n"
    )


@pytest.mark.parametrize("session", ["", "GNOME"])
def test_no_file_manager(real: Desktop, image: Path, session: str) -> None:
    done = real.open(image, XDG_CURRENT_DESKTOP=session)
    assert_failed(done, 13, f"(xdg-open ended with code {4 if session else 3}")
    assert list(real.home.iterdir()) == []
    assert not real.opened.exists()


def test_a_file_manager_that_is_known(real: Desktop, image: Path) -> None:
    know(real, f"ln -s %f {real.opened}")
    done = real.open(image)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.readlink(real.opened) == f"{real.home}/Discs/My disc"


def test_no_session_bus(real: Desktop, image: Path) -> None:
    """A file manager that cannot do without one."""
    know(real, "gdbus call --session -d org.freedesktop.FileManager1 -o / -m a.b.ShowFolders")
    done = real.open(image, DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent")
    assert_failed(
        done,
        13,
        "(xdg-open ended with code 4, without a session bus); start a session bus first, "
        "for instance with: dbus-run-session sh, or mount without it",
    )
    assert [path.name for path in real.home.iterdir()] == ["data"]


def test_without_a_folder_to_mount_in(desktop: Desktop, image: Path) -> None:
    done = desktop.open(image, HOME="/proc", XDG_RUNTIME_DIR="")
    assert_failed(done, 10, f"name one with: isomount {image} FOLDER")


def test_what_is_no_image(desktop: Desktop, user_folder: Path) -> None:
    assert_failed(desktop.open(), 2, "name the image")
    assert_failed(desktop.open(user_folder / "none"), 11, "no such file")
    (user_folder / "text").write_bytes(b"hello\n" * 10_000)
    assert_failed(desktop.open(user_folder / "text"), 30, "is not a disc image")
    assert list(desktop.home.iterdir()) == []


@given(st.text())
def test_labels_become_safe_names(label: str) -> None:
    name = safe_directory_name(label)
    assert "/" not in name
    assert name == name.strip()
    assert not name.startswith((".", "-", "~"))
    assert name.isprintable()
    assert len(name.encode()) <= 200


def test_good_labels_stay() -> None:
    assert safe_directory_name("Debian 12.1.0 amd64") == "Debian 12.1.0 amd64"
    assert safe_directory_name("../../etc/passwd") == "etc passwd"
    assert safe_directory_name("ünï\n\x1b[31m") == "ünï [31m"


def test_a_cut_off_image_is_told(desktop: Desktop, image: Path, user_folder: Path) -> None:
    """In a notification: whoever clicks sees no terminal."""
    with image.open("r+b") as file:
        file.truncate(image.stat().st_size - 100_000)
    told, notify = user_folder / "told", desktop.xdg_open.with_name("notify-send")
    notify.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{told}\n')
    notify.chmod(0o755)
    done = desktop.open(image)
    assert done.returncode == 0
    assert done.stderr.startswith(f"isomount: {image}: is cut off: the last 100 KB of ")
    assert told.read_text().splitlines()[-2:] == ["About the disc image", done.stderr[10:-1]]
