"""Sources: where the bytes of an image are."""

from isomount.sources.base import Source
from isomount.sources.local import LocalSource

__all__ = ["LocalSource", "Source"]
