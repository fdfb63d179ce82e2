"""What each exit code means, for --help and the manual."""

from isomount import errors
from isomount.cli import INTERRUPTED

_MEANING_OF = {
    0: "Done.",
    errors.IsomountError.exit_code: "Another failure.",
    INTERRUPTED: "Interrupted (SIGINT).",
}


def exit_codes() -> dict[int, str]:
    """The meaning of each, a sentence, as the errors themselves say it."""
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    said = {}
    for kind in kinds:
        if issubclass(kind, errors.IsomountError) and kind.exit_code not in _MEANING_OF:
            said[kind.exit_code] = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    return dict(sorted((said | _MEANING_OF).items()))
