"""What is kept on the disk of images that are far away, for who looks after it."""

from collections.abc import Sequence

from isomount.sources import Keeping
from isomount.sources.remote.shelves import Kept, clear, kept


def kept_images(keeping: Keeping) -> Sequence[Kept]:
    """Each version of an image of which something is kept, used least recently first."""
    place = keeping.place
    return [] if place is None else kept(place)


def cleared(keeping: Keeping) -> int:
    """Remove all that is kept. Returns how many bytes that were."""
    place = keeping.place
    return 0 if place is None else clear(place)
