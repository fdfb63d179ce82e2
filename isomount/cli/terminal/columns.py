"""Text in columns, as wide as a terminal shows it."""

import unicodedata
from collections.abc import Iterator, Sequence

_GAP = "  "


def width(text: str) -> int:
    """How many columns of a terminal ``text`` takes (UAX #11): two for wide characters."""
    return sum(map(_columns, text))


def padded(text: str, columns: int) -> str:
    """``text`` with blanks behind it, up to ``columns``."""
    return text + " " * (columns - width(text))


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A line for each of ``rows``, their columns below each other; the last one is not padded."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [padded(text, columns) for text, columns in zip(row[:-1], widths, strict=False)]
        yield _GAP.join([*cells, row[-1]])


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0  # drawn into the one before, or not at all
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
