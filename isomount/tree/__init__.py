"""The cached directory tree of one view."""

from isomount.formats.node import Node
from isomount.tree.directory import Directory, Listed
from isomount.tree.resolve import resolve
from isomount.tree.volume import Volume
from isomount.tree.walk import Visit, Walk, by_name

__all__ = ["Directory", "Listed", "Node", "Visit", "Volume", "Walk", "by_name", "resolve"]
