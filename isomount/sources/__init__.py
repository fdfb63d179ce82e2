"""Sources: where the bytes of an image are."""

from isomount.sources.base import FileRange, Source
from isomount.sources.local import LocalSource

__all__ = ["FileRange", "LocalSource", "Source"]
