"""Which formats an image holds and which view of it is shown."""

from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.errors import NotAnImageError
from isomount.formats import iso9660
from isomount.formats.base import View
from isomount.formats.options import ViewOptions


def find_views(
    blocks: BlockCache, options: ViewOptions, name: str, damage: Damage
) -> tuple[list[str], View]:
    """The names of the views that the image called ``name`` has, best first, and the chosen one.

    Raises NotAnImageError when it has none, DamagedImageError when none can be read.
    """
    if blocks.size == 0:
        raise NotAnImageError(f"{name}: is empty (0 bytes); copy or download it again")
    found = iso9660.find(blocks, options, name, damage)
    if found is None:
        raise NotAnImageError(f"{name}: is not a disc image that isomount knows")
    return found.trees, found.view
