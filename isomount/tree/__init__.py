"""The cached, bounded tree of one view."""

from isomount.formats.node import Node
from isomount.tree.directory import Directory, Listed
from isomount.tree.resolve import resolve
from isomount.tree.volume import Volume

__all__ = ["Directory", "Listed", "Node", "Volume", "resolve"]
