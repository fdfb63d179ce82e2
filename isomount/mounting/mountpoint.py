"""The mount point: checked before anything is mounted, created if missing, removed afterwards."""

import contextlib
import fcntl
import os
import pwd
import shlex
import stat
import time

from isomount.containers.names import stem
from isomount.containers.paths import locate
from isomount.errors import MountPointError
from isomount.mounting.shut_out import advice
from isomount.sources import file_name, is_remote

# How long to wait for the daemon of an ended mount to remove its mount point, in seconds.
_FAREWELL = 5.0

# Marks a directory created for a mount, so that it can be removed after the daemon was killed.
_MARK = "user.isomount.made"


class MountPoint:
    """A directory to mount on. ``path`` is absolute and without links.

    A directory created for the mount stays locked (flock) until the daemon has removed it, so that
    other processes can wait for that.
    """

    def __init__(self, path: str, *, made: bool) -> None:
        self.path = path
        self._handle = _lock(path) if made else None

    @property
    def made(self) -> bool:
        """Whether it was created for this mount."""
        return self._handle is not None

    def leave_to_daemon(self) -> None:
        """Close it in this process: the forked daemon keeps the lock and removes it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def remove(self) -> None:
        """Remove the directory if it was created for the mount and is still the same, and empty."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        try:
            # Fails if the directory is gone, or still has a dead mount on it.
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(handle), os.lstat(self.path)):
                    os.rmdir(self.path)
        finally:
            os.close(handle)


def await_farewell(path: str, patience: float = _FAREWELL) -> None:
    """Wait until the daemon of a mount that has ended has removed the directory ``path``."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return  # gone, or not created by this user
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
        return  # the file system has no locks
    finally:
        os.close(handle)


def default_for(image: str) -> str:
    """The default mount point of an image: beside its file, named like the image.

    That of an image far away is in the current directory.
    """
    if is_remote(image):
        return stem(file_name(image)) or "disc"
    name = stem(image)
    is_bare = name == os.path.basename(image)
    return os.path.join(os.path.dirname(locate(image).file), f"{name}.mnt" if is_bare else name)


def _lock(path: str) -> int:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with contextlib.suppress(OSError):  # no locks: others cannot wait
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def make(path: str) -> MountPoint:
    """Create the directory ``path``. Raises MountPointError."""
    parent = os.path.dirname(path)
    try:
        os.mkdir(path)
    except FileExistsError:
        raise MountPointError(f"{path}: is a link that leads nowhere; name a folder") from None
    except OSError as error:
        if not os.path.exists(parent):  # /proc fails this way too
            raise MountPointError(
                f"{path}: cannot be made because the folder {parent} is missing; make that first"
            ) from None
        raise MountPointError(
            f"{path}: cannot be made in {parent}: {error.strerror}"
            f"{advice(path) if isinstance(error, PermissionError) else ''}{instead(path)}"
        ) from error
    with contextlib.suppress(OSError):  # no attributes: it will not be removed after a kill
        os.setxattr(path, _MARK, b"")
    return MountPoint(os.path.realpath(path), made=True)


def instead(path: str) -> str:
    """The remedy for an unusable ``path``: where such a directory could be created."""
    above = (os.environ.get("HOME", ""), os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp")
    for directory in filter(os.path.isabs, above):
        place = os.path.join(directory, os.path.basename(path))
        if os.access(directory, os.W_OK | os.X_OK) and not os.path.lexists(place):
            return f"; name a mount point in a folder of your own, such as {shlex.quote(place)}"
    return "; name a mount point in a folder of your own"


def is_marked(path: str) -> bool:
    """Whether this directory was left behind by a daemon that was killed."""
    try:
        os.getxattr(path, _MARK)
    except OSError:
        return False
    return os.stat(path).st_uid == os.geteuid()


def check_directory(path: str, *, nonempty: bool) -> None:
    """Raise MountPointError unless this user may mount on ``path``."""
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
    """The rule that fusermount3 applies to ordinary users."""
    if status.st_mode & stat.S_ISVTX and status.st_uid != os.getuid():
        raise MountPointError(f"{path}: belongs to another user{_ownership(path)}{instead(path)}")
    if os.access(path, os.W_OK):
        return
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        raise MountPointError(f"{path}: its file system is read-only{instead(path)}")
    raise MountPointError(f"{path}: is not writable for you{_ownership(path)}{instead(path)}")


def _ownership(path: str) -> str:
    """What fusermount3 wants of the mount point, also for the option user of fstab."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # the user id has no name
        user = str(os.getuid())
    change = f"chown {shlex.quote(user)} {shlex.quote(path)}"
    return f", and it has to be yours to mount on it: as root, {change}"


def _is_empty(path: str) -> bool:
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except PermissionError:
        return True  # unreadable: no visible file gets hidden
