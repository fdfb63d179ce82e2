"""``mount -t isomount``: mount(8) with the helper where it looks for it, in /sbin.

Each script runs in a mount namespace of its own whose /sbin holds the helper.
"""

import os
import shlex
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from isomount import cli
from isomount.cli.docs.manual import FSTAB_LINE
from tests import public
from tests.cli.words import assert_failed
from tests.command import CHECKOUT, ORDINARY_USER, PATIENCE, daemon_pid, wait_for_end
from tests.public import AS_USER

Scripted = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def helper(user_folder: Path) -> Path:
    """mount.isomount as everyone can run it, with nothing in the environment."""
    code = "import sys; from isomount.cli import mount_helper as run; sys.exit(run(sys.argv[1:]))"
    script = user_folder / "mount.isomount"
    script.write_text(f'#!/bin/sh\nexec {public.python()} -c {shlex.quote(code)} "$@"\n')
    script.chmod(0o755)
    return script


@pytest.fixture
def scripted(helper: Path, small_image: Path) -> Scripted:
    """``scripted(script, fstab)``: run it beside "a disc.iso" and a folder "m"."""
    folder = helper.parent
    (folder / "a disc.iso").write_bytes(small_image.read_bytes())
    (folder / "m").mkdir()
    os.chown(folder / "m", ORDINARY_USER, ORDINARY_USER)

    def run_script(script: str, fstab: str = "") -> "subprocess.CompletedProcess[str]":
        table = folder / "fstab"
        table.write_text(fstab)
        # /sbin as it is, but for one more file: a tmpfs in the place of the folder behind it.
        setup = (
            f"set -e; {public.SHOW}"
            "mkdir keep new; mount --bind /usr/sbin keep; mount -t tmpfs -o mode=755 none new; "
            f"cp -a keep/. new/; cp {helper} new/mount.isomount; mount --move new /usr/sbin; "
            "umount keep; rmdir keep new; "
            f"mount --bind {table} /etc/fstab; "
        )
        return subprocess.run(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", setup + script],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},  # no HOME; /sbin is mount's own affair
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    return run_script


def fstab_line(folder: Path, options: str) -> str:
    return f"{folder}/a\\040disc.iso {folder}/m isomount {options},log={folder}/log 0 0\n"


def test_by_type(scripted: Scripted, helper: Path) -> None:
    done = scripted(
        "mount -t isomount 'a disc.iso' m -o uid=7,norock,nofail,x-foo=bar,log=$PWD/log; "
        'stat -c %u m/readme.txt; cat m/readme.txt; grep " $PWD/m " /proc/self/mountinfo; '
        "umount m; ls -d m"
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    owner, content, line, left = done.stdout.splitlines()
    assert (owner, content, left) == ("7", "hello", "m")
    assert " ro,nosuid,nodev," in line
    assert f" fuse.isomount {helper.parent}/a\\040disc.iso " in line
    wait_for_end(daemon_pid(helper.parent / "log"))


def test_an_image_in_an_archive(scripted: Scripted, helper: Path) -> None:
    folder = helper.parent
    with zipfile.ZipFile(folder / "an archive.zip", "w") as archive:
        archive.write(folder / "a disc.iso", "d/a disc.iso")
        archive.write(folder / "a disc.iso", "other.iso")
    image = f"{folder}/an\\040archive.zip/d/a\\040disc.iso"
    done = scripted(
        "mount m; cat m/readme.txt; umount m; "
        "mount -t isomount 'an archive.zip/other.iso' m -o log=$PWD/log2; "
        "cat m/readme.txt; umount m",
        f"{image} {folder}/m isomount noauto,log={folder}/log 0 0\n",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\nhello\n", "")
    for log in ("log", "log2"):
        wait_for_end(daemon_pid(folder / log))


def test_every_flag_of_util_linux(scripted: Scripted, helper: Path) -> None:
    done = scripted(
        "mount -v -n -s -t isomount 'a disc.iso' m -o nonsense=1,gid=9,log=$PWD/log; "
        "stat -c %g m/readme.txt; umount m; mount -f -t isomount 'a disc.iso' m; "
        'grep -c " $PWD/m " /proc/self/mountinfo || true'
    )
    folder = helper.parent
    assert done.returncode == 0, done
    # -v makes it say more; else the "rw" that mount(8) adds by itself is no wish to be answered.
    assert done.stderr.startswith("isomount: mounted read-only: rw is ignored")
    said, group, mounts = done.stdout.splitlines()
    assert said == f"{folder}/a disc.iso is mounted on {folder}/m"
    assert (group, mounts) == ("9", "0")
    wait_for_end(daemon_pid(folder / "log"))


def test_an_empty_environment(scripted: Scripted, helper: Path) -> None:
    done = scripted(
        "env -i /sbin/mount.isomount 'a disc.iso' m -n -o rw,log=$PWD/log -t isomount; "
        "cat m/readme.txt; umount m"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    wait_for_end(daemon_pid(helper.parent / "log"))


def test_failures_are_mounts_own(scripted: Scripted) -> None:
    done = scripted("mount -t isomount 'a disc.iso' m -o nonsense")
    assert_failed(done, 2, 'unknown option "nonsense"')
    done = scripted("mount -t isomount fstab m")
    assert_failed(done, 30, "fstab")
    done = scripted("mount -t isomount none.iso m")
    assert_failed(done, 11, "no such file")
    done = scripted("/sbin/mount.isomount 'a disc.iso' m -N /proc/1/ns/mnt")
    assert_failed(done, 2, "nsenter --mount=/proc/1/ns/mnt mount")
    assert_failed(scripted("/sbin/mount.isomount 'a disc.iso'"), 2, "name the image and the folder")


def test_fstab_line_of_roots(scripted: Scripted, helper: Path) -> None:
    options = f"{FSTAB_LINE.split()[3]},x-systemd.idle-timeout=5min,gid=8"
    done = scripted(
        "mount m; stat -c %u:%g m/readme.txt; umount m", fstab_line(helper.parent, options)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0:8\n", "")
    wait_for_end(daemon_pid(helper.parent / "log"))


def test_mount_all(scripted: Scripted, helper: Path) -> None:
    """As the boot does: a line without noauto; with nofail a missing image is no failure."""
    folder = helper.parent
    (folder / "n").mkdir()
    table = fstab_line(folder, "nofail") + f"{folder}/no.iso {folder}/n isomount nofail 0 0\n"
    done = scripted("mount -a -t isomount || echo $?; cat m/readme.txt; umount m", table)
    assert done.stdout.endswith("hello\n")
    assert "no.iso" in done.stderr
    wait_for_end(daemon_pid(folder / "log"))


@pytest.mark.parametrize("by", ["m", "'a disc.iso'"])
def test_fstab_line_by_an_ordinary_user(scripted: Scripted, helper: Path, by: str) -> None:
    folder = helper.parent
    line = fstab_line(folder, FSTAB_LINE.split()[3])
    (folder / "fuse.conf").write_text("user_allow_other\n")
    script = (
        "mount --bind fuse.conf /etc/fuse.conf; "
        f"{AS_USER} env -i /bin/mount $PWD/{by}; {AS_USER} stat -c %u m/readme.txt; "
        f'grep " $PWD/m " /proc/self/mountinfo; {AS_USER} umount m'
    )
    done = scripted(script, line)
    assert (done.returncode, done.stderr) == (0, ""), done
    owner, mounted = done.stdout.splitlines()
    assert owner == str(ORDINARY_USER)
    assert " ro,nosuid,nodev,noexec," in mounted
    assert f"user_id={ORDINARY_USER}" in mounted
    wait_for_end(daemon_pid(folder / "log"))


def test_an_ordinary_user_needs_no_fstab(scripted: Scripted, helper: Path) -> None:
    """mount(8) gives up its rights and lets the helper try (since util-linux 2.35)."""
    words = "-t isomount 'a disc.iso' m -o log=$PWD/log"
    done = scripted(f"{AS_USER} mount {words}; {AS_USER} cat m/readme.txt; {AS_USER} umount m")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    wait_for_end(daemon_pid(helper.parent / "log"))


def test_the_entry_points_name_the_helper() -> None:
    text = (CHECKOUT / "pyproject.toml").read_text()
    assert '"mount.isomount" = "isomount.cli:mount_helper"' in text
    assert callable(cli.mount_helper)
