"""Paths that lead into archives: "games.zip/disc.iso"."""

import os
import stat
from typing import NamedTuple

from isomount.sources import is_remote, shown


class Located(NamedTuple):
    """A path as far as it leads to ``file``, and the rest, which leads to a ``member`` in there."""

    file: str
    member: str


def locate(path: str) -> Located:
    """Where ``path`` goes into a file: nowhere, as a rule, and then ``member`` is ""."""
    if is_remote(path):
        return Located(path, "")
    try:
        os.stat(path)
    except NotADirectoryError:
        return _into_a_file(path) or Located(path, "")
    except (OSError, ValueError):
        pass  # what is wrong is said by who opens it
    return Located(path, "")


def is_file(path: str) -> bool:
    """Whether ``path`` leads to a file, or into one."""
    return is_remote(path) or os.path.isfile(locate(path).file)


def exists(path: str) -> bool:
    """Whether there is something at ``path``, or the file that it leads into.

    Of an address, that is not asked.
    """
    return is_remote(path) or os.path.exists(locate(path).file)


def is_same(one: str, other: str) -> bool:
    """Whether both paths lead to the same file, and to the same place in it."""
    if one == other or shown(one) == shown(other):
        return True
    (file, member), (other_file, other_member) = locate(one), locate(other)
    try:
        return member == other_member and os.path.samefile(file, other_file)
    except OSError:
        return False  # one of them does not exist any more


def _into_a_file(path: str) -> Located | None:
    file, members = path, list[str]()
    while file:
        file, _, name = file.rpartition("/")
        members.insert(0, name)
        try:
            mode = os.stat(file or "/").st_mode
        except NotADirectoryError:
            continue
        except OSError:
            return None
        is_regular = stat.S_ISREG(mode)
        return Located(file, "/".join(filter(None, members))) if is_regular else None
    return None
