"""What is kept of images below the user's cache directory: indexes, and decoded copies.

Everything there can be made again. A name tells what it was made of (see ``key_of``), so what was
made of another file is never found; two processes may keep the same thing at once; what a killed
one leaves behind is found to be incomplete, or is no name at all. Used least recently goes first.
"""

import hashlib
import os
import tempfile
from contextlib import suppress
from typing import NamedTuple

from isomount.errors import IsomountError
from isomount.room import cache_directory, room_in
from isomount.sources import Source

# Bytes that are looked at in the beginning, the middle and the end of a file to know it again.
_SAMPLE = 64 << 10


class Shelf(NamedTuple):
    """A directory of kept files, which together take ``limit`` bytes, or the latest one alone."""

    name: str
    limit: int

    @property
    def directory(self) -> str | None:
        """Its path; it is made if it is missing. None if there is nowhere to keep anything."""
        cache = cache_directory()
        if cache is None:
            return None
        path = os.path.join(cache, "isomount", self.name)
        try:
            os.makedirs(cache, exist_ok=True)
            os.makedirs(path, 0o700, exist_ok=True)
        except OSError:
            return None
        return path if os.access(path, os.R_OK | os.W_OK | os.X_OK) else None

    def path(self, name: str) -> str | None:
        """Where the file ``name`` is or would be; None if there is nowhere."""
        directory = self.directory
        return None if directory is None else os.path.join(directory, name)

    def find(self, name: str) -> str | None:
        """The path of the kept file ``name``, which has been used now; None if there is none."""
        path = self.path(name)
        if path is None:
            return None
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def unnamed(self) -> int:
        """A descriptor of a new file there that vanishes with it, unless ``keep`` names it.

        Where nothing can be kept it is a temporary file elsewhere. Raises OSError.
        """
        for place in (self.directory, tempfile.gettempdir()):
            with suppress(OSError):  # not every file system can make files without a name
                if place is not None:
                    return os.open(place, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())

    def keep(self, descriptor: int, name: str) -> None:
        """Give the file that ``unnamed`` made its name, if that can be."""
        path = self.path(name)
        if path is None:
            return
        with suppress(OSError):  # somebody else kept it meanwhile, or it was made elsewhere
            # Only with a directory, which an absolute path does not need, does Python call
            # linkat(2), and link(2) does not follow the link that leads to the file.
            os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)
        self.trim()

    def room(self) -> tuple[str, int]:
        """Where ``unnamed`` makes files, and how many bytes may be written there."""
        place = self.directory or tempfile.gettempdir()
        return place, room_in(place)

    def trim(self) -> None:
        """Remove what was used least recently, until the rest is within the limit."""
        directory = self.directory
        if directory is None:
            return
        with suppress(OSError):
            groups = _groups(directory)
            total = sum(group.size for group in groups)
            for group in groups[:-1]:  # the latest stays in any case
                if total <= self.limit:
                    break
                total -= group.size
                for path in group.paths:
                    with suppress(OSError):
                        os.unlink(path)


INDEXES = Shelf("indexes", 512 << 20)
COPIES = Shelf("copies", 4 << 30)


class _Group(NamedTuple):
    """Files that belong together, as their names are the same up to a dot."""

    used: float
    size: int
    paths: list[str]


def _groups(directory: str) -> list[_Group]:
    """What is in ``directory``, used least recently first."""
    found: dict[str, _Group] = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                group = found.setdefault(entry.name.partition(".")[0], _Group(0, 0, []))
                group.paths.append(entry.path)
                found[entry.name.partition(".")[0]] = _Group(
                    max(group.used, status.st_mtime), group.size + status.st_size, group.paths
                )
    return sorted(found.values())


def key_of(file: Source, *made: str) -> str | None:
    """The name for what is ``made`` of ``file``: another one for every other file.

    It is made of the file's size, the time of its last change where the source knows that, and a
    sample of its bytes. None if the file cannot be read.
    """
    found = hashlib.sha256("\0".join(made).encode("utf-8", "surrogateescape"))
    found.update(f"\0{file.size}\0{getattr(file, 'modified', None)}\0".encode())
    try:
        for offset in (0, file.size // 2, max(0, file.size - _SAMPLE)):
            found.update(file.read_at(offset, _SAMPLE))
    except (IsomountError, OSError):
        return None
    return found.hexdigest()[:40]
