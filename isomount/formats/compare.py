"""The two sides of a bridge disc, an ISO 9660 tree and UDF, held against each other.

Both are to show the same files, but writers leave out on one side what the other one has: links
and devices become empty files, modes are made up, sizes beyond 4 GiB are cut, files carried over
from another session are empty. A bounded walk of both tells which side loses less.
"""

import stat
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from isomount.blocks import Coded, Reader
from isomount.errors import DamagedDataError
from isomount.formats.base import View
from isomount.formats.node import Entry, Node

# Entries looked at on each side, which take some 20 microseconds each: an image opens at once
# however much it holds.
_ENTRIES_AT_MOST = 1024
# Entries of a directory that are looked at before others have had their turn.
_ENTRIES_AT_FIRST = 64
# Entries of the root among which the marks of a kind of disc are sought.
_MARKS_AT_MOST = 400
# Bytes parsed for one comparison: a directory may be as long as the image, and hold nothing.
_BYTES_AT_MOST = 8 << 20
_LOST = (OSError, DamagedDataError)
# Where relocated directories are kept: shown where they belong on one side, as they are on another.
_RELOCATION = (b"rr_moved", b".rr_moved")
# What players and installers look for on the UDF side alone.
_VIDEO = {b"video_ts", b"bdmv", b"hvdvd_ts"}
_INSTALLER = ({b"sources", b"setup.exe"}, {b"sources", b"bootmgr"})


class Losses(NamedTuple):
    """How much one side does not show of what the other does, gravest first.

    ``files`` are missing, empty, shorter or unreadable, ``kinds`` are links and devices that are
    missing or plain files, and empty files that are missing, ``names`` are cut, ``rights`` are
    modes, owners and hard links that differ from those recorded.
    """

    files: int = 0
    kinds: int = 0
    names: int = 0
    rights: int = 0

    def __str__(self) -> str:
        said = [
            f"{count} {one if count == 1 else many}"
            for count, (one, many) in zip(self, _WORDS, strict=True)
            if count
        ]
        return ", ".join(said)


_WORDS = (
    ("file", "files"),
    ("link, device or empty file", "links, devices and empty files"),
    ("whole name", "whole names"),
    ("mode, owner or hard link", "modes, owners and hard links"),
)


class Comparison(NamedTuple):
    """What each side loses."""

    iso: Losses
    udf: Losses

    @property
    def iso_is_richer(self) -> bool:
        """Whether UDF loses more. Where neither does UDF is shown, as mount(8) does."""
        return self.udf > self.iso


def needs_udf(reader: Reader, view: View) -> bool:
    """Whether the UDF ``view`` is of a kind of disc that is read by UDF whatever ISO 9660 has.

    That is DVD-Video, Blu-ray and HD DVD, and what installs Windows.
    """
    root = _Listing(view.entries(_BoundedReader(reader), view.root))
    root.read(_MARKS_AT_MOST)
    names = {name.lower() for name in root.left}
    return bool(names & _VIDEO) or any(needed <= names for needed in _INSTALLER)


def compare(reader: Reader, iso: View, udf: View, *, posix: bool) -> Comparison:
    """Hold ``iso`` and ``udf`` against each other, directory by directory from the root on.

    The walk ends after a bounded number of entries and bytes. Nothing counts as lost that was not
    seen to be.

    ``posix`` tells whether the ISO 9660 tree has modes and owners of its own (Rock Ridge).
    """
    return _Walk(reader, iso, udf, posix).result()


# What two entries have in common that are the same thing.
_Key = Callable[[bytes, Node], object]


class _SpentError(Exception):
    """As many bytes were read as may be. No view takes it for damage, and it passes through."""


class _BoundedReader:
    """A reader that gives so many bytes and no more."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._left = _BYTES_AT_MOST

    @property
    def size(self) -> int:
        """The image's size in bytes."""
        return self._reader.size

    def read(self, offset: int, length: int) -> bytes:
        """That range (see Reader), or _SpentError."""
        if self._left <= 0:
            raise _SpentError
        data = self._reader.read(offset, length)
        self._left -= len(data)
        return data

    def decoded(self, coded: Coded, offset: int, length: int) -> bytes:
        """That range of what ``coded`` decodes (see Reader)."""
        return self._reader.decoded(coded, offset, length)


class _Listing:
    """One side of a directory, read on as far as is asked.

    ``left`` holds by name, in disc order, what no partner was found for yet. ``is_over`` tells that
    there is no more to read, ``is_whole`` that this is because everything was read.
    """

    def __init__(self, entries: Iterator[Entry]) -> None:
        self.left: dict[bytes, Node] = {}
        self.is_over = False
        self.is_whole = False
        self._entries = entries
        self._names: set[bytes] = set()

    def read(self, count: int) -> int:
        """Read up to ``count`` entries more; how many there were. The first of a name counts."""
        read = 0
        try:
            for entry in islice(self._entries, count):
                read += 1
                if entry.name not in self._names:
                    self._names.add(entry.name)
                    self.left[entry.name] = entry.node
        except (*_LOST, _SpentError):
            self.is_over = True
        else:
            self.is_over = self.is_whole = read < count
        return read


class _Directory:
    """A directory on both sides, and how many entries are looked at in its next turn."""

    def __init__(self, iso: Iterator[Entry], udf: Iterator[Entry]) -> None:
        self.iso = _Listing(iso)
        self.udf = _Listing(udf)
        self._step = _ENTRIES_AT_FIRST

    @property
    def is_over(self) -> bool:
        """Whether there is no more to read on either side."""
        return self.iso.is_over and self.udf.is_over

    def read(self, at_most: int) -> int:
        """Read on, twice as far as the last time; how many entries the longer side had."""
        count = min(self._step, at_most)
        self._step *= 2
        return max(self.iso.read(count), self.udf.read(count))

    def same(self) -> Iterator[tuple[Node, Node]]:
        """What has the same name on both sides, in the order of ISO 9660; it is left no more."""
        for name in [name for name in self.iso.left if name in self.udf.left]:
            yield self.iso.left.pop(name), self.udf.left.pop(name)


class _Walk:
    """One comparison: the counts so far, and the directories that are still to be compared."""

    def __init__(self, reader: Reader, iso: View, udf: View, posix: bool) -> None:
        self._reader = _BoundedReader(reader)
        self._iso = iso
        self._udf = udf
        self._posix = posix
        self._lost_by_iso = dict.fromkeys(Losses._fields, 0)
        self._lost_by_udf = dict.fromkeys(Losses._fields, 0)
        self._new: deque[_Directory] = deque()
        self._begun: deque[_Directory] = deque()
        self._seen: set[tuple[int, int]] = set()
        self._budget = _ENTRIES_AT_MOST

    def result(self) -> Comparison:
        """Walk until everything is compared, or the budget is spent.

        Breadth first, so that a large directory does not hide the others; what it has beyond its
        first entries comes when all others have had their turn.
        """
        self._add(self._iso.root, self._udf.root)
        while self._budget > 0 and (self._new or self._begun):
            self._turn((self._new or self._begun).popleft())
        for directory in self._begun:
            self._settle(directory)
        return Comparison(Losses(**self._lost_by_iso), Losses(**self._lost_by_udf))

    def _add(self, iso: int, udf: int) -> None:
        if (iso, udf) in self._seen:
            return
        self._seen.add((iso, udf))
        self._new.append(
            _Directory(
                self._iso.entries(self._reader, iso),
                self._udf.entries(self._reader, udf),
            )
        )

    def _turn(self, directory: _Directory) -> None:
        """Look at some more entries of ``directory``."""
        self._budget -= max(directory.read(self._budget), 1)
        for pair in directory.same():
            self._both(*pair)
        if directory.is_over:
            self._settle(directory)
        else:
            self._begun.append(directory)

    def _settle(self, directory: _Directory) -> None:
        """Judge what has no partner of its own name, as far as the directory was read."""
        iso, udf = directory.iso, directory.udf
        keys: list[_Key] = [_by_name, _by_place]
        # Of empty files and directories, and of files where names are short by nature, no more can
        # be told than that there are as many of a kind and size: if one side has no more of it.
        if iso.is_whole or udf.is_whole:
            keys.append(_if_empty if self._posix else _by_kind)
        for iso_name, udf_name in list(_renamed(iso.left, udf.left, keys)):
            pair = iso.left.pop(iso_name), udf.left.pop(udf_name)
            same_name = _by_name(iso_name, pair[0]) == _by_name(udf_name, pair[1])
            if not same_name:
                self._names(iso_name, udf_name)
            if same_name or not pair[0].is_directory:
                self._both(*pair)  # which directory is which is a guess where names differ
        if udf.is_whole:
            self._missing(iso.left, self._lost_by_udf)
        if iso.is_whole:
            self._missing(udf.left, self._lost_by_iso)

    def _both(self, iso: Node, udf: Node) -> None:
        """The same thing on both sides."""
        if iso.fault or udf.fault:
            self._lost_by_iso["files"] += udf.fault is None
            self._lost_by_udf["files"] += iso.fault is None
            return
        iso_kind, udf_kind = stat.S_IFMT(iso.mode), stat.S_IFMT(udf.mode)
        if iso_kind != udf_kind:
            self._lost_by_udf["kinds"] += iso_kind != stat.S_IFREG
            self._lost_by_iso["kinds"] += udf_kind != stat.S_IFREG
            return
        if iso.is_directory:
            self._add(iso.ino, udf.ino)
        elif iso_kind == stat.S_IFREG:
            self._lost_by_iso["files"] += iso.size < udf.size
            self._lost_by_udf["files"] += udf.size < iso.size
        elif iso_kind == stat.S_IFLNK:
            self._lost_by_iso["kinds"] += iso.target is None and udf.target is not None
            self._lost_by_udf["kinds"] += udf.target is None and iso.target is not None
        if self._posix:
            self._lost_by_udf["rights"] += _rights_differ(iso, udf)

    def _names(self, iso: bytes, udf: bytes) -> None:
        """Two names of one thing: the shorter one is cut."""
        self._lost_by_iso["names"] += len(iso) < len(udf)
        self._lost_by_udf["names"] += len(udf) < len(iso)

    def _missing(self, nodes: dict[bytes, Node], lost: dict[str, int]) -> None:
        """What the other side has no trace of."""
        for name, node in nodes.items():
            if name.lower() in _RELOCATION:
                continue
            has_bytes = node.is_directory or (stat.S_ISREG(node.mode) and node.size > 0)
            lost["files" if has_bytes else "kinds"] += 1


def _rights_differ(iso: Node, udf: Node) -> bool:
    """Whether UDF lacks what Rock Ridge records; files of root's are nobody's in particular."""
    if stat.S_ISLNK(iso.mode):
        return False
    owned = (iso.uid, iso.gid) != (0, 0) and (iso.uid, iso.gid) != (udf.uid, udf.gid)
    linked = not iso.is_directory and iso.nlink > udf.nlink
    return owned or linked or stat.S_IMODE(iso.mode) != stat.S_IMODE(udf.mode)


def _renamed(
    iso: dict[bytes, Node], udf: dict[bytes, Node], keys: Sequence[_Key]
) -> Iterator[tuple[bytes, bytes]]:
    """Pairs of names that only one side has, of what is the same thing all the same.

    That is what one of ``keys``, tried in turn, gives the same for.
    """
    left = dict(udf)
    rest = dict(iso)
    for key in keys:
        known: dict[object, list[bytes]] = {}
        for name, node in left.items():
            known.setdefault(key(name, node), []).append(name)
        for name, node in list(rest.items()):
            names = known.get(key(name, node))
            if names:
                other = names.pop(0)
                yield name, other
                del rest[name], left[other]


def _by_name(name: bytes, node: Node) -> object:
    return name.lower().rstrip(b"."), node.is_directory


def _by_place(name: bytes, node: Node) -> object:
    has_place = isinstance(node.data, int) and node.size > 0
    return (node.data, node.size) if has_place else (name, node.ino, None)


def _if_empty(name: bytes, node: Node) -> object:
    has_bytes = stat.S_ISREG(node.mode) and node.size > 0
    return (name, node.ino, None) if has_bytes else _by_kind(name, node)


def _by_kind(name: bytes, node: Node) -> object:
    return stat.S_IFMT(node.mode), 0 if node.is_directory else node.size
