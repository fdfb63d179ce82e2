"""Walking a directory tree. Every walk ends, however the image is damaged or crafted."""

from collections.abc import Callable, Iterator
from itertools import chain, pairwise
from operator import itemgetter
from typing import NamedTuple, Protocol, TypeAlias, cast

from isomount.blocks import BlockCache
from isomount.errors import DamagedDataError, IsomountError
from isomount.formats.node import Node
from isomount.tree.directory import Directory, Listed

# Well beyond PATH_MAX (4096), so that nothing usable is cut off.
_DEPTH_AT_MOST = 4096
_PATH_AT_MOST = 16_384
# The smallest directory in bytes: its size bounds how many an image can hold.
_SMALLEST_DIRECTORY = 512


class Tree(Protocol):
    """What a walk needs of a Volume."""

    blocks: BlockCache

    def directory(self, ino: int) -> Directory:
        """The entries of the directory ``ino``."""


class Visit(NamedTuple):
    """A directory reached by a walk.

    ``prefix`` is its path with a trailing "/", or empty for the root. ``depth`` is 1 for the
    directory where the walk begins, and ``above`` is None there.
    """

    prefix: bytes
    node: Node
    depth: int
    above: "Visit | None"

    @property
    def path(self) -> bytes:
        """Its path; empty for the root."""
        return self.prefix[:-1]

    def is_within(self, ino: int) -> bool:
        """Whether this is the directory ``ino``, or was reached through it."""
        visit: Visit | None = self
        while visit is not None and visit.node.ino != ino:
            visit = visit.above
        return visit is not None

    def below(self, name: bytes, node: Node) -> "Visit":
        """The visit to the directory ``name`` in this one."""
        return Visit(self.prefix + name + b"/", node, self.depth + 1, self)


Order: TypeAlias = Callable[[Tree, int], Iterator[Listed]]
# An entry: its directory, its name, its node, and whether it is the last one in the directory.
Step: TypeAlias = tuple[Visit, bytes, Node, bool]
# A subdirectory: its name and its node.
Below: TypeAlias = tuple[bytes, Node]
OnError: TypeAlias = Callable[[bytes, IsomountError | OSError], None]


def disc_order(tree: Tree, ino: int) -> Iterator[Listed]:
    """The entries of a directory as they are recorded, usually in the order of their content.

    Raises DamagedDataError or OSError when it cannot be read.
    """
    return tree.directory(ino).after(tree.blocks, 0)


def by_name(tree: Tree, ino: int) -> Iterator[Listed]:
    """The entries of a directory sorted by name; in disc order if there are too many to sort.

    Raises as ``disc_order`` does.
    """
    directory = tree.directory(ino)
    entries = directory.after(tree.blocks, 0)
    return iter(sorted(entries, key=itemgetter(1))) if directory.in_memory else entries


class Walk:
    """A walk of the directory ``top``, whose path is ``path``, at most ``levels`` deep.

    Errors are passed to ``on_error`` with the directory's path (b"." for the root), and the walk
    continues with the next entry. A directory is not entered if it contains itself or is nested too
    deep. Nor is it once there have been more visits than the image has room for directories:
    directories that share extents could otherwise make the walk exponentially long.
    """

    def __init__(
        self,
        tree: Tree,
        top: Node,
        path: bytes = b"",
        *,
        order: Order = disc_order,
        levels: int = _DEPTH_AT_MOST,
        on_error: OnError = lambda path, error: None,
    ) -> None:
        self._tree = tree
        self._top = Visit(path + b"/" if path else b"", top, 1, None)
        self._order = order
        self._levels = levels
        self._on_error = on_error
        self._visits_left = tree.blocks.size // _SMALLEST_DIRECTORY + 1

    def entries(self) -> Iterator[Step]:
        """Every entry in depth-first order, as find prints them."""
        stack = [(self._top, self._pairs(self._top))]
        while stack:
            visit, pairs = stack[-1]
            for (_, name, node), following in pairs:
                yield visit, name, node, following is None
                if node.is_directory and self._can_enter(visit, name, node):
                    below = visit.below(name, node)
                    stack.append((below, self._pairs(below)))
                    break
            else:
                stack.pop()

    def directories(self) -> Iterator[tuple[Visit, Iterator[Listed], list[Below]]]:
        """Every directory with its entries, before its subdirectories, as ``ls -R`` prints them.

        The list holds the subdirectories among the entries read so far. What it holds when the
        caller goes on is visited next, so the caller may remove or reorder items.
        """
        todo: list[Iterator[Visit]] = [iter((self._top,))]
        while todo:
            visit = next(todo[-1], None)
            if visit is None:
                todo.pop()
                continue
            below: list[Below] = []
            yield visit, self._noting(visit, below), below
            todo.append(self._entered(visit, below))

    def _noting(self, visit: Visit, below: list[Below]) -> Iterator[Listed]:
        """The entries of a directory; readable subdirectories are appended to ``below``."""
        for listed in self._listing(visit):
            yield listed
            _, name, node = listed
            if node.is_directory and not node.fault:
                below.append((name, node))

    def _entered(self, visit: Visit, below: list[Below]) -> Iterator[Visit]:
        """The visits to subdirectories, created one at a time: paths are larger than names."""
        for name, node in below:
            if self._can_enter(visit, name, node):
                yield visit.below(name, node)

    def _pairs(self, visit: Visit) -> Iterator[tuple[Listed, Listed | None]]:
        """The entries of a directory, each with its successor, or None for the last."""
        pairs = pairwise(chain(self._listing(visit), (None,)))
        return cast("Iterator[tuple[Listed, Listed | None]]", pairs)

    def _listing(self, visit: Visit) -> Iterator[Listed]:
        """The entries of a directory, up to the first error."""
        try:
            yield from self._order(self._tree, visit.node.ino)
        except (IsomountError, OSError) as error:
            self._on_error(visit.path or b".", error)

    def _can_enter(self, visit: Visit, name: bytes, node: Node) -> bool:
        if node.fault or visit.depth >= self._levels:
            return False
        is_short = visit.depth < _DEPTH_AT_MOST and len(visit.prefix) + len(name) <= _PATH_AT_MOST
        if not is_short or not self._visits_left or visit.is_within(node.ino):
            error = DamagedDataError("it holds itself or nests without end")
            self._on_error(visit.prefix + name, error)
            return False
        self._visits_left -= 1
        return True
