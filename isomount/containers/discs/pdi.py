"""Instant Copy (.pdi): an image, of plain or raw sectors, behind a header."""

from isomount.containers.base import Surroundings
from isomount.errors import DamagedImageError
from isomount.sources import Source, Window

_HEADER = 304


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """What follows the header. Raises DamagedImageError if nothing does."""
    if file.size <= _HEADER:
        raise DamagedImageError(
            f"{file.name}: is an InstantCopy image (.pdi) that ends with its header, at byte "
            f"{file.size}; copy it again"
        )
    return Window(file, _HEADER)
