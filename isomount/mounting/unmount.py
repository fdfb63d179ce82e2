"""Unmounting with fusermount3, or with umount where that is not there or cannot do it."""

import os
import shlex
import subprocess

from isomount.errors import FuseUnavailableError, IsomountError
from isomount.programs import find_program

# What an ordinary user's fusermount3 looks into, and a container may lack. umount, which the
# kernel's own table is enough for, lets users unmount what is mounted for them as well.
_NO_TABLE = b"/etc/mtab"


class BusyError(IsomountError):
    """The mount is in use."""


def unmount(path: str, *, lazy: bool) -> None:
    """Unmount what is mounted on the absolute ``path``.

    ``lazy`` detaches a mount in use; its open files stay readable. Raises BusyError for a mount in
    use, or IsomountError with the reason and the remedy.
    """
    result = _run(_command(path, lazy=lazy))
    umount = find_program("umount")
    if result.returncode and _NO_TABLE in result.stderr and umount is not None:
        result = _run(_umount(umount, path, lazy=lazy))
    if result.returncode == 0:
        return
    said = os.fsdecode(result.stderr).strip()
    if "busy" in said:
        raise BusyError(
            f"{path}: is in use; close the programs that use it, or detach it from them with: "
            f"isomount umount --lazy {shlex.quote(path)}"
        )
    reason = said.splitlines()[-1] if said else f"exit code {result.returncode}"
    lazily = "--lazy " if os.geteuid() == 0 else ""
    raise IsomountError(
        f"{path}: cannot be unmounted: {reason}; as root, try: umount {lazily}{shlex.quote(path)}"
    )


def _run(command: list[str]) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:  # no process can be started
        raise IsomountError(f"{command[0]} cannot be run: {error.strerror}; try again") from error


def _umount(program: str, path: str, *, lazy: bool) -> list[str]:
    # -i: without umount's helper for FUSE, which is fusermount3 again.
    return [program, "-i", *(["-l"] if lazy else []), "--", path]


def _command(path: str, *, lazy: bool) -> list[str]:
    fusermount = find_program("fusermount3")
    if fusermount is not None:
        return [fusermount, "-u", *(["-z"] if lazy else []), "--", path]
    umount = find_program("umount") if os.geteuid() == 0 else None
    if umount is not None:
        return _umount(umount, path, lazy=lazy)
    raise FuseUnavailableError(
        f"{path}: cannot be unmounted because fusermount3 is missing; install the package fuse3"
    )
