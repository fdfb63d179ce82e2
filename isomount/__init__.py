"""isomount: disc images as read-only folders, without root.

The library needs no mount, and nothing but Python::

    with isomount.open("disc.iso") as image:
        for path in image.root.rglob("*.txt"):
            print(path, path.read_text())

docs/library.md tells the rest.
"""

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isomount.errors import (
        ClosedError,
        DamagedDataError,
        DamagedImageError,
        DirectoryAsImageError,
        ForbiddenImageError,
        ImageUnreadableError,
        IsomountError,
        MissingImageError,
        NotAnImageError,
        PathError,
        PathIsDirectoryError,
        PathNotDirectoryError,
        PathNotFoundError,
        UsageError,
    )
    from isomount.extract import ExtractError, PlaceError
    from isomount.file import ImageFile
    from isomount.image import Image, open
    from isomount.path import ImagePath

__version__ = "0.1.0"

__all__ = [
    "ClosedError",
    "DamagedDataError",
    "DamagedImageError",
    "DirectoryAsImageError",
    "ExtractError",
    "ForbiddenImageError",
    "Image",
    "ImageFile",
    "ImagePath",
    "ImageUnreadableError",
    "IsomountError",
    "MissingImageError",
    "NotAnImageError",
    "PathError",
    "PathIsDirectoryError",
    "PathNotDirectoryError",
    "PathNotFoundError",
    "PlaceError",
    "UsageError",
    "__version__",
    "open",
]

_HOMES = {
    "ExtractError": "isomount.extract",
    "Image": "isomount.image",
    "ImageFile": "isomount.file",
    "ImagePath": "isomount.path",
    "PlaceError": "isomount.extract",
    "open": "isomount.image",
}

# Who wants to be told of damage sets logging up; nobody else is.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """Load the library when it is first used: the command has answers that need none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES.get(name, "isomount.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
