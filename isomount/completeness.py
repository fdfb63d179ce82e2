"""Whether an image is as long as its volumes say."""

from contextlib import suppress

from isomount.errors import IsomountError
from isomount.formats.identity import Identity
from isomount.formats.iso9660.identity import identities as iso9660_identities
from isomount.formats.udf.identity import identities as udf_identities
from isomount.image import Image


def missing_bytes(image: Image) -> int:
    """How many bytes the open ``image`` is too short for its volumes; 0 when it is whole.

    Only volume descriptors are read, so it is quick. Where they cannot be, the answer is 0.
    """
    blocks, options = image.blocks, image.session.applied_to(image.options)
    with suppress(IsomountError, OSError):
        volumes = iso9660_identities(blocks, image.session.start)
        if has_udf(image):
            volumes += udf_identities(blocks, options)
        return max(0, reach(image, volumes) - image.size)
    return 0


def has_udf(image: Image) -> bool:
    """Whether one of the image's views is UDF."""
    return any(name.startswith("UDF") for name in image.views)


def reach(image: Image, volumes: list[Identity]) -> int:
    """How far the volumes say they reach, in bytes from the image's start; 0 if they do not say."""
    return max(0, max((volume.size for volume in volumes), default=0) - image.front)
