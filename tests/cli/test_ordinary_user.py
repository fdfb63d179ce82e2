"""The command as somebody without rights runs it."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.cli.words import assert_failed
from tests.command import (
    CHECKOUT,
    COMMAND,
    ORDINARY_USER,
    PATIENCE,
    as_ordinary_user,
    daemon_pid,
    environment,
    is_mounted,
    run,
    wait_for_end,
)
from tests.conftest import Mounted

_FUSE_CONF = Path("/etc/fuse.conf")


@pytest.fixture
def readable(image: Path) -> Path:
    """A folder that all may read and nobody but root may write."""
    folder = image.parent / "roots"
    folder.mkdir()
    return folder


def user_does(*words: str) -> "subprocess.CompletedProcess[str]":
    """Another program as the ordinary user."""
    return subprocess.run(
        [*as_ordinary_user(), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        cwd="/",
    )


def test_mount_read_and_umount(image: Path, user_folder: Path) -> None:
    folder, log = user_folder / "m", user_folder / "log"
    done = run(image, folder, "-o", f"log={log}", user=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    listing = user_does("stat", "-c", "%u %g %a %F", str(folder / "readme.txt"))
    assert listing.stdout == f"{ORDINARY_USER} {ORDINARY_USER} 644 regular file\n"
    assert user_does("cat", str(folder / "link")).stdout == "hello\n"
    assert "Read-only" in user_does("touch", str(folder / "new")).stderr
    done = run("umount", folder, user=True)
    assert (done.returncode, done.stderr) == (0, "")
    wait_for_end(daemon_pid(log))
    assert not folder.exists()


def test_disc_owner_on_demand(mounted: Mounted, image: Path, user_folder: Path) -> None:
    with mounted(image, "uid=0,gid=5", at=user_folder / "m", user=True):
        done = user_does("stat", "-c", "%u %g", str(user_folder / "m/readme.txt"))
    assert done.stdout == "0 5\n"


def test_options_through_fusermount3(mounted: Mounted, image: Path, user_folder: Path) -> None:
    folder = user_folder / "a,b\\c \n\udcff"
    with mounted(image, "noexec,noatime,max_read=65536", at=folder, user=True):
        assert is_mounted(folder)
        line = next(
            line
            for line in Path("/proc/self/mountinfo").read_bytes().splitlines()
            if os.fsencode(user_folder) + b"/" in line
        )
        assert user_does("cat", str(folder / "readme.txt")).stdout == "hello\n"
    assert b" ro,nosuid,nodev,noexec,noatime " in line
    assert f" fuse.isomount {image} ".encode() in line
    assert b"max_read=65536" in line


def test_auto_unmount(image: Path, user_folder: Path) -> None:
    folder, log = user_folder / "m", user_folder / "log"
    assert run(image, folder, "-o", f"auto_unmount,log={log}", user=True).returncode == 0
    assert user_does("cat", str(folder / "readme.txt")).stdout == "hello\n"
    assert run("umount", folder, user=True).returncode == 0
    wait_for_end(daemon_pid(log))
    assert not is_mounted(folder)


def test_dead_mount_is_cleared_by_the_remedy(image: Path, user_folder: Path) -> None:
    folder, log = user_folder / "m", user_folder / "log"
    assert run(image, folder, "-o", f"subtype=other,log={log}", user=True).returncode == 0
    os.kill(daemon_pid(log), 9)
    wait_for_end(daemon_pid(log))
    done = run(image, folder, user=True)
    assert_failed(done, 10, "is dead")
    remedy = done.stderr.partition("clear it with: ")[2].split()
    assert user_does(*remedy).returncode == 0
    assert not is_mounted(folder)


def test_mount_points_that_are_not_ones_own(image: Path, readable: Path) -> None:
    done = run(image, readable, user=True)
    yours = "and it has to be yours to mount on it: as root, chown nobody"
    assert_failed(done, 10, f"is not writable for you, {yours} {readable}; name a mount point in")
    assert_failed(run(image, readable / "m", user=True), 10, "cannot be made in")
    readable.chmod(0o1777)
    assert_failed(run(image, readable, user=True), 10, f"belongs to another user, {yours}")
    assert list(readable.iterdir()) == []


def test_another_users_mount(mounted: Mounted, image: Path, readable: Path) -> None:
    with mounted(image, at=readable / "m"):
        done = run("umount", readable / "m", user=True)
        assert done.returncode == 1
        assert "cannot be unmounted: " in done.stderr
        assert done.stderr.endswith(f"; as root, try: umount {readable}/m\n")
        assert_failed(run(image, readable / "m", user=True), 10, "mounted there already")


def test_only_roots_options(image: Path, user_folder: Path) -> None:
    folder = user_folder / "m"
    assert_failed(run(image, folder, "-o", "nosymfollow", user=True), 12, "only for root")
    if "user_allow_other" not in _FUSE_CONF.read_text().split("\n"):
        for option in ("allow_other", "allow_root"):
            done = run(image, folder, "-o", option, user=True)
            assert_failed(done, 12, f"option {option} is not permitted for ordinary users")
            assert '"user_allow_other" in /etc/fuse.conf' in done.stderr
    assert not folder.exists()


# What fuse there is, changed in a mount namespace of the command's own.


def without(setup: str, *words: "str | Path", user: bool) -> "subprocess.CompletedProcess[str]":
    """The command in a private mount namespace after the shell has done ``setup`` there."""
    private = [
        "unshare",
        "-m",
        "--propagation",
        "private",
        "sh",
        "-c",
        f'{setup} && exec "$@"',
        "sh",
    ]
    command = [*(as_ordinary_user() if user else ()), *COMMAND, *map(str, words)]
    return subprocess.run(
        [*private, *command],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        cwd="/",
    )


@pytest.mark.parametrize("user", [False, True])
def test_no_device(image: Path, user_folder: Path, user: bool) -> None:
    setup = "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3"
    done = without(setup, image, user_folder / "m", user=user)
    assert_failed(done, 12, "/dev/fuse is missing; load the kernel's module with: modprobe fuse")
    assert not (user_folder / "m").exists()


def test_device_not_for_this_user(image: Path, user_folder: Path) -> None:
    setup = (
        "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 "
        "&& mknod -m 600 /dev/fuse c 10 229"
    )
    done = without(setup, image, user_folder / "m", user=True)
    assert_failed(done, 12, "/dev/fuse may not be opened by you; root can permit it")


def test_device_without_a_driver(image: Path, user_folder: Path) -> None:
    setup = "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod /dev/fuse c 10 250"
    done = without(setup, image, user_folder / "m", user=False)
    assert_failed(done, 12, "the kernel behind /dev/fuse has no FUSE")


def test_no_fusermount3(image: Path, user_folder: Path) -> None:
    setup = "mount --bind /dev/null /usr/bin/fusermount3"
    done = without(setup, image, user_folder / "m", user=True)
    assert_failed(done, 12, "fusermount3 is missing; install the package fuse3")
    done = without(setup, image, user_folder / "m", "-o", "auto_unmount", user=False)
    assert_failed(done, 12, "fusermount3 is missing; install the package fuse3")


def test_root_without_fusermount3_unmounts_with_umount(image: Path, user_folder: Path) -> None:
    command = " ".join(COMMAND)
    script = (
        f"mount --bind /dev/null /usr/bin/fusermount3 && {command} {image} {user_folder}/m "
        f"&& cat {user_folder}/m/readme.txt && {command} umount {user_folder}/m"
    )
    done = without(script, "--version", user=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("hello\n")
    assert not (user_folder / "m").exists()


_NO_MTAB = (
    "mount -t tmpfs none /mnt && cp -a /etc/. /mnt && rm -f /mnt/mtab && mount --bind /mnt /etc"
)


@pytest.mark.parametrize("lazy", [[], ["--lazy"]])
def test_without_mtab_it_is_unmounted_all_the_same(
    image: Path, user_folder: Path, lazy: list[str]
) -> None:
    """fusermount3 does without it for root alone."""
    folder = user_folder / "m"
    by_user = shlex.join([*as_ordinary_user(), *COMMAND])
    script = f"{by_user} {image} {folder} && {by_user} umount {' '.join(lazy)} {folder}"
    look = f"! grep -q {user_folder} /proc/self/mountinfo && test ! -e {folder}"
    done = without(f"{_NO_MTAB} && {script} && {look}", "--version", user=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_mtab_the_demo_leaves_nothing(user_folder: Path) -> None:
    """As a user, with a command that the user can start."""
    programs, scratch = user_folder / "bin", user_folder / "scratch"
    for folder in (programs, scratch):
        folder.mkdir()
        os.chown(folder, ORDINARY_USER, ORDINARY_USER)
    python = shlex.join(COMMAND[:-2])
    for name, words in (("python", ""), ("isomount", "-m isomount")):
        (programs / name).write_text(f'#!/bin/sh\nexec {python} {words} "$@"\n')
        (programs / name).chmod(0o755)
    # Python may lie in root's home: started by a script, the user has to be let look there.
    looking = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    ids = [*as_ordinary_user()[:4], *looking]
    user = shlex.join([*ids, "env", f"BIN={programs}", f"TMPDIR={scratch}"])
    demo = f"{user} {CHECKOUT}/tools/demo && ! grep -q {user_folder} /proc/self/mountinfo"
    done = without(f"{_NO_MTAB} && {demo}", "--version", user=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": OK\n") == 6
    assert list(scratch.iterdir()) == []


def test_fusermount3_that_may_not_mount(image: Path, user_folder: Path) -> None:
    setup = (
        "mount -t tmpfs none /mnt && cp /usr/bin/fusermount3 /mnt/f && chmod 755 /mnt/f "
        "&& mount --bind /mnt/f /usr/bin/fusermount3"
    )
    done = without(setup, image, user_folder / "m", user=True)
    assert_failed(done, 12, "fusermount3 refuses to mount on it: ")
    assert not (user_folder / "m").exists()
