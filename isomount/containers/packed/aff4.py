"""AFF4 (.aff4): forensic images in a zip archive, known and refused by name."""

from isomount.containers.base import OtherKindError, Surroundings
from isomount.errors import NotAnImageError
from isomount.sources import Source

# The member that describes all others; writers put it last, where the zip lists its members.
_DESCRIPTION = b"information.turtle"
_SEARCHED = 64 << 10


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """Raises NotAnImageError for AFF4, OtherKindError for any other zip archive."""
    if _DESCRIPTION not in file.read_at(max(0, file.size - _SEARCHED), _SEARCHED):
        raise OtherKindError
    raise NotAnImageError(
        f"{file.name}: is a forensic container (AFF4), which isomount does not read; "
        "take out what it holds with the tools of pyaff4 or aff4-cpp-lite"
    )
