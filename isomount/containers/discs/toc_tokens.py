"""The words of a cdrdao TOC file."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from isomount.errors import DamagedImageError

_TOKEN = re.compile(
    r"""(?P<blank>[\s\ufeff]+|//[^\n]*)
    |(?P<text>"(?:[^"\\\n]|\\[^\n])*")
    |(?P<time>\d+:\d+:\d+)
    |(?P<number>\d+)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>[{}:,\#-])""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"((?:\\[0-7]{3})+)|\\(.)")
_BYTE = 0xFF


class Token(NamedTuple):
    """A word, number, time, string or sign. ``text`` is without quotes and escapes."""

    kind: str
    text: str
    line: int


def tokens(name: str, lines: Sequence[str]) -> Iterator[Token]:
    """All tokens of the sheet ``name`` but blanks and comments; the last has the kind "end".

    Raises DamagedImageError where there is none.
    """
    for number, line in enumerate(lines, 1):
        at = 0
        while at < len(line):
            found = _TOKEN.match(line, at)
            if found is None:
                raise DamagedImageError(
                    f'{name}: line {number}: "{line[at : at + 20]}" is nothing that a TOC file '
                    "has; correct it there"
                )
            kind = found.lastgroup or "blank"
            if kind == "text":
                yield Token(kind, _plain(found[0][1:-1]), number)
            elif kind != "blank":
                yield Token(kind, found[0], number)
            at = found.end()
    yield Token("end", "the end of the file", len(lines))


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: _bytes(found[1]) if found[1] else found[2], text)


def _bytes(octal: str) -> str:
    """Bytes given by octal numbers: UTF-8 by newer writers, Latin-1 by older ones."""
    data = bytes(int(each, 8) & _BYTE for each in octal.split("\\")[1:])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
