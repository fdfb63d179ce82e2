"""Installing files into a user's data directory, and removing exactly those again.

A record there holds the digest of each file that was written and the directories that were created
for them. Files of other origin, and files changed since, are left alone.
"""

import contextlib
import enum
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from isomount.desktop.files import make_directories, read, replace, told

_RECORD = "isomount/integrated.json"


class Fate(enum.Enum):
    """What was done with a file."""

    PLACED = "placed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    LEFT = "left"


Outcome = tuple[Fate, str]  # the absolute path


@dataclass
class PlacedFiles:
    """What was written: the digest of each file by its name relative to the data directory.

    ``directories`` are the absolute paths of those that were created.
    """

    files: dict[str, str] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)

    def has(self, name: str, data: bytes) -> bool:
        """Whether ``data`` is what was written as ``name``."""
        return self.files.get(name) == _digest(data)


def read_record(share: str) -> PlacedFiles:
    """The record in the data directory ``share``; empty if there is none."""
    try:
        with open(os.path.join(share, _RECORD), encoding="utf-8") as file:
            found = json.load(file)
        return PlacedFiles(dict(found["files"]), [str(each) for each in found["folders"]])
    except (OSError, ValueError, KeyError, TypeError):
        return PlacedFiles()


def place(share: str, files: Mapping[str, bytes]) -> list[Outcome]:
    """Write ``files``, named relative to ``share``. On failure, everything is undone.

    Raises IsomountError.
    """
    record = read_record(share)
    outcomes = []
    with contextlib.ExitStack() as undo, told(share, "XDG_DATA_HOME"):
        for name, data in files.items():
            path = os.path.join(share, name)
            if os.path.islink(path):  # not created by us
                outcomes.append((Fate.LEFT, path))
                continue
            found = read(path)
            if found is not None and found != data and not record.has(name, found):
                outcomes.append((Fate.LEFT, path))
                continue
            if found != data:
                record.directories += _write(path, data, undo.callback)
            record.files[name] = _digest(data)
            outcomes.append((Fate.UNCHANGED if found == data else Fate.PLACED, path))
        _write_record(share, record, undo.callback)
        undo.pop_all()
    return outcomes


def remove(share: str) -> list[Outcome]:
    """Remove the files that were written, not the directories. Raises IsomountError."""
    record = read_record(share)
    outcomes = []
    with told(share, "XDG_DATA_HOME"):
        for name in record.files:
            path = os.path.join(share, name)
            if os.path.islink(path):
                outcomes.append((Fate.LEFT, path))
                continue
            found = read(path)
            if found is None:
                continue
            ours = record.has(name, found)
            if ours:
                os.unlink(path)
            outcomes.append((Fate.REMOVED if ours else Fate.LEFT, path))
    return outcomes


def forget(share: str) -> None:
    """Remove the record, and created directories that are empty. Raises IsomountError."""
    directories = read_record(share).directories
    with told(share, "XDG_DATA_HOME"), contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(share, _RECORD))
    for directory in reversed(directories):
        with contextlib.suppress(OSError):  # not empty
            os.rmdir(directory)


def _write(path: str, data: bytes, undo: Callable[..., object]) -> list[str]:
    """Write a file atomically. Returns the directories that were created for it."""
    before = read(path)
    made = list(make_directories(os.path.dirname(path), undo))
    replace(path, data)
    if before is None:
        undo(os.unlink, path)
    else:
        undo(replace, path, before)
    return made


def _write_record(share: str, record: PlacedFiles, undo: Callable[..., object]) -> None:
    path = os.path.join(share, _RECORD)
    record.directories += make_directories(os.path.dirname(path), undo)
    # "folders" is what earlier versions wrote, and must still be able to remove.
    found = {"files": record.files, "folders": record.directories}
    text = json.dumps(found, indent=2) + "\n"
    if read(path) != text.encode():
        _write(path, text.encode(), undo)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
