"""The file that a CHD file was made against: what both have alike is only there."""

import errno
from contextlib import ExitStack

from isomount.containers.base import Surroundings, closed_on_failure
from isomount.containers.packed.chd.header import MAGIC, Header, read_header
from isomount.containers.packed.chd.source import ChdSource
from isomount.errors import DamagedImageError, IsomountError, MissingImageError
from isomount.sources import Source

# A parent may have one too; in a longer line of them somebody is his own ancestor.
_ANCESTORS_AT_MOST = 8
# CHD files in a directory whose header is read.
_SIBLINGS_AT_MOST = 1000


def open_chd(file: Source, header: Header, surroundings: Surroundings) -> ChdSource:
    """The content of ``file``, with the parents that it needs, which are sought beside it.

    Raises MissingImageError for a missing parent, DamagedImageError or NotAnImageError.
    """
    line = [(file, header)]
    with ExitStack() as opened:
        while line[-1][1].parent:
            if len(line) > _ANCESTORS_AT_MOST:
                raise DamagedImageError(
                    f"{file.name}: needs a parent file, which needs another, too many times"
                )
            line.append(_parent(*line[-1], surroundings))
            opened.callback(line[-1][0].close)
        parent: Source | None = None
        for each, its_header in reversed(line[1:]):
            parent = surroundings.cached(ChdSource(each, its_header, parent))
        content = ChdSource(file, header, parent)
        opened.pop_all()  # closed with the content from now on
        return content


def _parent(file: Source, header: Header, surroundings: Surroundings) -> tuple[Source, Header]:
    """The file beside ``file`` whose content has the hash that ``header`` names, and its header."""
    names = [name for name in surroundings.siblings.names() if name.lower().endswith(".chd")]
    for name in names[:_SIBLINGS_AT_MOST]:
        try:
            found = surroundings.cached(surroundings.siblings.open(name))
        except (IsomountError, OSError):
            continue
        with closed_on_failure(found):
            its_header = _header_of(found)
        if its_header is not None and its_header.identity == header.parent:
            return found, its_header
        found.close()
    kind = "SHA-1" if header.version >= 3 else "MD5"
    raise MissingImageError(
        errno.ENOENT,
        file.name,
        f"is a CHD file that holds only what differs from its parent, and none of the .chd files "
        f"beside it has the {kind} {header.parent.hex()}; put the parent file beside it",
    )


def _header_of(file: Source) -> Header | None:
    """The header of a CHD file that can be read, None of any other."""
    try:
        return read_header(file) if file.read_at(0, len(MAGIC)) == MAGIC else None
    except (IsomountError, OSError):
        return None
