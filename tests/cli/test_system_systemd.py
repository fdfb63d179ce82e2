"""The units in a real systemd: started, looked at, killed and stopped there."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from isomount import errors
from isomount.cli.docs.manual import FSTAB_LINE
from isomount.desktop.share import content
from tests.cli.systemd_guest import SYSTEMD, Guest, booted
from tests.command import CHECKOUT, ORDINARY_USER, wait_until

UNITS = CHECKOUT / "systemd"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, small_image: Path) -> Path:
    """A folder of the ordinary user's with images, in the guest's work folder."""
    work = tmp_path_factory.mktemp("guest")
    work.chmod(0o755)
    home = work / "home"
    home.mkdir()
    for name in ("small.iso", "a disc.iso", "other.iso"):
        (home / name).write_bytes(small_image.read_bytes())
    (home / "text.iso").write_text("this is no image\n" * 9000)
    os.chown(home, ORDINARY_USER, ORDINARY_USER)
    return home


@pytest.fixture(scope="module")
def guest(home: Path, installed: Path, fuse: None, as_root: None) -> Iterator[Guest]:
    """A systemd with isomount installed, the example units and an fstab."""
    assert SYSTEMD.exists(), "systemd is missing; make test installs it"
    work = home.parent
    shutil.copytree(installed, work / "destination", symlinks=True)
    (work / "etc/isomount").mkdir(parents=True)
    for name in ("small", "killed"):
        text = f"IMAGE={home}/small.iso\nMOUNTPOINT=/mnt/{name}\n"
        (work / f"etc/isomount/{name}.conf").write_text(text)
    (work / "etc/isomount/text.conf").write_text(
        f"IMAGE={home}/text.iso\nMOUNTPOINT=/mnt/text\nOPTIONS=norock\n"
    )
    (work / "etc/fstab").write_text(fstab_line(home))
    (work / "units").mkdir()
    for name in ("mnt-disc.mount", "mnt-disc.automount"):
        text = (UNITS / "system" / name).read_text()
        (work / "units" / name).write_text(
            text.replace("What=/srv/images/disc.iso", f"What={home}/other.iso")
        )
    add_command(home / "my $HOME, 100%, \"own\" \\ 'n'" / "isomount", work / "units/user")
    with booted(work, work / "destination") as guest:
        assert guest.systemctl("start", "user-manager.service").returncode == 0
        yield guest


def fstab_line(home: Path) -> str:
    """The manual's, for another image and place."""
    _, _, rest = FSTAB_LINE.split(" ", 2)
    return f"{home}/a\\040disc.iso /mnt/fstab {rest}\n"


def add_command(path: Path, units: Path) -> None:
    """Another isomount, with a unit as ``isomount integrate`` writes it."""
    path.parent.mkdir()
    path.write_text('#!/bin/sh\nexec /usr/local/bin/isomount -o norock "$@"\n')
    path.chmod(0o755)
    text = content("systemd/user/isomount@.service", str(path))
    units.mkdir()
    (units / "own@.service").write_text(text)


def instance(guest: Guest, image: Path) -> str:
    """The user's unit for ``image``, named as the documentation says."""
    return f"isomount@{guest.run('systemd-escape', '--path', str(image)).stdout[:-1]}.service"


def read(guest: Guest, path: object) -> str:
    """What the file holds for an ordinary user in the guest."""
    return guest.run("cat", str(path), user=True).stdout


def test_analyze_finds_nothing_to_say(guest: Guest, home: Path) -> None:
    done = guest.run(
        *("systemd-analyze", "verify", "--man=yes", "isomount@small.service"),
        *("/run/units/mnt-disc.mount", "/run/units/mnt-disc.automount"),
    )
    assert done.stderr == ""
    assert (done.returncode, done.stdout) == (0, "")
    done = guest.run(
        *("env", "SYSTEMD_UNIT_PATH=/run/units/user:/usr/local/lib/systemd/user"),
        *("systemd-analyze", "--user", "verify", "--man=yes", "isomount@home-x.iso.service"),
        user=True,
    )
    assert done.stderr == ""
    assert (done.returncode, done.stdout) == (0, "")


def test_user_service(guest: Guest, home: Path) -> None:
    unit = instance(guest, home / "a disc.iso")
    done = guest.systemctl("start", unit, user=True)
    assert (done.returncode, done.stderr) == (0, ""), guest.log.read_text()
    try:
        assert read(guest, home / "a disc/readme.txt") == "hello\n"
        status = guest.shows(unit, "StatusText", user=True)
        assert status == f"showing {home}/a disc.iso (Rock Ridge) on {home}/a disc"
        assert guest.shows(unit, "Description", user=True) == f"Disc image {home}/a disc.iso"
    finally:
        assert guest.systemctl("stop", unit, user=True).returncode == 0
    assert guest.shows(unit, "Result", user=True) == "success"
    assert not (home / "a disc").exists()


def test_user_service_of_a_command_of_ones_own(guest: Guest, home: Path) -> None:
    unit = instance(guest, home / "small.iso").replace("isomount", "own", 1)
    done = guest.systemctl("start", unit, user=True)
    assert (done.returncode, done.stderr) == (0, ""), guest.log.read_text()
    try:
        status = guest.shows(unit, "StatusText", user=True)
        assert status == f"showing {home}/small.iso (Joliet) on {home}/small"
    finally:
        assert guest.systemctl("stop", unit, user=True).returncode == 0


@pytest.mark.parametrize("user", [True, False])
def test_a_killed_service_comes_back(guest: Guest, home: Path, user: bool) -> None:
    unit = instance(guest, home / "small.iso") if user else "isomount@killed.service"
    place = home / "small" if user else Path("/mnt/killed")
    assert guest.systemctl("start", unit, user=user).returncode == 0
    try:
        first = guest.shows(unit, "MainPID", user=user)
        assert guest.systemctl("kill", "--signal=KILL", unit, user=user).returncode == 0
        wait_until(
            "it runs again",
            lambda: (
                guest.shows(unit, "MainPID", user=user) not in (first, "0")
                and guest.shows(unit, "ActiveState", user=user) == "active"
            ),
        )
        assert read(guest, place / "readme.txt") == "hello\n"
        table = guest.run("findmnt", "--noheadings", "--list", "--output=TARGET").stdout
        assert table.splitlines().count(str(place)) == 1
    finally:
        guest.systemctl("stop", unit, user=user)
    assert guest.run("ls", "-d", str(place)).returncode == 2  # though another had made it


@pytest.mark.parametrize("user", [True, False])
def test_a_hopeless_service_is_not_tried_again(guest: Guest, home: Path, user: bool) -> None:
    unit = instance(guest, home / "text.iso") if user else "isomount@text.service"
    assert guest.systemctl("start", unit, user=user).returncode == 1
    assert guest.shows(unit, "ExecMainStatus", user=user) == "30"
    assert guest.shows(unit, "ActiveState", user=user) == "failed"
    assert guest.shows(unit, "NRestarts", user=user) == "0"


def test_system_service(guest: Guest) -> None:
    unit = "isomount@small.service"
    done = guest.systemctl("start", unit)
    assert (done.returncode, done.stderr) == (0, ""), guest.log.read_text()
    try:
        # Everybody sees it, from outside the service, as the disc says.
        assert read(guest, "/mnt/small/readme.txt") == "hello\n"
        assert guest.shows(unit, "StatusText").endswith(" on /mnt/small")
        pid = guest.shows(unit, "MainPID")
        status = dict(
            line.split(":\t", 1)
            for line in guest.run("cat", f"/proc/{pid}/status").stdout.splitlines()
        )
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        assert int(status["CapBnd"], 16) == (1 << 21) | (1 << 2)  # SYS_ADMIN, DAC_READ_SEARCH
    finally:
        assert guest.systemctl("stop", unit).returncode == 0
    assert guest.shows(unit, "Result") == "success"
    assert guest.run("ls", "-d", "/mnt/small").returncode == 2


def test_system_service_without_its_file(guest: Guest) -> None:
    done = guest.systemctl("start", "isomount@none.service")
    assert done.returncode == 1
    assert guest.shows("isomount@none.service", "AssertResult") == "no"


@pytest.mark.parametrize("place", ["disc", "fstab"])
def test_mounted_when_it_is_first_looked_at(guest: Guest, place: str) -> None:
    """By the example's two units, and by those that systemd makes of a line of fstab."""
    automount, mount = f"mnt-{place}.automount", f"mnt-{place}.mount"
    assert guest.systemctl("start", automount).returncode == 0
    try:
        assert guest.shows(mount, "ActiveState") == "inactive"
        assert read(guest, f"/mnt/{place}/readme.txt") == "hello\n", guest.log.read_text()
        assert guest.shows(mount, "ActiveState") == "active"
        kinds = guest.run("findmnt", "-nlo", "FSTYPE", f"/mnt/{place}").stdout.split()
        assert kinds == ["autofs", "fuse.isomount"]
        # Unmounted, as after its idle time, and looked at again.
        assert guest.systemctl("stop", mount).returncode == 0
        assert read(guest, f"/mnt/{place}/readme.txt") == "hello\n"
    finally:
        guest.systemctl("stop", automount, mount)
    assert guest.run("findmnt", f"/mnt/{place}").returncode == 1


def test_a_mount_unit_whose_daemon_was_killed(guest: Guest) -> None:
    assert guest.systemctl("start", "mnt-disc.mount").returncode == 0
    try:
        assert guest.systemctl("kill", "--signal=KILL", "mnt-disc.mount").returncode == 0
        wait_until("its daemon is gone", lambda: guest.run("ls", "/mnt/disc").returncode == 2)
        assert guest.systemctl("restart", "mnt-disc.mount").returncode == 0
        assert read(guest, "/mnt/disc/readme.txt") == "hello\n"
    finally:
        guest.systemctl("stop", "mnt-disc.mount")


def test_udev_raises_the_readahead(guest: Guest, home: Path) -> None:
    """Of isomount's mounts, whoever makes them, and of no others."""
    assert guest.systemctl("start", "udev.service").returncode == 0, guest.log.read_text()
    unit = instance(guest, home / "other.iso")
    try:
        assert guest.systemctl("start", unit, user=True).returncode == 0
        listing = guest.run("findmnt", "-nlo", "MAJ:MIN", str(home / "other"))
        setting = Path(f"/sys/class/bdi/{listing.stdout.strip()}/read_ahead_kb")
        wait_until("it is raised", lambda: setting.read_text() == "4096\n")
    finally:
        guest.systemctl("stop", unit, user=True)
        guest.systemctl("stop", "udev.service")


@pytest.mark.parametrize("folder", ["user", "system"])
def test_what_is_hopeless_is_what_the_errors_say(folder: str) -> None:
    text = (UNITS / folder / "isomount@.service").read_text()
    codes = text.split("RestartPreventExitStatus=", 1)[1].split("\n", 1)[0].split()
    assert {int(code) for code in codes} == {
        error.exit_code
        for error in (
            errors.UsageError,
            errors.MountPointError,
            errors.ImageUnreadableError,
            errors.FuseUnavailableError,
            errors.NotAnImageError,
            errors.DamagedImageError,
        )
    }


def test_nothing_of_it_is_outside(guest: Guest, home: Path) -> None:
    """The guest has its own /tmp and /run, and cannot write to the machine's files."""
    assert stat.S_ISREG((home / "small.iso").stat().st_mode)
    assert guest.run("touch", "/usr/new").returncode == 1
    assert guest.run("touch", "/tmp/isomount-guest-was-here", "/run/isomount-guest").returncode == 0
    assert not Path("/tmp/isomount-guest-was-here").exists()
    assert not Path("/run/isomount-guest").exists()
