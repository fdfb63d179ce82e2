"""Files that were cut into pieces: x.iso.001, x.iso.002 ..., and by other endings.

The pieces lie beside each other, and any of them may be named. Nothing but their names tells that
they belong together: what the whole is shows in its beginning, which is that of the first.
"""

import errno
import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import accumulate
from typing import NamedTuple

from isomount.containers.base import Surroundings
from isomount.errors import DamagedImageError, IsomountError, MissingImageError
from isomount.sources import FileRange, Source

_NUMBERED = re.compile(
    r"(.*\.(?:(part)(?=\d{1,3}$)|i(?=\d\d$)|(?=\d{3}$)))(\d+)", re.IGNORECASE | re.DOTALL
)
_LETTERED = re.compile(r"(.*\.)([a-z]{2}|[A-Z]{2})", re.DOTALL)
_LETTERS = 26
# How many pieces in a row may be missing: beyond that, another file only happens to be called so.
_GAP_AT_MOST = 26
# Where a plain image says what it is (ECMA-119 8.1.2, ECMA-167 2/9.1.2).
_RECOGNITION, _PLAIN = 32769, (b"CD001", b"BEA01")


class Series(NamedTuple):
    """The names of pieces in their order, and that of the first one that is missing, or ""."""

    names: Sequence[str]
    missing: str


def joined(file: Source, surroundings: Surroundings) -> Source:
    """The whole of which ``file`` is a piece; ``file`` itself if there are no others beside it.

    Raises MissingImageError, ImageUnreadableError or DamagedImageError, and leaves ``file`` open.
    """
    directory, name = os.path.split(file.name)
    series = series_of(name, {*surroundings.siblings.names(), name})
    if series is None:
        return file
    if series.missing:
        raise MissingImageError(
            errno.ENOENT,
            os.path.join(directory, series.missing),
            f"is missing, a piece of the image that {name} is a piece of; put all pieces beside "
            "each other",
        )
    pieces = _opened(series.names, name, file, surroundings)
    try:
        if _are_images(pieces):
            _close_others(pieces, file)
            return file
        _require_equal(pieces)
    except BaseException:  # Ctrl-C too: nobody else would close them
        _close_others(pieces, file)
        raise
    return Joined(os.path.join(directory, series.names[0]), pieces)


def series_of(name: str, there: Set[str]) -> Series | None:
    """The pieces that the file ``name`` belongs to, of the names that are ``there``.

    None if it is called like none, or if there is no other.
    """
    countings = list(_countings(name))
    for counting in countings:
        start = next((n for n in counting.starts if counting.called(n) in there), None)
        if start is not None:
            found = _in_order(start, counting, there)
            if found.missing or (name in found.names and len(found.names) > 1):
                return found
    for number, starts, called in countings:
        if called(number - 1) in there or called(number + 1) in there:
            return Series((), called(starts[-1]))
    return None


class _Counting(NamedTuple):
    """How pieces are called by their numbers, which start at one of ``starts``; and a number."""

    number: int
    starts: Sequence[int]
    called: Callable[[int], str]


def _countings(name: str) -> Iterator[_Counting]:
    """The ways to count in which ``name`` may be one of several."""
    if (found := _NUMBERED.fullmatch(name)) is not None:
        before, digits = found[1], found[3]
        # With zeros to the left, or without any: "part10" may follow "part09" or "part9".
        yield _Counting(int(digits), (0, 1), lambda n: f"{before}{n:0{len(digits)}}")
        if found[2] and digits == str(int(digits)):
            yield _Counting(int(digits), (0, 1), lambda n: f"{before}{n}")
    if (found := _LETTERED.fullmatch(name)) is not None:
        before, letters = found[1], found[2]
        first = ord("A" if letters.isupper() else "a")
        number = (ord(letters[0]) - first) * _LETTERS + ord(letters[1]) - first

        def lettered(n: int) -> str:
            return f"{before}{chr(first + n // _LETTERS)}{chr(first + n % _LETTERS)}"

        yield _Counting(number, (0,), lettered)


def _in_order(start: int, counting: _Counting, there: Set[str]) -> Series:
    """The pieces from the number ``start`` on; one is missing if later ones are there."""
    names: list[str] = []
    number = start
    while (name := counting.called(number)) in there:
        names.append(name)
        number += 1
    later = range(number + 1, number + 1 + _GAP_AT_MOST)
    is_gap = number < counting.number or any(counting.called(n) in there for n in later)
    return Series(names, name if is_gap else "")


def _opened(
    names: Sequence[str], name: str, file: Source, surroundings: Surroundings
) -> list[Source]:
    """All pieces, of which ``file`` is the one called ``name``."""
    pieces: list[Source] = []
    try:
        for each in names:
            piece = file if each == name else surroundings.siblings.open(each)
            pieces.append(surroundings.cached(piece))
    except BaseException:  # Ctrl-C too: nobody else would close them
        _close_others(pieces, file)
        raise
    return pieces


def _close_others(pieces: Sequence[Source], file: Source) -> None:
    for piece in pieces:
        if piece is not file:
            piece.close()


def _are_images(pieces: Sequence[Source]) -> bool:
    """Whether these are images that only happen to be numbered: the second begins like one."""
    try:
        return pieces[1].read_at(_RECOGNITION, 5) in _PLAIN
    except (IsomountError, OSError):
        return False


def _require_equal(pieces: Sequence[Source]) -> None:
    """Raise DamagedImageError if a piece was not copied whole, as far as that can be seen."""
    length = pieces[0].size
    for piece in pieces[1:-1]:
        if piece.size != length:
            raise DamagedImageError(
                f"{piece.name}: has {piece.size} bytes, and the other pieces of the image have "
                f"{length}: it was not copied whole; copy or download it again"
            )


class Joined:
    """The whole that was cut into ``pieces``. A source itself, as fast as they are."""

    block_size = None  # who reads the pieces has them cached

    def __init__(self, name: str, pieces: Sequence[Source]) -> None:
        self.name = name
        self._pieces = pieces
        self._starts = [0, *accumulate(piece.size for piece in pieces)]
        self.size = self._starts.pop()

    def measure(self) -> int:
        """The size, which does not change."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short at the end, or where a piece has become shorter."""
        found: list[bytes] = []
        for piece, start, wanted in self._parts(offset, length):
            found.append(piece.read_at(start, wanted))
            if len(found[-1]) < wanted:
                break
        return found[0] if len(found) == 1 else b"".join(found)

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """The bytes of that range if all pieces have it in memory."""
        parts = list(self._parts(offset, length))
        if len(parts) == 1:
            piece, start, wanted = parts[0]
            return piece.read_resident(start, wanted)
        found: list[bytes] = []
        for piece, start, wanted in parts:
            data = piece.read_resident(start, wanted)
            if data is None:
                return None
            found.append(bytes(data))  # the next call may overwrite it
        return b"".join(found)

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """Where a piece has all of that range, if it is in memory."""
        parts = list(self._parts(offset, length))
        if len(parts) != 1 or parts[0][2] < length:
            return None
        piece, start, wanted = parts[0]
        return piece.resident_range(start, wanted)

    def close(self) -> None:
        """Close all pieces."""
        for piece in self._pieces:
            piece.close()

    def _parts(self, offset: int, length: int) -> Iterator[tuple[Source, int, int]]:
        """The pieces that have that range: from where on in each, and how many bytes."""
        end = min(offset + length, self.size)
        number = max(0, bisect_right(self._starts, offset) - 1)
        while offset < end:
            piece = self._pieces[number]
            start = offset - self._starts[number]
            wanted = min(end - offset, piece.size - start)
            if wanted > 0:
                yield piece, start, wanted
            offset += wanted
            number += 1
