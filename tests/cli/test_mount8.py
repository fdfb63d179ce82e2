"""Mounting through mount(8) and /etc/fstab: it runs the command that it finds in the system's PATH.

Each test is a script in a mount namespace of its own, with the command put into /usr/local/sbin and
an fstab of its own.
"""

import subprocess
from pathlib import Path

import pytest

from tests import public
from tests.command import ORDINARY_USER, PATIENCE, daemon_pid, wait_for_end
from tests.public import AS_USER


@pytest.fixture
def command(user_folder: Path) -> Path:
    """The command as a script that everyone can run, with nothing in the environment."""
    script = user_folder / "isomount"
    script.write_text(f'#!/bin/sh\nexec {public.python()} -m isomount "$@"\n')
    script.chmod(0o755)
    return script


@pytest.fixture
def image(small_image: Path, user_folder: Path) -> Path:
    """The small image under a name that needs quoting."""
    image = user_folder / "a disc.iso"
    image.write_bytes(small_image.read_bytes())
    return image


def run_script(command: Path, script: str, fstab: str = "") -> "subprocess.CompletedProcess[str]":
    """Run ``script`` with the command installed and ``fstab`` as /etc/fstab, all of it private."""
    table = command.parent / "fstab"
    table.write_text(fstab)
    setup = (
        f"set -e; {public.SHOW} mount -t tmpfs -o mode=755 none /usr/local/sbin; "
        f"cp {command} /usr/local/sbin/isomount; "
        f"mount --bind {table} /etc/fstab; cd {command.parent}; "
    )
    return subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", setup + script],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_mount_by_type(command: Path, image: Path) -> None:
    script = (
        "mount -t fuse.isomount 'a disc.iso' m -o ro,uid=7,norock,nofail,x-foo=bar,log=$PWD/log; "
        'stat -c %u m/readme.txt; cat m/readme.txt; grep " $PWD/m " /proc/self/mountinfo; '
        "umount m; ls -d m"
    )
    (command.parent / "m").mkdir()
    done = run_script(command, script)
    assert (done.returncode, done.stderr) == (0, ""), done
    owner, content, line, left = done.stdout.splitlines()
    assert (owner, content, left) == ("7", "hello", "m")
    assert " ro,nosuid,nodev," in line
    wait_for_end(daemon_pid(command.parent / "log"))


def test_failure_is_mounts_failure(command: Path, image: Path) -> None:
    (command.parent / "m").mkdir()
    done = run_script(command, "mount -t fuse.isomount 'a disc.iso' m -o ro,nonsense")
    assert done.returncode == 2
    assert (
        done.stderr == 'isomount: unknown option "nonsense"; see isomount --help for all of them\n'
    )


def test_fstab_line_of_roots(command: Path, image: Path) -> None:
    folder = command.parent
    (folder / "m").mkdir()
    line = (
        f"{folder}/a\\040disc.iso {folder}/m fuse.isomount "
        f"ro,noauto,nofail,_netdev,user,gid=8,x-gvfs-show,comment=mine,log={folder}/log 0 0\n"
    )
    script = "mount m; stat -c %u:%g m/readme.txt; umount m"
    done = run_script(command, script, line)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0:8\n", "")
    wait_for_end(daemon_pid(folder / "log"))


def test_fstab_line_by_an_ordinary_user(command: Path, image: Path) -> None:
    folder = command.parent
    (folder / "m").mkdir()
    (folder / "m").chmod(0o777)
    line = f"{folder}/a\\040disc.iso {folder}/m fuse.isomount ro,noauto,user,log={folder}/log 0 0\n"
    script = (
        f"{AS_USER} mount m; {AS_USER} stat -c %u m/readme.txt; "
        f'grep " $PWD/m " /proc/self/mountinfo; {AS_USER} umount m'
    )
    done = run_script(command, script, line)
    assert (done.returncode, done.stderr) == (0, ""), done
    owner, mounted = done.stdout.splitlines()
    assert owner == str(ORDINARY_USER)
    assert " ro,nosuid,nodev,noexec," in mounted
    assert f"user_id={ORDINARY_USER}" in mounted
    wait_for_end(daemon_pid(folder / "log"))


def test_not_twice(command: Path, image: Path) -> None:
    (command.parent / "m").mkdir()
    once = "mount -t fuse.isomount 'a disc.iso' m -o ro,log=$PWD/log"
    done = run_script(command, f"{once}; {once} || echo $?; umount m")
    assert done.stdout == "10\n"
    assert "this very image is mounted there already" in done.stderr
    wait_for_end(daemon_pid(command.parent / "log"))
