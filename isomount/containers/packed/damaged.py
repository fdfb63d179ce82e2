"""The words for packed images of which nothing can be shown."""

from isomount.errors import DamagedImageError
from isomount.sources import Source


def damaged(file: Source, kind: str, part: str) -> DamagedImageError:
    """The error for ``file``, which is ``kind`` ("an image ..."), and has a wrong ``part``."""
    return DamagedImageError(
        f"{file.name}: is {kind} whose {part} is damaged or cut off; copy or download it again"
    )
