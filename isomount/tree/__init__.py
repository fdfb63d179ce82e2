"""The cached, bounded tree of one view."""

from isomount.tree.directory import Directory, Listed
from isomount.tree.resolve import resolve
from isomount.tree.volume import Volume

__all__ = ["Directory", "Listed", "Volume", "resolve"]
