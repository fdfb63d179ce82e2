"""Helpful errors for unknown verbs and for arguments in the wrong order."""

import os
from collections.abc import Sequence

from isomount import cli
from isomount.containers.paths import is_file
from isomount.errors import UsageError

# Verbs of other programs, and their names here.
_ELSEWHERE = {
    "dir": "ls",
    "eject": "umount",
    "help": "--help",
    "mounts": "list",
    "status": "list",
    "unmount": "umount",
    "unpack": "extract",
    "version": "--version",
}


def refuse_unknown_verb(words: Sequence[str]) -> None:
    """Raise UsageError if the first of ``words`` looks like a verb and no such file exists."""
    first = words[0] if words else ""
    if "/" in first or os.path.lexists(first):
        return
    if first == "mount":
        raise UsageError("mounting needs no verb; write: isomount IMAGE FOLDER")
    meant = _ELSEWHERE.get(first) or _like(first)
    if meant:
        raise UsageError(f'there is no verb "{first}", nor such an image; write: isomount {meant}')


def refuse_wrong_order(names: Sequence[str]) -> None:
    """Raise UsageError if the mount point comes before the image."""
    if len(names) == 2 and os.path.isdir(names[0]) and is_file(names[1]):
        raise UsageError("the image comes first, then the folder; write: isomount IMAGE FOLDER")


def refuse_stray_names(names: Sequence[str]) -> None:
    """Raise UsageError if there are more names than an image and its mount point."""
    if len(names) > 2:
        raise UsageError(
            f"too many names: {names[2]}; name one image and a folder, "
            "or several image files, each of which is shown beside itself"
        )


def _like(word: str) -> str | None:
    if "." in word or word.startswith("-"):
        return None
    import difflib  # imported here as mounting does not need it

    return next(iter(difflib.get_close_matches(word, cli.VERBS, 1, 0.75)), None)
