"""The walk through a tree that everything uses: it ends, whatever the image says."""

from collections.abc import Callable, Iterator
from itertools import chain, pairwise, starmap
from operator import itemgetter
from typing import NamedTuple, Protocol, TypeAlias, cast

from isomount.blocks import BlockCache
from isomount.errors import DamagedDataError, IsomountError
from isomount.formats.node import Node
from isomount.tree.directory import Directory, Listed

# Programs cannot use longer paths anyway: PATH_MAX is 4096.
_DEPTH_AT_MOST = 4096
_PATH_AT_MOST = 16_384
# No directory takes less of an image than this.
_SMALLEST_DIRECTORY = 512


class Tree(Protocol):
    """What can be walked through: a Volume."""

    blocks: BlockCache

    def directory(self, ino: int) -> Directory:
        """The entries of the directory ``ino``."""


class Visit(NamedTuple):
    """A directory that a walk is in.

    ``prefix`` is what the paths of its entries begin with: empty, or with "/" at the end. The
    directory that the walk began at has depth 1.
    """

    prefix: bytes
    node: Node
    depth: int
    above: "Visit | None"

    @property
    def path(self) -> bytes:
        """Its own path, empty for the root."""
        return self.prefix[:-1]

    def is_within(self, ino: int) -> bool:
        """Whether it is the directory ``ino``, or the walk came to it through that one."""
        visit: Visit | None = self
        while visit is not None and visit.node.ino != ino:
            visit = visit.above
        return visit is not None

    def below(self, name: bytes, node: Node) -> "Visit":
        """The visit to the directory ``name`` in this one."""
        return Visit(self.prefix + name + b"/", node, self.depth + 1, self)


Order: TypeAlias = Callable[[Tree, int], Iterator[Listed]]
# An entry: the directory it is in, its name, its node, and whether it is the last one there.
Step: TypeAlias = tuple[Visit, bytes, Node, bool]
OnError: TypeAlias = Callable[[bytes, IsomountError | OSError], None]


def disc_order(tree: Tree, ino: int) -> Iterator[Listed]:
    """The entries of a directory as they are recorded, as a rule in the order of their content.

    Raises DamagedDataError or OSError when it cannot be read.
    """
    return tree.directory(ino).after(tree.blocks, 0)


def by_name(tree: Tree, ino: int) -> Iterator[Listed]:
    """The entries of a directory by name; in disc order when there are too many to be sorted.

    Raises as ``disc_order`` does.
    """
    directory = tree.directory(ino)
    entries = directory.after(tree.blocks, 0)
    return iter(sorted(entries, key=itemgetter(1))) if directory.in_memory else entries


class Walk:
    """A walk through the directory ``top``, which is at ``path``, and those in it.

    It goes ``levels`` deep. A directory that cannot be read, or not to its end, is given to
    ``on_error`` with its path (b"." for the root); the walk then goes on after it. So is a
    directory that is its own ancestor or nests too deep, and, once there were more visits than an
    image of this size has room for directories, every further one: directories that share
    extents would otherwise multiply without end.
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
        """Every entry, a directory followed by what is in it, as find prints them."""
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

    def directories(self) -> Iterator[tuple[Visit, Iterator[Listed]]]:
        """Every directory with its entries, before those in it, as ``ls -R`` prints them.

        Directories among the entries are visited only if the caller iterates over them.
        """
        todo: list[Iterator[Visit]] = [iter((self._top,))]
        while todo:
            visit = next(todo[-1], None)
            if visit is None:
                todo.pop()
                continue
            below: list[tuple[bytes, Node]] = []
            yield visit, self._noting(visit, below)
            # One visit at a time: many long paths would take much more memory than names.
            todo.append(starmap(visit.below, below))

    def _noting(self, visit: Visit, below: list[tuple[bytes, Node]]) -> Iterator[Listed]:
        """The entries of a directory; those that are to be visited are added to ``below``."""
        for listed in self._listing(visit):
            yield listed
            _, name, node = listed
            if node.is_directory and self._can_enter(visit, name, node):
                below.append((name, node))

    def _pairs(self, visit: Visit) -> Iterator[tuple[Listed, Listed | None]]:
        """The entries of a directory, each with the next one."""
        pairs = pairwise(chain(self._listing(visit), (None,)))
        return cast("Iterator[tuple[Listed, Listed | None]]", pairs)

    def _listing(self, visit: Visit) -> Iterator[Listed]:
        """The entries of a directory as far as they can be read."""
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
