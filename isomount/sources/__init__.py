"""Sources: where the bytes of an image are."""

from isomount.sources.base import FileRange, Source
from isomount.sources.local.file import LocalSource

__all__ = ["FileRange", "LocalSource", "Source"]
