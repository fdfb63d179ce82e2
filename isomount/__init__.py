"""isomount: disc images as read-only folders, without root.

The library needs no mount::

    with isomount.open("disc.iso") as image:
        for path, node in image.volume.walk():
            ...
"""

from isomount.image import Image
from isomount.image import open_image as open

__version__ = "0.1.0"

__all__ = ["Image", "__version__", "open"]
