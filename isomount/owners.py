"""Owners that exist here: in a user namespace (containers, ``unshare -U``) only some do."""

import dataclasses
import os

from isomount.formats.options import Mapped, ViewOptions


def known_here(view: ViewOptions) -> ViewOptions:
    """``view`` with owners and groups that are not mapped here shown as the caller's.

    The kernel would show them as nobody's, and refuse private files even to the namespace's root.
    """
    return dataclasses.replace(
        view,
        uids=mapped("/proc/self/uid_map", os.geteuid()),
        gids=mapped("/proc/self/gid_map", os.getegid()),
    )


def mapped(path: str, caller: int) -> Mapped | None:
    """What the map ``path`` (user_namespaces(7)) has; None where every number is mapped."""
    try:
        with open(path, "rb") as lines:
            runs = [[int(word) for word in line.split()] for line in lines]
    except (OSError, ValueError):
        return None
    ranges = tuple(range(first, first + count) for first, _, count in runs)
    if not ranges or ranges == (range(0xFFFFFFFF),):
        return None  # the initial namespace, or a kernel without others
    return Mapped(ranges, caller)
