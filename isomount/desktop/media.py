"""Where a desktop looks for the mounts of its user, and how a mount point there is called."""

import contextlib
import fcntl
import os
import pwd
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from isomount.errors import MountPointError
from isomount.mounting.mounts import all_mounts

_RUN_MEDIA = "/run/media"
_HOME_FOLDER = "isomount"
_NAME_AT_MOST = 64


def safe_directory_name(label: str) -> str:
    """``label`` as the name of one visible folder; "" when nothing of it is left."""
    text = "".join(c if c.isprintable() and c != "/" else " " for c in label)
    text = " ".join(text.split()).lstrip(".-~ ")[:_NAME_AT_MOST]
    # No lone surrogates, and in bytes no more than a folder's name may have.
    return text.encode("utf-8", "ignore")[:200].decode("utf-8", "ignore").rstrip()


@contextmanager
def locked(folder: str) -> Iterator[None]:
    """``folder``, locked: two clicks at once are not to mount an image twice."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        # Whoever had the lock may have failed, and removed the folder that it had made.
        os.makedirs(folder, 0o700, exist_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):  # the daemon may hold the descriptor a little longer
            fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def find_media_directory(image: str) -> tuple[str, list[str]]:
    """The folder for mount points, and which folders were made to have it, the innermost first."""
    for folder in _media_folders():
        made = _missing(folder)
        with contextlib.suppress(OSError):
            os.makedirs(folder, 0o700, exist_ok=True)
        if os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder, made
        remove(made)
    raise MountPointError(
        "there is no folder of yours to mount in (/run/media, your home); name one with: "
        f"isomount {shlex.quote(image)} FOLDER"
    )


def _missing(folder: str) -> list[str]:
    missing = []
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing


def remove(made: Sequence[str]) -> None:
    """Remove the directories that were made for a mount, the innermost first."""
    with contextlib.suppress(OSError):  # somebody else has put something there meanwhile
        for folder in made:
            os.rmdir(folder)


def _media_folders() -> Iterator[str]:
    with contextlib.suppress(KeyError):  # a user without a name
        yield os.path.join(_RUN_MEDIA, pwd.getpwuid(os.geteuid()).pw_name)
    home = os.environ.get("HOME", "")
    if os.path.isabs(home) and home != "/" and os.path.isdir(home):
        yield os.path.join(home, _HOME_FOLDER)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime):
        yield os.path.join(runtime, "media")


def free_name(folder: str, name: str) -> str:
    """``name``, or with a number behind it, that nothing in ``folder`` has.

    Names are looked up in the folder's listing: to look at one could hang at a dead mount.
    """
    taken = set(os.listdir(folder)) | {os.path.basename(mount.path) for mount in all_mounts()}
    number = 1
    candidate = name
    while candidate in taken:
        number += 1
        candidate = f"{name} {number}"
    return candidate
