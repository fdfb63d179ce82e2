"""The two sides of a bridge disc, an ISO 9660 tree and UDF, held against each other.

Both are to show the same files, but writers leave out on one side what the other one has: links
and devices become empty files, modes are made up, sizes beyond 4 GiB are cut, files carried over
from another session are empty. A bounded walk of both tells which side loses less.
"""

import stat
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.errors import DamagedDataError
from isomount.formats.base import View
from isomount.formats.node import Node

# Entries looked at on each side: what a writer does, it does from the first ones on.
_ENTRIES_AT_MOST = 400
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
    names = {name.lower() for name in _list(reader, view, view.root).nodes}
    return bool(names & _VIDEO) or any(needed <= names for needed in _INSTALLER)


def compare(reader: Reader, iso: View, udf: View, *, posix: bool) -> Comparison:
    """Hold ``iso`` and ``udf`` against each other, directory by directory from the root on.

    ``posix`` tells whether the ISO 9660 tree has modes and owners of its own (Rock Ridge).
    """
    return _Walk(reader, iso, udf, posix).result()


class _Listing(NamedTuple):
    """A directory's entries by name, and whether these are all."""

    nodes: dict[bytes, Node]
    is_whole: bool


def _list(reader: Reader, view: View, ino: int, at_most: int = _ENTRIES_AT_MOST) -> _Listing:
    nodes: dict[bytes, Node] = {}
    try:
        for entry in islice(view.entries(reader, ino), at_most):
            nodes.setdefault(entry.name, entry.node)
    except _LOST:
        return _Listing(nodes, is_whole=False)
    return _Listing(nodes, is_whole=len(nodes) < at_most)


class _Walk:
    """One comparison: the counts so far, and the directories that are still to be compared."""

    def __init__(self, reader: Reader, iso: View, udf: View, posix: bool) -> None:
        self._reader = reader
        self._iso = iso
        self._udf = udf
        self._posix = posix
        self._lost_by_iso = dict.fromkeys(Losses._fields, 0)
        self._lost_by_udf = dict.fromkeys(Losses._fields, 0)
        self._todo = deque([(iso.root, udf.root)])
        self._seen = {(iso.root, udf.root)}
        self._budget = _ENTRIES_AT_MOST

    def result(self) -> Comparison:
        """Walk until everything is compared, or the budget is spent."""
        while self._todo and self._budget > 0:
            self._directory(*self._todo.popleft())
        return Comparison(Losses(**self._lost_by_iso), Losses(**self._lost_by_udf))

    def _directory(self, iso_ino: int, udf_ino: int) -> None:
        iso = _list(self._reader, self._iso, iso_ino, self._budget)
        udf = _list(self._reader, self._udf, udf_ino, self._budget)
        self._budget -= max(len(iso.nodes), len(udf.nodes), 1)
        only_iso = {name: node for name, node in iso.nodes.items() if name not in udf.nodes}
        only_udf = {name: node for name, node in udf.nodes.items() if name not in iso.nodes}
        for name in iso.nodes.keys() & udf.nodes.keys():
            self._both(iso.nodes[name], udf.nodes[name])
        for iso_name, udf_name in list(_renamed(only_iso, only_udf, self._posix)):
            pair = only_iso.pop(iso_name), only_udf.pop(udf_name)
            same_name = _by_name(iso_name, pair[0]) == _by_name(udf_name, pair[1])
            if not same_name:
                self._names(iso_name, udf_name)
            if same_name or not pair[0].is_directory:
                self._both(*pair)  # which directory is which is a guess where names differ
        if udf.is_whole:
            self._missing(only_iso, self._lost_by_udf)
        if iso.is_whole:
            self._missing(only_udf, self._lost_by_iso)

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
            if (iso.ino, udf.ino) not in self._seen:
                self._seen.add((iso.ino, udf.ino))
                self._todo.append((iso.ino, udf.ino))
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
    iso: dict[bytes, Node], udf: dict[bytes, Node], posix: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Pairs of names that only one side has, of what is the same thing all the same.

    Names without regard to case first, then files by where their bytes are. Of empty files and
    directories, and of files where names are short by nature, no more can be told than that there
    are as many of a kind and size.
    """
    left = dict(udf)
    rest = dict(iso)
    for key in (_by_name, _by_place, _if_empty if posix else _by_kind):
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
