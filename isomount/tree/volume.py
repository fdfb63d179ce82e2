"""A view of an image with its directory tree cached."""

import errno
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator

from isomount.blocks import BlockCache, NotResidentError, Reader
from isomount.damage import LOGGED_AT_MOST, Damage
from isomount.errors import (
    DamagedDataError,
    PathError,
    PathIsDirectoryError,
    PathNotDirectoryError,
    PathNotFoundError,
)
from isomount.formats.base import View
from isomount.formats.node import Node, StatFs
from isomount.tree.directory import Directory, finished, loading
from isomount.tree.walk import Walk

# Directory entries kept in memory: about 400 bytes each.
ENTRIES_BUDGET = 110_000
# Directories with more bytes are not parsed by a reader that must not wait.
_PARSED_AT_ONCE = 65_536
# Entries added to the index of nodes at a time, unless one directory has more: 2 ms.
_NUMBERED_AT_ONCE = 4096
# What os.fsdecode uses. Calling it for every entry would make walks 20 % slower.
_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


class Volume:
    """One mounted view of an image. Thread-safe.

    Directories are loaded on first use and dropped, least recently used first, when their entries
    exceed ``budget``; any node can be loaded again from its number. Calls without a reader may wait
    for the image; with ``blocks.resident`` they raise NotResidentError instead.
    """

    def __init__(
        self, view: View, blocks: BlockCache, damage: Damage, budget: int = ENTRIES_BUDGET
    ) -> None:
        self.view = view
        self.blocks = blocks
        self.root = view.root
        self.label = view.label
        self._damage = damage
        self._budget = budget
        self._held = 0
        self._directories: OrderedDict[int, Directory] = OrderedDict()
        # Nodes by number: the root's, and those of cached directories. These are added only when a
        # number that is missing here is looked up, which a walk never does.
        self._nodes = {view.root: view.node(blocks, view.root)}
        self._unnumbered: dict[int, Directory] = {}
        self._unreadable: set[int] = set()
        self._lock = threading.Lock()
        self._loading: dict[int, threading.Lock] = {}
        blocks.on_growth = self._forget

    def statfs(self) -> StatFs:
        """The volume's size."""
        return self.view.statfs()

    def node(self, ino: int, reader: Reader | None = None) -> Node:
        """The node with that number. Raises StaleNodeError."""
        node = self._nodes.get(ino)
        if node is None and self._unnumbered:
            self._number_until(ino)
            node = self._nodes.get(ino)
        return self.view.node(reader or self.blocks, ino) if node is None else node

    def parent(self, ino: int, reader: Reader | None = None) -> int:
        """The number of the directory above the directory ``ino``."""
        return self.view.parent(reader or self.blocks, ino)

    def xattrs(self, ino: int, reader: Reader | None = None) -> dict[bytes, bytes]:
        """The extended attributes of the node with that number."""
        return self.view.xattrs(reader or self.blocks, ino)

    def directory(self, ino: int, reader: Reader | None = None) -> Directory:
        """The entries of the directory ``ino``. Raises DamagedDataError when it cannot be read."""
        with self._lock:
            directory = self._directories.get(ino)
            if directory is not None:
                self._directories.move_to_end(ino)
                return directory
        try:
            if reader is None or reader is self.blocks:
                return self._load_once(ino)
            return self._load(reader, ino)
        except DamagedDataError as error:
            if reader is not None and reader is not self.blocks:
                raise NotResidentError from error  # who may wait finds out whether there is more
            if not self.blocks.has_grown():
                raise
            return self._load_once(ino)

    def child(self, parent: int, name: bytes, reader: Reader | None = None) -> Node | None:
        """The node called ``name`` in the directory ``parent``, or None."""
        return self.directory(parent, reader).lookup(reader or self.blocks, name)

    def lookup(self, path: str | bytes) -> Node:
        """The node at ``path``, counted from the root. Symbolic links are not followed.

        Raises PathNotFoundError or PathNotDirectoryError.
        """
        node = self.node(self.root)
        for name in os.fsencode(path).split(b"/"):
            if name in (b"", b"."):
                continue
            if not node.is_directory:
                raise PathNotDirectoryError(errno.ENOTDIR, os.fsdecode(path))
            found = self.child(node.ino, name)
            if found is None:
                raise PathNotFoundError(errno.ENOENT, os.fsdecode(path))
            node = found
        return node

    def read(self, node: Node, offset: int = 0, length: int | None = None) -> bytes:
        """That range of a regular file; everything from ``offset`` on without ``length``.

        Short only at the file's end. Raises DamagedDataError where bytes are lost, and
        PathIsDirectoryError or PathError for what is no regular file.
        """
        if node.content is None:
            if node.is_directory:
                raise PathIsDirectoryError(errno.EISDIR, f"inode {node.ino}")
            raise PathError(errno.EINVAL, f"inode {node.ino}", "is no regular file")
        left = node.content.size - offset if length is None else length
        left = min(left, node.content.size - offset)
        pieces: list[bytes] = []
        while left > 0:
            piece = node.content.read(self.blocks, offset, left)
            if not piece:
                raise DamagedDataError(f"no data at byte {offset} of a file")
            pieces.append(piece)
            offset += len(piece)
            left -= len(piece)
        return b"".join(pieces)

    def walk(
        self, on_error: Callable[[str, Exception], None] | None = None
    ) -> Iterator[tuple[str, Node]]:
        """Every path with its node, a directory before its entries; the root is ".".

        A directory that cannot be read, or that contains itself, is passed to ``on_error`` with its
        path and the error; the walk then continues with the next one.
        """

        def report(path: bytes, error: Exception) -> None:
            if on_error is not None:
                on_error(os.fsdecode(path), error)

        root = self.node(self.root)
        yield ".", root
        for visit, name, node, _ in Walk(self, root, on_error=report).entries():
            yield (visit.prefix + name).decode(_ENCODING, _ERRORS), node

    def note_unreadable(self, ino: int, offset: int, error: Exception) -> None:
        """Count and log that the file ``ino`` cannot be read at its byte ``offset``.

        Only the first time for each file: a damaged disc would fill the log.
        """
        with self._lock:
            if ino in self._unreadable or len(self._unreadable) >= LOGGED_AT_MOST:
                return
            self._unreadable.add(ino)
        self._damage.note(
            ino, f"the file that is described here cannot be read at its byte {offset}: {error}"
        )

    def _forget(self) -> None:
        """Drop every directory and node but the root's: they may be made of more from now on."""
        with self._lock:
            self._directories.clear()
            self._unnumbered.clear()
            self._unreadable.clear()
            self._nodes = {self.root: self._nodes[self.root]}
            self._held = 0

    def _load_once(self, ino: int) -> Directory:
        """Load the directory once, while other threads that want it wait."""
        with self._lock:
            mine = self._loading.setdefault(ino, threading.Lock())
        try:
            with mine:
                with self._lock:
                    directory = self._directories.get(ino)
                return self._load(self.blocks, ino) if directory is None else directory
        finally:
            with self._lock:
                self._loading.pop(ino, None)

    def _load(self, reader: Reader, ino: int) -> Directory:
        return finished(self.loading(ino, reader))

    def holds(self, ino: int) -> bool:
        """Whether the entries of the directory ``ino`` are cached."""
        return ino in self._directories

    def loading(self, ino: int, reader: Reader) -> Generator[None, None, Directory]:
        """Load the directory ``ino`` into the cache in steps. Raises as ``directory`` does."""
        if reader is not self.blocks and self.view.directory_size(reader, ino) > _PARSED_AT_ONCE:
            raise NotResidentError
        size = self.blocks.size
        directory, whole = yield from loading(self.view, reader, ino)
        if not whole:
            self._damage.note(ino, "a directory has more entries than are shown")
        with self._lock:
            # Where there is more by now, some of its nodes may have been made of less.
            if ino not in self._directories and size == self.blocks.size:
                self._directories[ino] = directory
                self._held += directory.weight
                self._unnumbered[ino] = directory
                self._shrink()
        return directory

    def _number_until(self, ino: int) -> None:
        """Index the nodes of recent directories until ``ino`` is found or the budget is used up."""
        left = _NUMBERED_AT_ONCE
        with self._lock:
            while self._unnumbered and ino not in self._nodes and left > 0:
                _, directory = self._unnumbered.popitem()
                self._nodes.update((node.ino, node) for node in directory.nodes())
                left -= directory.weight

    def _shrink(self) -> None:
        while self._held > self._budget and len(self._directories) > 1:
            ino, oldest = self._directories.popitem(last=False)
            self._held -= oldest.weight
            if self._unnumbered.pop(ino, None) is not None:
                continue
            for node in oldest.nodes():
                if node.ino != self.root:
                    self._nodes.pop(node.ino, None)
