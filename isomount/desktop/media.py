"""The directory where desktops look for a user's mounts, and names for mount points in it.

GIO, through which file managers look, lists mounts below /run/media/USER, below /media and in the
home, unless a directory on the way begins with a dot, but not those in $XDG_RUNTIME_DIR. As
/run/media/USER is often root's, mounts are in the home as a rule. The directory there is called
Discs and not isomount: that is what a clone of isomount's sources is called.
"""

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
_HOME_DIRECTORY = "Discs"
_NAME_AT_MOST = 64


def safe_directory_name(label: str) -> str:
    """``label`` as the name of a visible directory; "" if no usable character is left."""
    text = "".join(c if c.isprintable() and c != "/" else " " for c in label)
    text = " ".join(text.split()).lstrip(".-~ ")[:_NAME_AT_MOST]
    # Without lone surrogates, and at most 200 bytes: NAME_MAX less room for a number.
    return text.encode("utf-8", "ignore")[:200].decode("utf-8", "ignore").rstrip()


@contextmanager
def locked(directory: str) -> Iterator[None]:
    """Lock ``directory``, so that two clicks do not mount an image twice."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # the file system has no locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        # The previous holder of the lock may have removed it again after a failure.
        os.makedirs(directory, 0o700, exist_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):  # unlock now, as the daemon may inherit the descriptor
            fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def find_media_directory(image: str) -> tuple[str, list[str]]:
    """The directory for mount points, and the directories created for it, innermost first.

    Raises MountPointError.
    """
    for directory in _media_directories():
        made = _missing(directory)
        with contextlib.suppress(OSError):
            os.makedirs(directory, 0o700, exist_ok=True)
        if os.path.isdir(directory) and os.access(directory, os.W_OK | os.X_OK):
            return directory, made
        remove(made)
    raise MountPointError(
        "there is no folder of yours to mount in (/run/media, your home); name one with: "
        f"isomount {shlex.quote(image)} FOLDER"
    )


def _missing(directory: str) -> list[str]:
    missing = []
    while not os.path.lexists(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    return missing


def remove(made: Sequence[str]) -> None:
    """Remove the directories created for a mount; ``made`` has the innermost first."""
    with contextlib.suppress(OSError):  # not empty any more
        for directory in made:
            os.rmdir(directory)


def _media_directories() -> Iterator[str]:
    with contextlib.suppress(KeyError):  # the user id has no name
        yield os.path.join(_RUN_MEDIA, pwd.getpwuid(os.geteuid()).pw_name)
    home = os.environ.get("HOME", "")
    if os.path.isabs(home) and home != "/" and os.path.isdir(home):
        yield os.path.join(home, _HOME_DIRECTORY)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime):
        yield os.path.join(runtime, "media")


def free_name(directory: str, name: str) -> str:
    """``name``, with a number appended if it exists in ``directory``.

    Only the listing is read: a stat could hang on a dead mount.
    """
    taken = set(os.listdir(directory)) | {os.path.basename(mount.path) for mount in all_mounts()}
    number = 1
    candidate = name
    while candidate in taken:
        number += 1
        candidate = f"{name} {number}"
    return candidate
