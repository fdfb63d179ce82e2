"""isomount open: where it mounts, what it calls the folder, and the file manager."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.cli.open_image import safe_folder_name
from tests.cli.words import assert_failed
from tests.command import COMMAND, PATIENCE, environment, mount_points, run, take_down
from tests.conftest import MakeImage


class Desktop:
    """A home, and an xdg-open that writes down what it was asked to open."""

    def __init__(self, folder: Path) -> None:
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
            "DISPLAY": ":99",
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
    desktop = Desktop(user_folder)
    for path in (user_folder, *user_folder.rglob("*")):
        os.chown(path, 65534, 65534)
    yield desktop
    for place in mount_points():
        if place.startswith(str(user_folder)):
            take_down(Path(place))


@pytest.fixture
def image(make_image: MakeImage, user_folder: Path) -> Path:
    made = make_image({"readme.txt": b"hello\n"}, "-R", "-V", "My disc")
    return made.rename(user_folder / "some.iso")


def test_it_mounts_and_opens(desktop: Desktop, image: Path) -> None:
    place = desktop.home / "isomount/My disc"
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
    assert list((desktop.home / "isomount").iterdir()) == []


def test_equal_labels_get_numbers(desktop: Desktop, image: Path) -> None:
    other = image.with_name("other.iso")
    other.write_bytes(image.read_bytes())
    (desktop.home / "isomount").mkdir()
    (desktop.home / "isomount/My disc 2").write_text("in the way")
    os.chown(desktop.home / "isomount", 65534, 65534)
    assert desktop.open(image).stdout.endswith("isomount/My disc\n")
    assert desktop.open(other).stdout.endswith("isomount/My disc 3\n")


def test_two_clicks_at_once(desktop: Desktop, image: Path) -> None:
    setpriv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    looking = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    clicks = [
        subprocess.Popen(
            [*setpriv, *looking, *COMMAND, "open", str(image)],
            env=environment(desktop.env),
            stdout=subprocess.PIPE,
            cwd="/",
        )
        for _ in range(2)
    ]
    said = [click.communicate(timeout=PATIENCE)[0] for click in clicks]
    assert said[0] == said[1]
    mounts = [place for place in mount_points() if place.startswith(str(desktop.home))]
    assert mounts == [f"{desktop.home}/isomount/My disc"]


def test_a_mount_elsewhere_is_used(desktop: Desktop, image: Path, user_folder: Path) -> None:
    place = user_folder / "place"
    assert run(image, place, user=True, env=desktop.env).returncode == 0
    assert desktop.open(image).stdout == f"{image} is mounted on {place}\n"
    assert desktop.opened.read_text() == f"{place}\n"


def test_without_a_display(desktop: Desktop, image: Path) -> None:
    done = desktop.open(image, DISPLAY="", WAYLAND_DISPLAY="")
    place = desktop.home / "isomount/My disc"
    assert done.returncode == 0
    assert done.stdout.endswith(f"mounted on {place}\n")
    assert f"there is no display here to open a file manager on; go there with: cd '{place}'" in (
        done.stderr
    )
    assert not desktop.opened.exists()


def test_without_a_file_manager(desktop: Desktop, image: Path) -> None:
    desktop.set_xdg_open("exit 3")
    done = desktop.open(image)
    assert done.returncode == 0
    assert "no file manager was opened (xdg-open ended with code 3); install one" in done.stderr


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
    name = safe_folder_name(label)
    assert "/" not in name
    assert name == name.strip()
    assert not name.startswith((".", "-", "~"))
    assert name.isprintable()
    assert len(name.encode()) <= 200


def test_good_labels_stay() -> None:
    assert safe_folder_name("Debian 12.1.0 amd64") == "Debian 12.1.0 amd64"
    assert safe_folder_name("../../etc/passwd") == "etc passwd"
    assert safe_folder_name("ünï\n\x1b[31m") == "ünï [31m"
