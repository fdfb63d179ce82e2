"""Images that are local files or block devices."""

from isomount.sources.local.file import LocalSource

__all__ = ["LocalSource"]
