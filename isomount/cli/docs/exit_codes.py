"""The meaning of each exit code, for --help, the manual and the documentation."""

from collections.abc import Iterator

from isomount.cli import INTERRUPTED
from isomount.errors import IsomountError


def exit_codes() -> dict[int, str]:
    """A sentence for each exit code, in ascending order."""
    meanings = {0: "Done.", INTERRUPTED: "Interrupted (SIGINT)."}
    # Subclasses with the same code share its meaning.
    for kind in _kinds(IsomountError):
        meanings.setdefault(kind.exit_code, kind.meaning)
    return dict(sorted(meanings.items()))


def _kinds(kind: type[IsomountError]) -> Iterator[type[IsomountError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)
