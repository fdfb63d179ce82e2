"""What went wrong in an extraction that nobody watches."""

import os

from isomount.errors import IsomountError
from isomount.extract.extractor import Totals

# A hostile image can hold millions of lost files; past this many they are only counted.
_KEPT_AT_MOST = 200

# The path of an entry, and why it is lost or how it differs.
Problem = tuple[str, Exception]


class ExtractError(IsomountError):
    """Not all was extracted. ``problems`` are the first of them, ``totals`` what was done."""

    def __init__(self, message: str, problems: list[Problem], totals: Totals) -> None:
        super().__init__(message, problems, totals)
        self.message = message
        self.problems = problems
        self.totals = totals

    def __str__(self) -> str:
        path, error = self.problems[0]
        count = self.totals.failed + self.totals.different
        more = f" and {count - 1} more" if count > 1 else ""
        return f"{self.message}: {path}: {_reason(error)}{more}"


class Problems:
    """A Report that keeps the problems and passes over all else."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def started(self, path: bytes, size: int) -> None:
        """Nothing."""

    def moved(self, count: int) -> None:
        """Nothing."""

    def problem(self, path: bytes, error: Exception) -> None:
        """Keep it."""
        if len(self.found) < _KEPT_AT_MOST:
            self.found.append((os.fsdecode(path), error))


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
