"""The images that this user mounted, most recent first: a private file of the user's state."""

import contextlib
import fcntl
import json
import os
import time
from typing import NamedTuple

from isomount.state.directory import state_directory

_FILE = "recent.json"
_KEPT = 100


class Recent(NamedTuple):
    """An image by its absolute path, and when it was mounted last, in seconds since 1970."""

    image: str
    when: float


def remember(image: str) -> None:
    """Put ``image`` first. Where there is no place for the file, nothing is remembered."""
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
    return [each for each in _read(directory) if os.path.exists(each.image)] if directory else []


class _Lock:
    """Two mounts that begin at once must not forget one another's images."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._fd = -1

    def __enter__(self) -> None:
        self._fd = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _read(directory: str) -> list[Recent]:
    """What is in the file; nothing when it is missing or is not ours."""
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
