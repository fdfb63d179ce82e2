"""The folder to mount on: looked at before anything is done, made when missing, removed if made."""

import contextlib
import errno
import fcntl
import os
import shlex
import stat
import time
from collections.abc import Callable

from isomount.daemon.detach import unmount
from isomount.daemon.mounts import all_mounts, is_same_image, mount_at
from isomount.daemon.probe import stat_errno
from isomount.daemon.register import as_running
from isomount.errors import IsomountError, MountPointError

# How long to wait for a daemon whose mount was just ended to clear its folder away, in seconds.
_FAREWELL = 5.0

# On a folder that was made for a mount, for who comes after a daemon that was killed.
_MARK = "user.isomount.made"


class MountPoint:
    """A folder that can be mounted on. ``path`` is absolute and without links.

    A folder that was made for the mount is locked (flock) until the daemon has removed it again:
    so whoever ended the mount, or wants to use the place next, can wait for that.
    """

    def __init__(self, path: str, *, made: bool) -> None:
        self.path = path
        self._handle = _lock(path) if made else None

    @property
    def made(self) -> bool:
        """Whether it exists for this mount only."""
        return self._handle is not None

    def leave_to_daemon(self) -> None:
        """Keep no hold of the folder here: it is the daemon's, forked off, to remove."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def remove(self) -> None:
        """Remove the folder if it was made for the mount, and is still that folder, and empty."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        try:
            # Raises when the folder is gone, or dead because of a crash: then it has to stay.
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(handle), os.lstat(self.path)):
                    os.rmdir(self.path)
        finally:
            os.close(handle)


def prepare(
    path: str, image: str, *, nonempty: bool, tell: Callable[[str], None] = lambda _: None
) -> MountPoint:
    """Check that ``image`` can be mounted on ``path`` and make the folder if it is missing.

    A dead mount of isomount's there, which this user may end, is cleared away; ``tell`` gets a
    sentence about that. Raises MountPointError with the reason and the remedy.
    """
    answer = stat_errno(path)
    if answer == 0 and mount_at(os.path.realpath(path)) is None:
        await_farewell(path)
        answer = stat_errno(path)
    while answer == errno.ENOTCONN and _clear_dead(path, tell):
        answer = stat_errno(path)
    if answer == errno.ENOENT:
        return _make(path)
    _check_mounts(path, image, answer)
    if answer:
        raise MountPointError(
            f"{path}: cannot be used as mount point: {os.strerror(answer)}{_instead(path)}"
        )
    path = os.path.realpath(path)
    _check_folder(path, nonempty=nonempty)
    return MountPoint(path, made=_is_marked(path))


def await_farewell(path: str, patience: float = _FAREWELL) -> None:
    """Wait while a daemon is about to remove the folder ``path``, which is no longer mounted on."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return  # gone, or none that this user could have made
    deadline = time.monotonic() + patience
    try:
        while time.monotonic() < deadline:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.01)
            else:
                return
    except OSError:
        return  # a file system without locks
    finally:
        os.close(handle)


def default_for(image: str) -> str:
    """The mount point for an image when none is named: beside it, named like it."""
    stem, ending = os.path.splitext(image)
    return stem if ending else f"{image}.mnt"


def _lock(path: str) -> int:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with contextlib.suppress(OSError):  # a file system without locks: nobody can wait, that is all
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def _make(path: str) -> MountPoint:
    parent = os.path.dirname(path)
    try:
        os.mkdir(path)
    except FileExistsError:
        raise MountPointError(f"{path}: is a link that leads nowhere; name a folder") from None
    except OSError as error:
        if not os.path.exists(parent):  # a file system such as /proc says so as well
            raise MountPointError(
                f"{path}: cannot be made because the folder {parent} is missing; make that first"
            ) from None
        raise MountPointError(
            f"{path}: cannot be made in {parent}: {error.strerror}{_instead(path)}"
        ) from error
    with contextlib.suppress(OSError):  # a file system without attributes: then it will stay
        os.setxattr(path, _MARK, b"")
    return MountPoint(os.path.realpath(path), made=True)


def _instead(path: str) -> str:
    """The remedy where ``path`` is no use: a folder of that name that could be made."""
    above = (os.environ.get("HOME", ""), os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp")
    for folder in filter(os.path.isabs, above):
        place = os.path.join(folder, os.path.basename(path))
        if os.access(folder, os.W_OK | os.X_OK) and not os.path.lexists(place):
            return f"; name a mount point in a folder of your own, such as {shlex.quote(place)}"
    return "; name a mount point in a folder of your own"


def _is_marked(path: str) -> bool:
    """Whether a daemon that did not live to remove it has made this folder."""
    try:
        os.getxattr(path, _MARK)
    except OSError:
        return False
    return os.stat(path).st_uid == os.geteuid()


def _clear_dead(path: str, tell: Callable[[str], None]) -> bool:
    """Unmount the dead mount of isomount's that ``path`` is, and say so.

    Returns whether there was one and it could be unmounted.
    """
    mount = mount_at(os.path.realpath(path))
    if mount is None or not mount.is_isomount:
        return False
    with contextlib.suppress(IsomountError):  # somebody else's, say: the caller tells the remedy
        unmount(mount.path, lazy=True)
        tell(f"{path}: cleared away the mount of {mount.source}, whose daemon had died")
        return True
    return False


def _check_mounts(path: str, image: str, answer: int | None) -> None:
    # Following links is safe where stat answered; where it hangs realpath would hang as well.
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
    """How to get rid of the FUSE mount that ``place`` is, or lies in."""
    around = [each for each in all_mounts() if f"{place}/".startswith(each.path.rstrip("/") + "/")]
    mount = max(around, key=lambda each: len(each.path), default=None)
    if mount is None or not mount.kind.startswith("fuse"):
        return "; unmount that first"
    return f"; clear it with: fusermount3 -u -z {shlex.quote(mount.path)}"


def _check_folder(path: str, *, nonempty: bool) -> None:
    status = os.stat(path)
    if not stat.S_ISDIR(status.st_mode):
        raise MountPointError(f"{path}: is a file; the mount point has to be a folder")
    if os.geteuid() != 0:
        _check_rights(path, status)
    if not nonempty and not _is_empty(path):
        raise MountPointError(
            f"{path}: is not empty; name an empty folder, or hide what it holds with -o nonempty"
        )


def _check_rights(path: str, status: os.stat_result) -> None:
    """Fusermount3's rule for ordinary users."""
    if status.st_mode & stat.S_ISVTX and status.st_uid != os.getuid():
        raise MountPointError(f"{path}: belongs to another user{_instead(path)}")
    if not os.access(path, os.W_OK):
        read_only = os.statvfs(path).f_flag & os.ST_RDONLY
        why = "its file system is read-only" if read_only else "is not writable for you"
        raise MountPointError(f"{path}: {why}{_instead(path)}")


def _is_empty(path: str) -> bool:
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except PermissionError:
        return True  # writable but not readable: nobody can say, and nothing visible gets hidden
