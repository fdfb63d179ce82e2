"""Containers: what images are stored in, but for plain sectors.

A container is recognised by its bytes, or by its name where it has no mark of its own, and unpacked
into a source, the tracks of a disc, or an archive; what comes out may be a container again.
"""

from isomount.containers.base import (
    Archive,
    Member,
    OtherKindError,
    Siblings,
    Surroundings,
)
from isomount.containers.unpack import Unpacked, unpack

__all__ = [
    "Archive",
    "Member",
    "OtherKindError",
    "Siblings",
    "Surroundings",
    "Unpacked",
    "unpack",
]
