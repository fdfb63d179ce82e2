"""The data files that a sheet names."""

from collections.abc import Sequence
from posixpath import basename, splitext

from isomount.containers.base import Surroundings
from isomount.errors import DamagedImageError, ImageUnreadableError, MissingImageError
from isomount.sources import Source

DATA_ENDINGS = (".bin", ".img", ".iso", ".raw", ".mdf")
_FILES_AT_MOST = 200


class DataFiles:
    """The files that ``sheet`` names, opened once each, until ``close``."""

    def __init__(self, sheet: Source, surroundings: Surroundings, named: Sequence[str]) -> None:
        """``named`` are the names of all data files as the sheet has them.

        Raises DamagedImageError if they are too many.
        """
        if len(set(named)) > _FILES_AT_MOST:
            raise DamagedImageError(f"{sheet.name}: names {len(set(named))} files")
        self._sheet = sheet.name
        self._surroundings = surroundings
        self._opened: dict[str, Source] = {}

    @property
    def opened(self) -> tuple[Source, ...]:
        """All that are open."""
        return tuple(self._opened.values())

    def open(self, name: str, endings: Sequence[str] = DATA_ENDINGS) -> Source:
        """The file that the sheet calls ``name``. Raises ImageUnreadableError."""
        path = basename(name.strip().replace("\\", "/"))
        stem, ending = splitext(path)
        there = {each.casefold(): each for each in self._surroundings.siblings.names()}
        stems = (stem, splitext(basename(self._sheet))[0])
        for candidate in (path, *(one + each for one in stems for each in (ending, *endings))):
            found = there.get(candidate.casefold())
            if found in self._opened:
                return self._opened[found]
            if found is not None and found != basename(self._sheet):
                source = self._surroundings.cached(self._surroundings.siblings.open(found))
                self._opened[found] = source
                return source
        raise MissingImageError(2, path, f"is named by {basename(self._sheet)} and missing")

    def close(self) -> None:
        """Close every file."""
        for file in self._opened.values():
            file.close()


__all__ = ["DATA_ENDINGS", "DataFiles", "ImageUnreadableError"]
