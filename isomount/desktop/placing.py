"""Files put into a user's own share folder, and taken out of it again: those and nothing else.

A record in that folder says what was written, by digest, and which folders were made for it. What
is there but was written by somebody else, or changed since, is left as it is.
"""

import contextlib
import enum
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

from isomount.errors import IsomountError

_RECORD = "isomount/integrated.json"
_DRAFT = ".isomount-"

_WRITABLE = "make the folder that it is in writable for you"
_REMEDIES = {
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
    errno.ENOTDIR: "move away the file that is where its folder belongs",
    errno.EISDIR: "move that folder away",
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
}


class Fate(enum.Enum):
    """What became of a file."""

    PLACED = "placed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    LEFT = "left"


Outcome = tuple[Fate, str]  # with the absolute path


@dataclass
class PlacedFiles:
    """What was written: digests by names relative to the share folder, and folders by path."""

    files: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)

    def has(self, name: str, data: bytes) -> bool:
        """Whether ``data`` is what was written as ``name``."""
        return self.files.get(name) == _digest(data)


def read_record(share: str) -> PlacedFiles:
    """The record of the folder ``share``; an empty one where there is none."""
    try:
        with open(os.path.join(share, _RECORD), encoding="utf-8") as file:
            found = json.load(file)
        return PlacedFiles(dict(found["files"]), [str(each) for each in found["folders"]])
    except (OSError, ValueError, KeyError, TypeError):
        return PlacedFiles()


def place(share: str, files: Mapping[str, bytes]) -> list[Outcome]:
    """Write ``files``, by names relative to ``share``: all of them, or none if that fails.

    Raises IsomountError.
    """
    record = read_record(share)
    outcomes = []
    with contextlib.ExitStack() as undo, _told(share):
        for name, data in files.items():
            path = os.path.join(share, name)
            if os.path.islink(path):  # not of our making, wherever it leads
                outcomes.append((Fate.LEFT, path))
                continue
            found = _read(path)
            if found is not None and found != data and not record.has(name, found):
                outcomes.append((Fate.LEFT, path))
                continue
            if found != data:
                record.folders += _write(path, data, undo.callback)
            record.files[name] = _digest(data)
            outcomes.append((Fate.UNCHANGED if found == data else Fate.PLACED, path))
        _write_record(share, record, undo.callback)
        undo.pop_all()
    return outcomes


def remove(share: str) -> list[Outcome]:
    """Remove the files that were written. Folders stay until ``forget``. Raises IsomountError."""
    record = read_record(share)
    outcomes = []
    with _told(share):
        for name in record.files:
            path = os.path.join(share, name)
            if os.path.islink(path):
                outcomes.append((Fate.LEFT, path))
                continue
            found = _read(path)
            if found is None:
                continue
            ours = record.has(name, found)
            if ours:
                os.unlink(path)
            outcomes.append((Fate.REMOVED if ours else Fate.LEFT, path))
    return outcomes


def forget(share: str) -> None:
    """Remove the record, and the folders made that are empty now. Raises IsomountError."""
    folders = read_record(share).folders
    with _told(share), contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(share, _RECORD))
    for folder in reversed(folders):
        with contextlib.suppress(OSError):  # something else is in it by now
            os.rmdir(folder)


def _write(path: str, data: bytes, undo: Callable[..., object]) -> list[str]:
    """Write a file whole or not at all. Returns the folders that it took."""
    before = _read(path)
    made = list(_make_folders(os.path.dirname(path), undo))
    _replace(path, data)
    if before is None:
        undo(os.unlink, path)
    else:
        undo(_replace, path, before)
    return made


def _write_record(share: str, record: PlacedFiles, undo: Callable[..., object]) -> None:
    path = os.path.join(share, _RECORD)
    record.folders += _make_folders(os.path.dirname(path), undo)
    text = json.dumps(asdict(record), indent=2) + "\n"
    if _read(path) != text.encode():
        _write(path, text.encode(), undo)


def _make_folders(folder: str, undo: Callable[..., object]) -> Iterator[str]:
    if os.path.isdir(folder):
        return
    yield from _make_folders(os.path.dirname(folder), undo)
    os.mkdir(folder)
    undo(os.rmdir, folder)
    yield folder


def _replace(path: str, data: bytes) -> None:
    """The new file has the old one's name only when it is complete."""
    fd, draft = tempfile.mkstemp(prefix=_DRAFT, dir=os.path.dirname(path))
    try:
        with open(fd, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o644)
        os.replace(draft, path)
    except BaseException:  # Ctrl-C as well: no draft may stay
        os.unlink(draft)
        raise


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def _told(share: str) -> Iterator[None]:
    """An OSError as a sentence."""
    try:
        yield
    except OSError as error:
        path = str(error.filename2 or error.filename or share)
        if os.path.basename(path).startswith(_DRAFT):  # of no interest: the folder is
            path = os.path.dirname(path)
        remedy = _REMEDIES.get(error.errno or 0, "set XDG_DATA_HOME to another folder")
        raise IsomountError(f"{path}: {error.strerror}; {remedy}, and run this again") from error
