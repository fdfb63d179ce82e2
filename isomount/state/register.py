"""The register of running mounts: what the mount table does not record.

Each daemon keeps a small file while its mount exists. The mount table (``mounts``) decides which
mounts exist: a file left by a killed daemon matches none of them and is ignored.
"""

import contextlib
import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

from isomount.containers.paths import exists, is_same, locate
from isomount.image import Image, absolute
from isomount.mounting.mounts import Mount, all_mounts, is_same_image, mount_at
from isomount.sources import is_remote

_DIRECTORY = "isomount"
_RUN = "/run"
# Where a user has no directory in /run, as in containers and under su: one of their own in there.
_SHARED = "/tmp"
_ENDING = ".json"
# An entry is a few hundred bytes; larger files are not entries.
_ENTRY_AT_MOST = 65_536


@dataclass(frozen=True, slots=True)
class MountEntry:
    """A running mount. ``size`` is the image's size in bytes, ``since`` is in seconds since 1970.

    ``image`` is the path that was given, made absolute; ``file`` is the same without links, of an
    image in an archive that of the archive.
    ``session`` is which is shown ("session 2 of 3"), "" where there is one.
    ``remark`` says what another view shows and this one does not. ``shown`` is the view with its
    session, and where in the file the image is unless it is the whole file. ``missing`` is how many
    bytes the image was too short when it was mounted. ``started`` is when the process ``pid``
    started, in clock ticks since boot: pids are reused.
    """

    device: str
    mountpoint: str
    image: str
    file: str
    view: str
    session: str
    remark: str
    label: str
    size: int
    since: float
    pid: int
    started: int
    shown: str = ""
    missing: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether the daemon is still running."""
        return _started(self.pid) == self.started

    @property
    def has_lost_image(self) -> bool:
        """Whether the image has been deleted, or replaced by another file with rename(2).

        Found out from the daemon's open files, without touching a file system that might hang. An
        image that was renamed or overwritten in place, or is another user's, is not detected.
        """
        return f"{self.file} (deleted)" in _open_files(self.pid)


class Registration:
    """The entry of this process's mount."""

    def __init__(self) -> None:
        self._path: str | None = None

    def enter(self, image: Image, mountpoint: str) -> None:
        """Write the entry. The mount works without one where it cannot be written."""
        mount = mount_at(mountpoint)
        directory = own_directory()
        if mount is None or directory is None:
            return
        entry = MountEntry(
            device=mount.device,
            mountpoint=mountpoint,
            image=absolute(image.name),
            file=_file_of(image.name),
            view=image.view,
            session=str(image.session),
            remark=image.remark,
            label=image.volume.label,
            size=image.size,
            since=time.time(),
            pid=os.getpid(),
            started=_started(os.getpid()),
            shown=image.shown,
            missing=image.missing,
        )
        with contextlib.suppress(OSError):
            os.makedirs(directory, 0o700, exist_ok=True)
            _sweep(directory)
            # Named by pid: device numbers are reused by the next mount at once.
            path = os.path.join(directory, f"{entry.pid}{_ENDING}")
            _write(path, json.dumps(asdict(entry)).encode("utf-8", "surrogateescape"))
            self._path = path

    def leave(self) -> None:
        """Remove the entry."""
        path, self._path = self._path, None
        if path is not None:
            with contextlib.suppress(OSError):  # already removed
                os.unlink(path)
            directory = os.path.dirname(path)
            with contextlib.suppress(OSError):  # other mounts have entries in it
                if directory == _shared_directory(os.geteuid()):
                    os.rmdir(directory)


def _file_of(image: str) -> str:
    """The file of ``image`` without links, or its address."""
    return image if is_remote(image) else os.path.realpath(locate(image).file)


def own_directory() -> str | None:
    """The directory of this user's entries, which may not exist; None if there is no suitable one.

    Root's does not depend on the environment, which differs under mount(8) and systemd.
    """
    if os.geteuid() == 0:
        return os.path.join(_RUN, _DIRECTORY)
    places = (os.environ.get("XDG_RUNTIME_DIR", ""), os.path.join(_RUN, "user", str(os.geteuid())))
    for place in places:
        if os.path.isabs(place) and _belongs_to_us(place):
            return os.path.join(place, _DIRECTORY)
    return _shared_directory(os.geteuid())


def entries() -> dict[tuple[str, str], MountEntry]:
    """The entries of this user, or of all users for root, by device and mount point.

    Files that are not valid entries are ignored.
    """
    found: dict[tuple[str, str], MountEntry] = {}
    for directory in _readable_directories():
        for entry in _entries_in(directory) if directory else ():
            found[entry.device, entry.mountpoint] = entry
    return found


class Running(NamedTuple):
    """A mount, with its entry in the register if it has one."""

    mount: Mount
    entry: MountEntry | None

    @property
    def image(self) -> str:
        """The image's absolute path; without an entry, the source in the mount table."""
        return self.entry.image if self.entry else self.mount.source

    @property
    def has_lost_image(self) -> bool:
        """Whether the image is known to have been deleted or replaced by another file."""
        return self.entry is not None and self.entry.has_lost_image

    def shows(self, image: str) -> bool:
        """Whether it shows the image at the absolute path ``image``, or the one deleted there.

        An image that has been replaced by another file does not count.
        """
        if self.has_lost_image and exists(image):
            return False
        return is_same(self.image, image) or is_same_image(self.mount, image)

    @property
    def is_dead(self) -> bool:
        """Whether its daemon is known to have died, so that the mount no longer works."""
        return self.entry is not None and not self.entry.is_alive


def as_running(mount: Mount) -> Running:
    """``mount`` with its entry."""
    return Running(mount, entries().get((mount.device, mount.path)))


def running(*, everybody: bool) -> list[Running]:
    """The mounts of isomount, this user's or everybody's, in the order of the mount table."""
    known = entries()
    found = [Running(mount, known.get((mount.device, mount.path))) for mount in all_mounts()]
    return [
        each
        for each in found
        # A mount with another subtype= is recognised by its entry.
        if (each.mount.is_isomount or each.entry is not None)
        and (everybody or each.mount.owner == os.geteuid())
    ]


def _shared_directory(user: int) -> str | None:
    """That of ``user`` in /tmp, which may not exist; None if it is somebody else's."""
    path = os.path.join(_SHARED, f"{_DIRECTORY}-{user}")
    try:
        status = os.lstat(path)
    except OSError:
        return path
    return path if stat.S_ISDIR(status.st_mode) and status.st_uid == user else None


def _readable_directories() -> Iterator[str | None]:
    yield own_directory()
    me = os.geteuid()
    for user in {mount.owner or 0 for mount in all_mounts()} if me == 0 else {me}:
        yield os.path.join(_RUN, "user", str(user), _DIRECTORY)
        yield _shared_directory(user)


def _entries_in(directory: str) -> list[MountEntry]:
    try:
        names = os.listdir(directory)
    except OSError:
        return []
    paths = [os.path.join(directory, name) for name in sorted(names) if name.endswith(_ENDING)]
    return [entry for entry in map(_read, paths) if entry is not None]


def _sweep(directory: str) -> None:
    """Remove entries of killed daemons whose mounts are gone."""
    there = {(mount.device, mount.path) for mount in all_mounts()}
    for entry in _entries_in(directory):
        if not entry.is_alive and (entry.device, entry.mountpoint) not in there:
            with contextlib.suppress(FileNotFoundError):  # removed by another process
                os.unlink(os.path.join(directory, f"{entry.pid}{_ENDING}"))


def _read(path: str) -> MountEntry | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                return None
            data = file.read(_ENTRY_AT_MOST)
        fields = json.loads(data.decode("utf-8", "surrogateescape"))
        entry = MountEntry(**fields)
    except (OSError, ValueError, TypeError):
        return None
    kinds = MountEntry.__annotations__
    right = all(isinstance(getattr(entry, name), (int, kind)) for name, kind in kinds.items())
    return entry if right else None


def _write(path: str, data: bytes) -> None:
    """Write the file atomically."""
    partial = f"{path}.{os.getpid()}"
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
    os.replace(partial, path)


def _belongs_to_us(directory: str) -> bool:
    try:
        status = os.stat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _started(pid: int) -> int:
    """When the process started; 0 if it has ended. Fields 3 and 22 of stat, proc(5)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return 0 if fields[0] in (b"Z", b"X") else int(fields[19])
    except (OSError, IndexError, ValueError):
        return 0


def _open_files(pid: int) -> set[str]:
    """The files that the process has open; empty for another user's process."""
    directory = f"/proc/{pid}/fd"
    found: set[str] = set()
    with contextlib.suppress(OSError):  # ended, or another user's
        for number in os.listdir(directory):
            with contextlib.suppress(OSError):  # closed in the meantime
                found.add(os.readlink(f"{directory}/{number}"))
    return found
