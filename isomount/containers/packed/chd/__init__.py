"""CHD (.chd) of MAME, versions 1 to 5: a CD, a GD-ROM, a DVD or a hard disk in compressed hunks."""

from isomount.containers.base import Surroundings, closed_on_failure
from isomount.containers.discs.disc import Disc
from isomount.containers.packed.chd.header import read_header
from isomount.containers.packed.chd.metadata import read_metadata
from isomount.containers.packed.chd.parent import open_chd
from isomount.containers.packed.chd.tracks import disc_of, read_tracks
from isomount.sources import Source


def unpack(file: Source, surroundings: Surroundings) -> Source | Disc:
    """The tracks in a CHD file of a CD, the content of any other.

    Raises DamagedImageError, NotAnImageError, or ImageUnreadableError without its parent.
    """
    header = read_header(file)
    tracks = read_tracks(file.name, read_metadata(file, header))
    content = open_chd(file, header, surroundings)
    if not tracks:
        return content
    with closed_on_failure(content):
        return disc_of(file.name, tracks, surroundings.cached(content))
