"""Checks before mounting: a dead mount, another image or the same image at the mount point."""

import contextlib
import errno
import os
import shlex
from collections.abc import Callable

from isomount.errors import IsomountError, MountPointError
from isomount.mounting import mountpoint
from isomount.mounting.mountpoint import MountPoint, await_farewell
from isomount.mounting.mounts import all_mounts, is_same_image, mount_at
from isomount.mounting.probe import stat_errno
from isomount.mounting.unmount import unmount
from isomount.state.register import as_running


def prepare(
    path: str, image: str, *, nonempty: bool, tell: Callable[[str], None] = lambda _: None
) -> MountPoint:
    """Check that ``image`` can be mounted on ``path``; create the directory if it is missing.

    A dead isomount mount there is unmounted if this user may do so, and ``tell`` is called with a
    message about it. Raises MountPointError with the reason and the remedy.
    """
    answer = stat_errno(path)
    if answer == 0 and mount_at(os.path.realpath(path)) is None:
        await_farewell(path)
        answer = stat_errno(path)
    while answer == errno.ENOTCONN and _clear_dead(path, tell):
        answer = stat_errno(path)
    if answer == errno.ENOENT:
        return mountpoint.make(path)
    _check_mounts(path, image, answer)
    if answer:
        raise MountPointError(
            f"{path}: cannot be used as mount point: {os.strerror(answer)}"
            f"{mountpoint.instead(path)}"
        )
    path = os.path.realpath(path)
    mountpoint.check_directory(path, nonempty=nonempty)
    return MountPoint(path, made=mountpoint.is_marked(path))


def _clear_dead(path: str, tell: Callable[[str], None]) -> bool:
    """Unmount the dead isomount mount at ``path`` and report it.

    Returns whether there was one and it could be unmounted.
    """
    mount = mount_at(os.path.realpath(path))
    if mount is None or not mount.is_isomount:
        return False
    with contextlib.suppress(IsomountError):  # perhaps another user's; the caller names the remedy
        unmount(mount.path, lazy=True)
        tell(f"{path}: cleared away the mount of {mount.source}, whose daemon had died")
        return True
    return False


def _check_mounts(path: str, image: str, answer: int | None) -> None:
    # If stat does not return, realpath would not return either.
    place = path if answer is None else os.path.realpath(path)
    if answer is None:
        raise MountPointError(f"{path}: does not answer, what is mounted there hangs{_cure(place)}")
    if answer == errno.ENOTCONN:
        raise MountPointError(f"{path}: is dead, its daemon crashed or was killed{_cure(place)}")
    mount = mount_at(place)
    if mount is None or mount.may_be_covered:
        return
    if not mount.is_isomount:
        raise MountPointError(
            f"{path}: something else is mounted there already "
            f"({mount.source}, {mount.kind}); name another folder"
        )
    remedy = f"unmount it first with: isomount umount {shlex.quote(path)}"
    if not is_same_image(mount, image):
        raise MountPointError(f"{path}: another image, {mount.source}, is mounted there; {remedy}")
    if as_running(mount).shows(image):
        raise MountPointError(
            f"{path}: this very image is mounted there already; to mount it anew, {remedy}"
        )
    raise MountPointError(
        f"{path}: an older file of that name is mounted there; to mount the new one, {remedy}"
    )


def _cure(place: str) -> str:
    """The remedy: how to unmount the FUSE mount at or above ``place``."""
    around = [each for each in all_mounts() if f"{place}/".startswith(each.path.rstrip("/") + "/")]
    mount = max(around, key=lambda each: len(each.path), default=None)
    if mount is None or not mount.kind.startswith("fuse"):
        return "; unmount that first"
    return f"; clear it with: fusermount3 -u -z {shlex.quote(mount.path)}"
