"""Images that are stored in several files: how their parts are called, and reading across them."""

import posixpath
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from isomount.containers.base import Surroundings
from isomount.errors import DamagedDataError, ImageUnreadableError, MissingImageError
from isomount.sources import FileRange, Source, reads_at_once


class Numbering(NamedTuple):
    """How the parts of a kind are called, by two habits.

    ``counted`` matches the names whose number stands before the ending, from 1 on: what comes
    before it, the number, what comes behind. Otherwise the first part has one of ``endings``, and
    ``later`` says how the others end, which ``renamed`` matches: what comes before, the number. The
    second part has the number ``second``.
    """

    counted: re.Pattern[str]
    endings: tuple[str, ...]
    later: str
    renamed: re.Pattern[str]
    second: int

    def names(self, name: str, part: int) -> tuple[str, ...]:
        """What the part of that number, from 0 on, may be called beside any one called ``name``."""
        if found := self.counted.fullmatch(name):
            stem, digits, ending = found.groups()
            return (f"{stem}{part + 1:0{len(digits)}}{ending}",)
        found = self.renamed.fullmatch(name)
        stem = found[1] if found else posixpath.splitext(name)[0]
        if part == 0:
            return tuple(stem + ending for ending in self.endings)
        return (stem + self.later.format(self.second + part - 1),)


def open_part(file: Source, surroundings: Surroundings, numbering: Numbering, part: int) -> Source:
    """The part of that number, from 0 on, beside ``file``, which is any other of them.

    Raises ImageUnreadableError, which names what is looked for.
    """
    names = numbering.names(posixpath.basename(file.name), part)
    listed = {name.casefold(): name for name in surroundings.siblings.names()}
    for name in names:
        for spelling in dict.fromkeys((name, listed.get(name.casefold(), name))):
            try:
                return surroundings.cached(surroundings.siblings.open(spelling))
            except MissingImageError:
                continue
    raise ImageUnreadableError(
        f"{file.name}: is one part of several, and part {part + 1} is missing: "
        f"{' or '.join(names)}; put it into the same folder"
    )


class Stretch(NamedTuple):
    """``length`` bytes of ``file`` from ``offset`` on."""

    file: Source
    offset: int
    length: int


class JoinedSource:
    """Stretches of several files as one source, which closes all of ``files``."""

    block_size = None

    def __init__(self, name: str, stretches: Sequence[Stretch], files: Sequence[Source]) -> None:
        self.name = name
        self._stretches = [stretch for stretch in stretches if stretch.length > 0]
        self._starts = [0]
        for stretch in self._stretches:
            self._starts.append(self._starts[-1] + stretch.length)
        self.size = self._starts.pop()
        self._files = tuple(dict.fromkeys(files))
        # As the attribute of sources says; what cannot be read ahead in one file cannot in all.
        self.reads_at_once = min(map(reads_at_once, self._files))

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short only at the end of all. Raises DamagedDataError."""
        length = max(0, min(length, self.size - offset))
        pieces: list[bytes] = []
        number = bisect_right(self._starts, offset) - 1
        while length > 0:
            file, start, stored = self._stretches[number]
            within = offset - self._starts[number]
            wanted = min(length, stored - within)
            piece = file.read_at(start + within, wanted)
            if len(piece) < wanted:
                raise DamagedDataError(f"{file.name} is cut off at byte {start + within}")
            pieces.append(piece)
            offset, length, number = offset + wanted, length - wanted, number + 1
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_resident(self, offset: int, length: int) -> bytes | None:
        """Not known."""
        return None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """The bytes stand in no one file."""
        return None

    def close(self) -> None:
        """Close every file."""
        for file in self._files:
            file.close()
