"""The images that this user mounted, kept in a file in the state directory."""

import contextlib
import fcntl
import json
import os
import time
from typing import NamedTuple

from isomount.containers.paths import exists
from isomount.state.directory import state_directory

_FILE = "recent.json"
_KEPT = 100


class Recent(NamedTuple):
    """The absolute path of an image, and when it was last mounted, in seconds since 1970."""

    image: str
    when: float


def remember(image: str) -> None:
    """Put ``image`` first. Does nothing where the file cannot be written."""
    directory = state_directory()
    if directory is None:
        return
    with contextlib.suppress(OSError):
        os.makedirs(directory, 0o700, exist_ok=True)
        with _Lock(directory):
            others = [each for each in _read(directory) if each.image != image]
            _write(directory, [Recent(image, time.time()), *others][:_KEPT])


def recent() -> list[Recent]:
    """The images that still exist, most recent first."""
    directory = state_directory()
    return [each for each in _read(directory) if exists(each.image)] if directory else []


class _Lock:
    """Serialises updates, so that two mounts at once do not lose each other's image."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._fd = -1

    def __enter__(self) -> None:
        self._fd = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # the file system has no locks
            fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _read(directory: str) -> list[Recent]:
    """The content of the file; empty if it is missing or malformed."""
    try:
        with open(os.path.join(directory, _FILE), "rb") as file:
            found = json.loads(file.read().decode("utf-8", "surrogateescape"))
        return [Recent(str(each["image"]), float(each["when"])) for each in found]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _write(directory: str, images: list[Recent]) -> None:
    text = json.dumps([each._asdict() for each in images], indent=1, ensure_ascii=False)
    partial = os.path.join(directory, f"{_FILE}.{os.getpid()}")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    os.replace(partial, os.path.join(directory, _FILE))
