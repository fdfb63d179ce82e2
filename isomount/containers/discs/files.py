"""The data files that a sheet names, found where and as they are by now.

Sheets outlive what they say: files are renamed, moved from Windows, compressed, or their sheet is
renamed with them. Only regular files beside the sheet, or where it names them relative to itself,
are opened.
"""

import errno
import os
import re
from collections.abc import Iterator, Sequence
from posixpath import basename, dirname, join, normpath, splitext

from isomount.containers.base import Surroundings
from isomount.containers.discs.text import folded
from isomount.containers.recognise import decompressed
from isomount.errors import (
    DamagedImageError,
    ImageUnreadableError,
    MissingImageError,
)
from isomount.sources import Source

# What files of sectors are called, and what files of audio became.
DATA_ENDINGS = (".bin", ".img", ".iso", ".raw", ".mdf")
AUDIO_ENDINGS = (
    ".wav",
    ".flac",
    ".ape",
    ".wv",
    ".mp3",
    ".ogg",
    ".m4a",
    ".aiff",
    ".aif",
    *DATA_ENDINGS,
)
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".ecm")
# A track may have a file for its pregap and one for itself.
_FILES_AT_MOST = 200
_SHOWN_AT_MOST = 4
_NAME_AT_MOST = 255
_ABSOLUTE = re.compile(r"[A-Za-z]:|/")
# What tells the files of one disc apart: "Game (Track 02).bin".
_TRACK = re.compile(r"[ _.(-]*track[ _]*\d+[^/]*$", re.IGNORECASE)


class DataFiles:
    """The files that ``sheet`` names, opened once each, until ``close``."""

    def __init__(self, sheet: Source, surroundings: Surroundings, named: Sequence[str]) -> None:
        """``named`` are the names of all data files as the sheet has them.

        Raises DamagedImageError if they are too many.
        """
        if len(set(named)) > _FILES_AT_MOST:
            raise DamagedImageError(
                f"{sheet.name}: names {len(set(named))} files, more than a disc has tracks"
            )
        self._sheet = sheet.name
        self._surroundings = surroundings
        self._is_alone = len(set(named)) == 1
        self._opened: dict[str, Source] = {}
        self._names: dict[str, str] | None = None

    @property
    def opened(self) -> tuple[Source, ...]:
        """All that are open."""
        return tuple(self._opened.values())

    def open(self, name: str, endings: Sequence[str] = DATA_ENDINGS) -> Source:
        """The file that the sheet calls ``name``, or one of that stem with another of ``endings``.

        A compressed one is decompressed. Raises ImageUnreadableError, DamagedImageError.
        """
        path = self._path(name)
        found = self._open(path)
        if found is not None:
            return found
        looked_for = list(dict.fromkeys(self._candidates(basename(path), endings)))
        for candidate in looked_for:
            for there in self._there(candidate):
                found = self._open(there)
                if found is not None:
                    return found
        raise self._missing(path, looked_for)

    def close(self) -> None:
        """Close every file."""
        for file in self._opened.values():
            file.close()

    def _path(self, name: str) -> str:
        """``name`` as a path relative to the sheet; the last part of an absolute one."""
        path = name.strip().replace("\\", "/")
        if _ABSOLUTE.match(path):
            path = basename(path) or path
        if not path or path.endswith("/") or basename(path) in (".", "..") or not _is_name(path):
            raise DamagedImageError(
                f'{self._sheet}: names "{name}", which is no file; correct that name'
            )
        if folded(normpath(path)) == folded(basename(self._sheet)):
            raise DamagedImageError(
                f"{self._sheet}: names itself as its data file; correct that name"
            )
        return path

    def _open(self, path: str) -> Source | None:
        """The file at ``path``; None if there is none."""
        opened = self._opened.get(path)
        if opened is not None:
            return opened
        try:
            source = self._surroundings.siblings.open(path)
        except MissingImageError:
            return None
        except ImageUnreadableError as error:
            raise ImageUnreadableError(f"{self._sheet}: names {error}") from error
        if splitext(path)[1].lower() in COMPRESSED:
            source = decompressed(source, self._surroundings)
        self._opened[path] = source = self._surroundings.cached(source)
        return source

    def _candidates(self, name: str, endings: Sequence[str]) -> Iterator[str]:
        """What ``name`` may be called by now, the likeliest first."""
        yield name
        stem, ending = splitext(name)
        yield from (stem + other for other in endings)
        sheet = splitext(basename(self._sheet))[0]
        numbered = _TRACK.search(stem)
        if numbered and not self._is_alone:
            stem = sheet + numbered[0]
        elif self._is_alone:
            stem = sheet
        else:
            return
        yield stem + ending
        yield from (stem + other for other in endings)

    def _there(self, name: str) -> Iterator[str]:
        """The files beside the sheet that are called ``name`` but for case and compression."""
        if self._names is None:
            names = self._surroundings.siblings.names()
            self._names = {folded(each): each for each in names}
        for ending in ("", *COMPRESSED):
            there = self._names.get(folded(name + ending))
            if there is not None and there != basename(self._sheet):
                yield there

    def _missing(self, path: str, looked_for: Sequence[str]) -> MissingImageError:
        others = [each for each in looked_for if folded(each) != folded(path)]
        more = " and so on" if len(others) > _SHOWN_AT_MOST else ""
        return MissingImageError(
            errno.ENOENT,
            join(dirname(self._sheet), path),
            f"is named by {basename(self._sheet)} and missing, as are "
            f"{', '.join(others[:_SHOWN_AT_MOST])}{more}; put it beside the sheet, or correct "
            "its name there",
        )


def _is_name(path: str) -> bool:
    """Whether the file system could have a file of that name at all."""
    try:
        longest = max(len(os.fsencode(part)) for part in path.split("/"))
    except UnicodeEncodeError:
        return False
    return longest <= _NAME_AT_MOST and "\0" not in path
