"""Paths as programs follow them: symbolic links on the way, within the image."""

import errno
import os

from isomount.errors import PathError, PathNotDirectoryError, PathNotFoundError
from isomount.formats.node import Node
from isomount.tree.volume import Volume

# As many as Linux follows (path_resolution(7)).
_LINKS_AT_MOST = 40


def resolve(volume: Volume, path: str | bytes, *, follow: bool = True) -> Node:
    """The node at ``path``, counted from the volume's root, which ".." cannot leave.

    Links on the way are followed, an absolute target from the volume's root; ``follow`` is for the
    last component alone. Raises PathNotFoundError, PathNotDirectoryError, or PathError (ELOOP).
    """
    # From the root to where we are: ".." takes away the last one.
    trail = [volume.node(volume.root)]
    todo = _components(os.fsencode(path))
    links = 0
    while todo:
        name = todo.pop()
        if not trail[-1].is_directory:
            raise PathNotDirectoryError(errno.ENOTDIR, os.fsdecode(path))
        if name == b"..":
            trail[1:] = trail[1:-1]
            continue
        node = volume.child(trail[-1].ino, name)
        if node is None:
            raise PathNotFoundError(errno.ENOENT, os.fsdecode(path))
        if node.target is None or not (todo or follow):
            trail.append(node)
            continue
        links += 1
        if links > _LINKS_AT_MOST:
            raise PathError(errno.ELOOP, os.fsdecode(path))
        if node.target.startswith(b"/"):
            del trail[1:]
        todo += _components(node.target)
    return trail[-1]


def _components(path: bytes) -> list[bytes]:
    """The names in a path, the first one last."""
    return [name for name in reversed(path.split(b"/")) if name not in (b"", b".")]
