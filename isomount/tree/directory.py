"""Cached directories: complete listings, or an index for very large ones."""

from array import array
from bisect import bisect_left
from collections.abc import Generator, Iterator
from itertools import chain, count, islice
from typing import Protocol, TypeAlias, TypeVar, cast

from isomount.blocks import Reader
from isomount.formats.base import View
from isomount.formats.node import Entry, Node
from isomount.tree.names import folded, numbered_name, safe_name

_Result = TypeVar("_Result")

# Directories with more entries are kept as an index, 8 bytes per entry.
LISTED_AT_MOST = 60_000
# Further entries of a directory are not shown: the index would exceed 32 MiB.
ENTRIES_AT_MOST = 4_000_000
# Positions occupy the low 32 bits of an index word, hashes the high 32.
_POSITIONS = 1 << 32
_BUCKETS = 256
# Listing entries that are assembled at a time: about one readdir reply.
_SLICE = 256
# Entries loaded per step of ``loading``: about 50 microseconds.
_STEP = 10
# Duplicate names that are renamed in one indexed directory; no real disc has more.
_RENAMED_AT_MOST = 10_000


# An entry of a listing: the cookie to continue after it, the name, the node.
Listed: TypeAlias = tuple[int, bytes, Node]


class Directory(Protocol):
    """The entries of one directory, with safe and distinct names, in disc order."""

    @property
    def parent(self) -> int:
        """The inode number of the directory above it."""

    @property
    def weight(self) -> int:
        """Its memory use, in entries of a complete listing."""

    @property
    def in_memory(self) -> bool:
        """Whether it answers without reading from the image."""

    def nodes(self) -> Iterator[Node]:
        """The nodes held in memory."""

    def lookup(self, reader: Reader, name: bytes) -> Node | None:
        """The node called ``name``, or None."""

    def after(self, reader: Reader, cookie: int) -> Iterator[Listed]:
        """The entries after the one with that cookie; 0 is the beginning."""


class WholeDirectory:
    """A complete listing: every name and node in memory."""

    in_memory = True

    def __init__(self, entries: dict[bytes, Node], parent: int, folds_case: bool) -> None:
        self.parent = parent
        self._entries = entries
        self._names = list(entries)
        self._folded: dict[bytes, Node] | None = None
        self._folds_case = folds_case
        self.weight = len(entries) + 1

    def nodes(self) -> Iterator[Node]:
        """Every node."""
        return iter(self._entries.values())

    def lookup(self, reader: Reader, name: bytes) -> Node | None:
        """Find it by its exact name, else ignoring case if the view asks for that."""
        node = self._entries.get(name)
        if node is None and self._folds_case:
            if self._folded is None:
                self._folded = {folded(n): self._entries[n] for n in reversed(self._names)}
            node = self._folded.get(folded(name))
        return node

    def after(self, reader: Reader, cookie: int) -> Iterator[Listed]:
        """A cookie is the number of entries up to and including its own."""
        starts = range(cookie, len(self._names), _SLICE)
        return chain.from_iterable(map(self._slice, starts))

    def _slice(self, start: int) -> Iterator[Listed]:
        names = self._names[start : start + _SLICE]
        return zip(count(start + 1), names, map(self._entries.__getitem__, names))


class IndexedDirectory:
    """An index of a very large directory: the hash and position of each name.

    Entries are read from the image again when they are needed. Index words are sorted within
    buckets: a lookup is a binary search, and sorting needs little extra memory. A cookie is the
    position of its entry plus one.
    """

    in_memory = False

    def __init__(self, view: View, ino: int, parent: int) -> None:
        self.parent = parent
        self._view = view
        self._ino = ino
        self._buckets = [array("Q") for _ in range(_BUCKETS)]
        self._renamed: dict[int, bytes] = {}
        self._count = 0
        self._end = _POSITIONS

    @property
    def weight(self) -> int:
        """An index word takes about a fiftieth of the memory of a complete entry."""
        return self._count // 50 + 1

    def nodes(self) -> Iterator[Node]:
        """None are held in memory."""
        return iter(())

    def fill(self, reader: Reader, positions: Iterator[tuple[int, bytes]]) -> bool:
        """Index every (position, name). Returns False if there were too many."""
        whole = True
        for position, name in positions:
            if self._count >= ENTRIES_AT_MOST or position >= _POSITIONS:
                self._end, whole = position, False
                break
            self._count += 1
            self._add(name, position)
            if self._view.folds_case and folded(name) != name:
                self._add(folded(name), position)
        for number, bucket in enumerate(self._buckets):
            self._buckets[number] = array("Q", sorted(bucket))
        self._number_duplicates(reader)
        return whole

    def lookup(self, reader: Reader, name: bytes) -> Node | None:
        """Find it by its exact name, else ignoring case if the view asks for that."""
        for entry in self._with_hash(reader, name):
            if self._name(entry) == name:
                return entry.node
        if self._view.folds_case:
            for entry in self._with_hash(reader, folded(name)):
                if folded(self._name(entry)) == folded(name):
                    return entry.node
        return None

    def after(self, reader: Reader, cookie: int) -> Iterator[Listed]:
        """Read the entries from the image."""
        start = max(0, cookie - 1)
        for entry in self._view.entries(reader, self._ino, start):
            if entry.position >= self._end:
                return
            if entry.position >= cookie:
                yield entry.position + 1, self._name(entry), entry.node

    def _name(self, entry: Entry) -> bytes:
        return self._renamed.get(entry.position) or safe_name(entry.name)

    def _add(self, name: bytes, position: int) -> None:
        code = hash(name) & 0xFFFFFFFF
        self._buckets[code % _BUCKETS].append(code << 32 | position)

    def _with_hash(self, reader: Reader, name: bytes) -> Iterator[Entry]:
        code = hash(name) & 0xFFFFFFFF
        bucket = self._buckets[code % _BUCKETS]
        for index in range(bisect_left(bucket, code << 32), len(bucket)):
            word = bucket[index]
            if word >> 32 != code:
                return
            entry = self._at(reader, word % _POSITIONS)
            if entry is not None:
                yield entry

    def _at(self, reader: Reader, position: int) -> Entry | None:
        return next(self._view.entries(reader, self._ino, position), None)

    def _number_duplicates(self, reader: Reader) -> None:
        """Number duplicate names. Only entries with equal hashes have to be read."""
        for bucket in list(self._buckets):
            for first, second in zip(bucket, islice(bucket, 1, None), strict=False):
                if first >> 32 != second >> 32 or len(self._renamed) >= _RENAMED_AT_MOST:
                    continue
                entries = (
                    self._at(reader, first % _POSITIONS),
                    self._at(reader, second % _POSITIONS),
                )
                names = [safe_name(entry.name) for entry in entries if entry]
                if len(names) == 2 and names[0] == names[1]:
                    name = self._unused(reader, names[1], len(self._renamed) + 2)
                    self._renamed[second % _POSITIONS] = name
        for position, name in self._renamed.items():
            self._insert(name, position)

    def _unused(self, reader: Reader, name: bytes, number: int) -> bytes:
        # No number is used twice, so only a name that is on the disc can collide.
        while any(self._with_hash(reader, candidate := numbered_name(name, number))):
            number += _RENAMED_AT_MOST
        return candidate

    def _insert(self, name: bytes, position: int) -> None:
        code = hash(name) & 0xFFFFFFFF
        bucket = self._buckets[code % _BUCKETS]
        word = code << 32 | position
        bucket.insert(bisect_left(bucket, word), word)


def loading(view: View, reader: Reader, ino: int) -> Generator[None, None, tuple[Directory, bool]]:
    """Load the directory ``ino`` in short steps, as a listing or as an index.

    Returns it, and whether all of its entries are shown.
    """
    parent = view.parent(reader, ino)
    entries: dict[bytes, Node] = {}
    numbers: dict[bytes, int] = {}
    for entry in view.entries(reader, ino):
        name = safe_name(entry.name)
        if name in entries:
            name = _distinct(entries, name, numbers)
        entries[name] = entry.node
        if not len(entries) % _STEP:
            yield
        if len(entries) > LISTED_AT_MOST:
            huge = IndexedDirectory(view, ino, parent)
            positions = ((e.position, safe_name(e.name)) for e in view.entries(reader, ino))
            del entries
            return huge, huge.fill(reader, positions)
    return WholeDirectory(entries, parent, view.folds_case), True


def finished(steps: Generator[None, None, _Result]) -> _Result:
    """Run ``steps`` to the end. Returns their result."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return cast(_Result, end.value)


def _distinct(entries: dict[bytes, Node], name: bytes, numbers: dict[bytes, int]) -> bytes:
    # Continuing from the last number used avoids quadratic time in a directory of equal names. Long
    # names that are equal once they are cut share one counter too.
    stem = numbered_name(name, LISTED_AT_MOST)
    number = numbers.get(stem, 2)
    while (candidate := numbered_name(name, number)) in entries:
        number += 1
    numbers[stem] = number + 1
    return candidate
