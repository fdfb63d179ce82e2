"""isomount open on a desktop that is one: which folder, which window, and the end of it."""

import gzip
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command import ORDINARY_USER, PATIENCE, check_log, daemon_pid, wait_until
from tests.containers.nrg_builder import nrg, tao
from tests.desktop.conftest import MakeDisc
from tests.desktop.session import HOME, MEDIA, Session
from tests.desktop.windows import window_titled

_LABEL = "My disc"


@pytest.fixture
def image(desktop: Session, make_disc: MakeDisc) -> Iterator[Path]:
    """An image; it is shown by PCManFM, and nowhere any more in the end."""
    desktop.use_file_manager("pcmanfm")
    yield make_disc({"readme.txt": b"hello\n"}, _LABEL)
    for place in desktop.mounts():
        desktop.run("fusermount3", "-u", "-z", place)


@pytest.fixture
def media_of_udisks(desktop: Session) -> Iterator[None]:
    """The folder for media as udisks makes it: its user may look into it, and no more."""
    media = desktop.outside(MEDIA)
    os.chown(media, 0, 0)
    media.chmod(0o755)
    yield
    os.chown(media, ORDINARY_USER, ORDINARY_USER)
    media.chmod(0o700)


def _assert_opens(desktop: Session, image: Path, place: Path) -> None:
    log = HOME / "open.log"
    said = desktop.says("isomount", "open", image, "-o", f"log={log}")
    assert said == f"{image} is mounted on {place}\n"
    with window_titled(desktop, _LABEL):
        assert desktop.mounts() == [str(place)]
        assert desktop.says("gio", "mount", "-l").count(_LABEL) == 1
        desktop.says("gio", "mount", "-u", place)
    daemon = daemon_pid(desktop.outside(log))
    wait_until("the daemon has ended", lambda: not desktop.is_running(daemon))
    assert not desktop.outside(place).exists()
    check_log(desktop.outside(log))


def test_among_the_media(desktop: Session, image: Path) -> None:
    _assert_opens(desktop, image, MEDIA / _LABEL)


@pytest.mark.usefixtures("media_of_udisks")
def test_in_the_home_where_the_media_are_udisks_own(desktop: Session, image: Path) -> None:
    _assert_opens(desktop, image, HOME / "Discs" / _LABEL)


def test_by_open_with(desktop: Session, image: Path) -> None:
    """As the file manager does it, once ``isomount integrate`` has let the desktop know."""
    desktop.says("isomount", "integrate")
    assert "isomount.desktop" in desktop.says("gio", "mime", "application/x-cd-image")
    desktop.says("gio", "launch", HOME / ".local/share/applications/isomount.desktop", image)
    with window_titled(desktop, _LABEL):
        assert desktop.mounts() == [str(MEDIA / _LABEL)]
        desktop.says("gio", "mount", "-u", MEDIA / _LABEL)
    wait_until("its folder is gone", lambda: not desktop.outside(MEDIA / _LABEL).exists())
    desktop.says("isomount", "integrate", "--remove")
    assert "isomount.desktop" not in desktop.says("gio", "mime", "application/x-cd-image")


def _as_cue(iso: Path) -> Path:
    iso.with_suffix(".bin").write_bytes(iso.read_bytes())
    sheet = iso.with_suffix(".cue")
    name = iso.with_suffix(".bin").name
    sheet.write_text(f'FILE "{name}" BINARY\n  TRACK 01 MODE1/2048\n    INDEX 01 00:00:00\n')
    return sheet


def _as_chd(iso: Path) -> Path:
    chd = iso.with_suffix(".chd")
    words = ["chdman", "createcd", "-i", str(_as_cue(iso)), "-o", str(chd)]
    subprocess.run(words, check=True, capture_output=True, timeout=PATIENCE)
    return chd


def _as_nrg(iso: Path) -> Path:
    data = iso.read_bytes()
    path = iso.with_suffix(".nrg")
    path.write_bytes(nrg(data, tao([(0, len(data), 0, 0)])))
    return path


def _as_gz(iso: Path) -> Path:
    path = iso.with_suffix(".iso.gz")
    path.write_bytes(gzip.compress(iso.read_bytes()))
    return path


@pytest.mark.parametrize("stored", [_as_cue, _as_chd, _as_nrg, _as_gz])
def test_a_double_click_on_any_kind(
    desktop: Session, image: Path, stored: Callable[[Path], Path]
) -> None:
    """Once ``isomount integrate --default`` was asked for."""
    desktop.says("isomount", "integrate", "--default")
    path = stored(desktop.outside(image))
    for each in path.parent.glob(f"{image.stem}.*"):
        os.chown(each, ORDINARY_USER, ORDINARY_USER)
    desktop.says("gio", "open", image.with_name(path.name))
    with window_titled(desktop, _LABEL):
        assert desktop.mounts() == [str(MEDIA / _LABEL)]
        assert desktop.says("cat", MEDIA / _LABEL / "readme.txt") == "hello\n"
        desktop.says("gio", "mount", "-u", MEDIA / _LABEL)
    wait_until("its folder is gone", lambda: not desktop.outside(MEDIA / _LABEL).exists())
    desktop.says("isomount", "integrate", "--remove")


def test_what_goes_wrong_is_told_where_there_is_no_terminal(desktop: Session) -> None:
    """By notify-send; the bus starts dunst to show it."""
    broken = desktop.home / "<broken>.iso"
    broken.write_bytes(bytes(100_000))
    done = desktop.run("isomount", "open", HOME / broken.name)
    assert done.returncode == 30
    desktop.says("dunstctl", "close-all")
    said = desktop.says("dunstctl", "history")
    assert "The disc image cannot be shown" in said
    assert "&lt;broken&gt;.iso: holds nothing but zeros" in said
    assert desktop.mounts() == []
