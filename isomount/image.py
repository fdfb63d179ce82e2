"""An open disc image: the library's front door."""

import os
from typing import Self

from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.formats.detect import find_views
from isomount.formats.options import Family, Map, ViewOptions
from isomount.sources import LocalSource
from isomount.tree import Volume

__all__ = ["Family", "Image", "Map", "ViewOptions", "open_image"]


class Image:
    """An image file, the views that it has and the one that is shown.

    ``views`` names every view found, ``volume`` is the chosen one with its cached tree, ``damage``
    counts what was found broken so far. Close it, or use it in a ``with`` statement.
    """

    def __init__(self, path: str | os.PathLike[str], options: ViewOptions) -> None:
        source = LocalSource(path)
        self.path = source.name
        self.damage = Damage()
        self.blocks = BlockCache(source)
        try:
            self.views, view = find_views(self.blocks, options, self.path, self.damage)
            self.volume = Volume(view, self.blocks, self.damage)
        except BaseException:  # whatever it is, nobody will close an image that never was
            self.blocks.close()
            raise

    def close(self) -> None:
        """Close the image file."""
        self.blocks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()


def open_image(path: str | os.PathLike[str], options: ViewOptions | None = None) -> Image:
    """Open the image at ``path``.

    Raises ImageUnreadableError, NotAnImageError or DamagedImageError.
    """
    return Image(path, options or ViewOptions())
