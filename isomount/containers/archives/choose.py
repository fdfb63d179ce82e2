"""Which file of an archive is the image."""

import errno
import posixpath
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from isomount.containers import names
from isomount.containers.archives.sheets import without_data, without_later_pieces
from isomount.containers.base import Archive, Member
from isomount.errors import MissingImageError, NotAnImageError
from isomount.sources import Source

_LISTED_AT_MOST = 20
# The volume descriptors of a plain image are behind this, and one of them at least.
_IMAGE_AT_LEAST = 32768 + 2048
# What is often beside an image, and none.
_BESIDE = (
    *(".txt", ".nfo", ".diz", ".md", ".doc", ".rtf", ".pdf", ".htm", ".html", ".url", ".xml"),
    *(".sfv", ".md5", ".sha1", ".sha256", ".crc", ".asc", ".sig", ".log", ".json", ".torrent"),
    *(".jpg", ".jpeg", ".png", ".gif", ".bmp", ".ico", ".svg", ".exe", ".dll", ".bat", ".sh"),
)


class Chosen(NamedTuple):
    """The member with the image, and the path that leads on in there; "" as a rule."""

    member: str
    path: str


def choose(archive: Archive, name: str, path: str = "") -> Chosen:
    """The one file of the archive called ``name`` that may be an image.

    ``path`` says which it is, or the directory that it is in, or leads on into an archive in this
    one. Raises MissingImageError if there is no such file, NotAnImageError if no file may be an
    image, or if several may, which it names.
    """
    members = archive.members
    named = _on_the_way(members, path)
    if named is not None:
        return named
    inside = [member for member in members if not path or member.name.startswith(f"{path}/")]
    place = f"{name}/{path}" if path else name
    images = _images(archive, inside)
    if len(images) == 1:
        return Chosen(images[0].name, "")
    if path and not inside:
        listed = _listed(name, _images(archive, members))
        reason = "there is no such file in the archive" + (f"; it holds {listed}" if listed else "")
        raise MissingImageError(errno.ENOENT, place, reason)
    if images:
        raise NotAnImageError(
            f"{place}: holds several images; name one of them: {_listed(name, images)}"
        )
    raise NotAnImageError(f"{place}: is an archive without a disc image in it{_told(inside)}")


def opened(archive: Archive, member: str) -> Source:
    """The chosen ``member``; ``archive`` is closed with it and whatever else is open of it then.

    Raises as ``Archive.open``, and leaves ``archive`` open then.
    """
    source = archive.open(member)
    archive.close()
    return source


def _on_the_way(members: Sequence[Member], path: str) -> Chosen | None:
    """The file that ``path`` leads to, or through."""
    there = {member.name for member in members} if path else set[str]()
    parts = path.split("/")
    for count in range(len(parts), 0, -1):
        if (name := "/".join(parts[:count])) in there:
            return Chosen(name, "/".join(parts[count:]))
    return None


def _images(archive: Archive, members: Sequence[Member]) -> Sequence[Member]:
    """Those that may be images: by their names, or else all that are large enough."""
    files = [member for member in members if member.size and not _is_hidden(member.name)]
    called_so = [member for member in files if names.is_image(member.name)]
    if called_so:
        return without_data(archive, without_later_pieces(called_so))
    large = [member for member in files if member.size >= _IMAGE_AT_LEAST]
    others = [member for member in large if not member.name.lower().endswith(_BESIDE)]
    return without_later_pieces(others)


def _is_hidden(path: str) -> bool:
    """Whether it is a file that desktops keep for themselves, or a Mac's resource fork."""
    return posixpath.basename(path).startswith(".") or "__MACOSX" in path.split("/")


def _listed(name: str, members: Sequence[Member]) -> str:
    """The words to type for ``members`` of the archive ``name``, as far as there is room."""
    words = [shlex.quote(f"{name}/{member.name}") for member in members[:_LISTED_AT_MOST]]
    more = len(members) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def _told(members: Sequence[Member]) -> str:
    """What is in there instead."""
    shown = ", ".join(member.name for member in members[:3])
    more = f" and {len(members) - 3} more" if len(members) > 3 else ""
    return f", but {shown}{more}" if members else ""
