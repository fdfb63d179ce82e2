"""What GIO, which file managers look through, says of a mount; and the end of it by eject."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import PATIENCE, check_log, daemon_pid, wait_until
from tests.desktop.conftest import WHEN, MakeDisc
from tests.desktop.mount import LoggedMount, logged_mount
from tests.desktop.session import HOME, MEDIA, Session
from tests.desktop.windows import window_titled

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
_FILES: dict[str, bytes | str] = {
    "readme.txt": b"hello\n",
    "picture": _PNG,  # no ending: only its content tells
    "Music/song.ogg": b"OggS" + bytes(5000),
    "link": "readme.txt",
}
_LABEL = "My disc"


@pytest.fixture
def shown(desktop: Session, make_disc: MakeDisc) -> Iterator[LoggedMount]:
    """The disc, where the media of users are mounted."""
    with logged_mount(desktop, make_disc(_FILES, _LABEL), MEDIA / _LABEL) as mount:
        yield mount


def attributes(desktop: Session, path: Path, *options: str) -> dict[str, str]:
    """What ``gio info`` says, by attribute."""
    return dict(
        re.findall(r"^  ([\w:-]+): (.*)$", desktop.says("gio", "info", *options, path), re.M)
    )


@pytest.mark.parametrize("monitor", ["udisks2", "unix"])
@pytest.mark.parametrize("folder", [MEDIA, HOME / "Discs"])
def test_it_is_listed_under_its_folders_name(
    desktop: Session, make_disc: MakeDisc, folder: Path, monitor: str
) -> None:
    """By gvfs's monitor with a real udisks, which desktops have, and by GIO's own."""
    name = "My shelf"
    listing = ("env", f"GIO_USE_VOLUME_MONITOR={monitor}", "gio", "mount", "-li")
    desktop.outside(HOME / "Discs").mkdir(mode=0o777, exist_ok=True)
    desktop.outside(HOME / "Discs").chmod(0o777)
    image = make_disc(_FILES, _LABEL)
    assert name not in desktop.says(*listing)
    with logged_mount(desktop, image, folder / name):
        said = desktop.says(*listing)
        where = f"file://{folder}/{name}".replace(" ", "%20")
        assert f"Mount(0): {name} -> {where}\n" in said
        # So there is an eject button, and it unmounts.
        assert "can_unmount=1" in said
        assert "can_eject=0" in said
        assert "is_shadowed=0" in said
    assert name not in desktop.says(*listing)


def test_open_lists_it_under_its_label(desktop: Session, make_disc: MakeDisc) -> None:
    """Whatever the image file is called."""
    disc = desktop.outside(make_disc(_FILES, _LABEL))
    image, log = HOME / disc.rename(disc.with_name("download.iso")).name, HOME / "open.log"
    desktop.use_file_manager("pcmanfm")
    try:
        desktop.says("isomount", "open", image, "-o", f"log={log}")
        with window_titled(desktop, _LABEL):
            said = desktop.says("gio", "mount", "-l")
            assert f"Mount(0): {_LABEL} -> file://{MEDIA}/{_LABEL.replace(' ', '%20')}\n" in said
            assert "download" not in said
    finally:
        for place in desktop.mounts():
            desktop.run("fusermount3", "-u", "-z", place)
    daemon = daemon_pid(desktop.outside(log))
    wait_until("the daemon has ended", lambda: not desktop.is_running(daemon))
    check_log(desktop.outside(log))


def test_mounts_outside_the_home_and_the_media_are_not_shown(
    desktop: Session, make_disc: MakeDisc
) -> None:
    """A desktop shows what lies in the user's home or in a folder for media."""
    with logged_mount(desktop, make_disc(_FILES, _LABEL), Path("/tmp/elsewhere")):
        assert "elsewhere" not in desktop.says("gio", "mount", "-l")


def test_a_line_of_fstab_with_x_gvfs_show_is_shown(desktop: Session, make_disc: MakeDisc) -> None:
    image, place = make_disc(_FILES, _LABEL), Path("/var/lib/shelf")
    source = str(image).replace(" ", "\\040")
    table = desktop.outside(Path("/etc/fstab"))
    table.write_text(f"{source} {place} fuse.isomount noauto,allow_other,x-gvfs-show 0 0\n")
    desktop.says("mkdir", place, root=True)
    desktop.says("mount", place, root=True)
    try:
        assert f"shelf -> file://{place}\n" in desktop.says("gio", "mount", "-l")
    finally:
        desktop.says("umount", place, root=True)
        table.write_text("")


def test_a_folder_lists_its_files(desktop: Session, shown: LoggedMount) -> None:
    said = desktop.says("gio", "list", "-l", shown.place)
    assert sorted(said.splitlines()) == [
        "Music\t2048\t(directory)",
        "link\t6\t(regular)",
        f"picture\t{len(_PNG)}\t(regular)",
        "readme.txt\t6\t(regular)",
    ]
    assert desktop.says("gio", "cat", shown.place / "readme.txt") == "hello\n"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("readme.txt", "text/plain"),
        ("picture", "image/png"),
        ("Music", "inode/directory"),
        ("Music/song.ogg", "audio/ogg"),
    ],
)
def test_files_have_their_kind(desktop: Session, shown: LoggedMount, name: str, kind: str) -> None:
    found = attributes(desktop, shown.place / name)
    assert found["standard::content-type"] == kind
    assert found["time::modified"] == str(WHEN)
    assert found["owner::user"] == "alex"
    # Nothing is offered that cannot be done.
    assert (found["access::can-read"], found["access::can-write"]) == ("TRUE", "FALSE")
    assert (found["access::can-delete"], found["access::can-rename"]) == ("FALSE", "FALSE")
    assert found["access::can-trash"] == "FALSE"


def test_a_file_is_a_file_of_this_disc(desktop: Session, shown: LoggedMount) -> None:
    file = attributes(desktop, shown.place / "readme.txt")
    assert file["standard::size"] == "6"
    assert file["id::filesystem"] == attributes(desktop, shown.place)["id::filesystem"]
    assert file["id::filesystem"] != attributes(desktop, HOME)["id::filesystem"]
    link = attributes(desktop, shown.place / "link", "-n")
    assert link["standard::is-symlink"] == "TRUE"
    assert link["standard::symlink-target"] == "readme.txt"


def test_the_file_system_is_read_only(desktop: Session, shown: LoggedMount) -> None:
    found = attributes(desktop, shown.place, "-f")
    assert found["filesystem::readonly"] == "TRUE"
    # Not of the network: so file managers make thumbnails.
    assert found["filesystem::remote"] == "FALSE"


def test_eject_unmounts(desktop: Session, shown: LoggedMount) -> None:
    """The eject button asks for this, as GIO says can_eject=0; the fixture sees it all gone."""
    desktop.says("gio", "mount", "-u", shown.place)
    assert not shown.is_there
    wait_until("its folder is gone", lambda: not desktop.outside(shown.place).exists())


def test_eject_of_what_is_in_use_is_refused(desktop: Session, shown: LoggedMount) -> None:
    reader = subprocess.Popen(
        desktop.command(
            "sh", "-c", 'exec 3<"$1" && echo open && read -r _', "sh", shown.place / "readme.txt"
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"open\n"
        done = desktop.run("gio", "mount", "-u", shown.place)
        reader.communicate(b"\n", timeout=PATIENCE)
    assert done.returncode != 0
    assert "preventing the unmount" in done.stderr
    assert shown.is_there
    assert desktop.says("gio", "cat", shown.place / "readme.txt") == "hello\n"
