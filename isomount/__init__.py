"""isomount: disc images as read-only folders, without root.

The library needs no mount::

    with isomount.open("disc.iso") as image:
        for path, node in image.volume.walk():
            ...
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isomount.image import Image
    from isomount.image import open_image as open

__version__ = "0.1.0"

__all__ = ["Image", "__version__", "open"]

_HOME = {"Image": "Image", "open": "open_image"}


def __getattr__(name: str) -> Any:
    """Load the library when it is first used: the command has answers that need none of it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from isomount import image

    return getattr(image, _HOME[name])
