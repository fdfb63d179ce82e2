"""All images of which blocks are kept: a directory each, with files that can go one by one."""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

# The file beside those of blocks that says which image it is.
ABOUT = "about"
_ABOUT_AT_MOST = 4096


class Kept(NamedTuple):
    """What is kept of one version of an image: ``size`` bytes, ``used`` last in seconds since 1970.

    ``address`` is where it is from, "" if that is not known.
    """

    path: str
    address: str
    size: int
    used: float


class _File(NamedTuple):
    used: float
    size: int
    path: str


def kept(place: str) -> list[Kept]:
    """What is kept in ``place``, used least recently first."""
    found = []
    for directory in _directories(place):
        files = list(_files(directory))
        if files:
            size, used = sum(each.size for each in files), max(each.used for each in files)
            found.append(Kept(directory, _about(directory), size, used))
    return sorted(found, key=lambda each: each.used)


def trim(place: str, limit: int) -> None:
    """Remove what was used least recently, until the rest takes at most ``limit`` bytes."""
    files = sorted(file for directory in _directories(place) for file in _files(directory))
    total = sum(each.size for each in files)
    for each in files:
        if total <= limit:
            break
        total -= each.size
        with suppress(OSError):
            os.unlink(each.path)
    for directory in _directories(place):
        if not any(_files(directory)):
            _remove(directory)


def clear(place: str) -> int:
    """Remove everything. Returns how many bytes that were."""
    freed = sum(each.size for each in kept(place))
    trim(place, -1)
    return freed


def _directories(place: str) -> Iterator[str]:
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield entry.path


def _files(directory: str) -> Iterator[_File]:
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.isdigit():
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    # Blocks of the disk, of 512 bytes whatever the file system: it has holes.
                    yield _File(status.st_mtime, status.st_blocks * 512, entry.path)


def _about(directory: str) -> str:
    try:
        with open(os.path.join(directory, ABOUT), encoding="utf-8", errors="replace") as file:
            return file.read(_ABOUT_AT_MOST)
    except OSError:
        return ""


def _remove(directory: str) -> None:
    """A directory without blocks, unless somebody puts some there at this moment."""
    with suppress(OSError):
        os.unlink(os.path.join(directory, ABOUT))
    with suppress(OSError):
        os.rmdir(directory)
