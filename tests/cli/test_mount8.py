"""Mounting through mount(8) and /etc/fstab: it runs the command that it finds in the system's PATH.

Each test is a script in a mount namespace of its own, with the command put into /usr/local/sbin and
an fstab of its own.
"""

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.command import CHECKOUT, ORDINARY_USER, PATIENCE, daemon_pid, wait_for_end

# Private to each script: the command, and what it imports, where everyone may look.
_PLACE = "/usr/local/sbin"
_AS_USER = f"setpriv --reuid={ORDINARY_USER} --regid={ORDINARY_USER} --clear-groups"


def _user_runs(python: str) -> bool:
    # By a shell: setpriv itself still has root's rights when it looks for the program.
    words = [*_AS_USER.split(), "sh", "-c", f"exec {shlex.quote(python)} -c pass"]
    return subprocess.run(words, capture_output=True, check=False, cwd="/").returncode == 0


@pytest.fixture
def command(user_folder: Path) -> Path:
    """The command as a script that everyone can run, with nothing in the environment."""
    # A Python in root's home is nobody else's; the system's own of the same version will do.
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    pythons = [os.path.realpath(sys.executable), system]
    works = [python for python in pythons if _user_runs(python)]
    assert works, f"an ordinary user can run none of {pythons}"
    start = f"PYTHONPATH={_PLACE}/checkout:{_PLACE}/packages exec {works[0]} -W error"
    script = user_folder / "isomount"
    script.write_text(f'#!/bin/sh\n{start} -m isomount "$@"\n')
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
    packages = sysconfig.get_path("platlib")
    setup = (
        f"set -e; mount -t tmpfs -o mode=755 none {_PLACE}; cp {command} {_PLACE}/isomount; "
        f"mkdir {_PLACE}/checkout {_PLACE}/packages; mount --bind {packages} {_PLACE}/packages; "
        f"mount --bind {shlex.quote(str(CHECKOUT))} {_PLACE}/checkout; "
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
        f"{_AS_USER} mount m; {_AS_USER} stat -c %u m/readme.txt; "
        f'grep " $PWD/m " /proc/self/mountinfo; {_AS_USER} umount m'
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
