"""Which file of an archive is the image."""

import os

from isomount.containers.base import Archive, Member
from isomount.errors import NotAnImageError

_LISTED_AT_MOST = 20


def choose(archive: Archive, name: str) -> Member:
    """The one file of the archive called ``name`` that may be an image.

    Raises NotAnImageError if there is none, or if there are several, which it names.
    """
    members = [member for member in archive.members if member.size]
    if len(members) == 1:
        return members[0]
    if not members:
        raise NotAnImageError(f"{name}: is an archive without a file in it")
    listed = ", ".join(os.path.join(name, member.name) for member in members[:_LISTED_AT_MOST])
    raise NotAnImageError(f"{name}: holds several files; name one of them: {listed}")
