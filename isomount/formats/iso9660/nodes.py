"""Nodes from directory records: owner, mode, links and times, by Linux's rules and options."""

import stat
from collections.abc import Sequence
from typing import TYPE_CHECKING

from isomount.blocks import Content, SingleExtent
from isomount.formats.charset import StoredNames
from isomount.formats.iso9660.content import content_of
from isomount.formats.iso9660.dates import recording_time
from isomount.formats.iso9660.records import Record
from isomount.formats.iso9660.rockridge import RockRidge
from isomount.formats.iso9660.xa import form2_content
from isomount.formats.node import Node
from isomount.formats.options import ViewOptions
from isomount.formats.zisofs import zisofs_content

if TYPE_CHECKING:
    from isomount.containers.discs.source import DiscSource

_READABLE = 0o555
# Linux ignores other bits of mode= and dmode=.
_CHOOSABLE = 0o777
_CRUFT_MASK = 0xFFFFFF
_RIGHTS_AT_MOST = 1024
_ALL_BITS = 0xFFFFFFFF
_TYPES = frozenset(
    (
        stat.S_IFREG,
        stat.S_IFDIR,
        stat.S_IFLNK,
        stat.S_IFCHR,
        stat.S_IFBLK,
        stat.S_IFIFO,
        stat.S_IFSOCK,
    )
)


# Takes half the time of calling the class, but needs a value for every field.
_node = tuple.__new__


class NodeMaker:
    """Makes the nodes of one view."""

    def __init__(
        self,
        options: ViewOptions,
        block_size: int,
        stored: StoredNames,
        tracks: "DiscSource | None" = None,
    ) -> None:
        """``tracks`` are those of the disc, where they are known: sectors may be stored whole."""
        self._tracks = tracks
        self._options = options
        self._stored = stored
        self._block_size = block_size
        self._plain_mode = stat.S_IFREG | self._plain_permissions(stat.S_IFREG)
        self._plain_owner = options.owner(0), options.group(0)
        self._rights: dict[tuple[int, int, int], tuple[int, int, int]] = {}
        self._size_mask = _CRUFT_MASK if options.cruft else _ALL_BITS

    def directory(self, ino: int, record: Record, rr: RockRidge | None) -> Node:
        """A directory; ``record`` is the one with its attributes, usually its "." record."""
        return self._node(ino, record, rr, stat.S_IFDIR, record.data_length, None)

    def unreadable(self, record: Record, rr: RockRidge | None, reason: str) -> Node:
        """A directory that cannot be read: it is listed, but any use of it is EIO."""
        return self.directory(record.address, record, rr)._replace(fault=reason)

    def other(self, ino: int, sections: Sequence[Record], rr: RockRidge | None) -> Node:
        """A node that is not a directory, with all its file sections."""
        record = sections[0]
        kind = stat.S_IFREG
        if rr is not None and rr.mode is not None and stat.S_IFMT(rr.mode) in _TYPES:
            kind = stat.S_IFMT(rr.mode)
        content = self._content(sections)
        if kind != stat.S_IFREG:
            return self._node(ino, record, rr, kind, content.size, None)
        if rr is not None and rr.zisofs is not None and not self._options.nocompress:
            content = zisofs_content(content, *rr.zisofs)
        return self._node(ino, record, rr, kind, content.size, content)

    def _content(self, sections: Sequence[Record]) -> Content:
        if self._tracks is not None:
            whole = form2_content(sections, self._block_size, self._tracks)
            if whole is not None:
                return whole
        return content_of(sections, self._block_size, self._size_mask)

    def file(
        self,
        ino: int,
        mode: int,
        uid: int,
        gid: int,
        size: int,
        place: int,
        accessed: bytes,
        modified: bytes,
        changed: bytes,
    ) -> Node:
        """A contiguous file at byte ``place`` with one link, from its PX and TF fields."""
        rights = self._rights.get((mode, uid, gid))
        if rights is None:
            rights = self._file_rights(mode, uid, gid)
        return _node(
            Node,
            (
                ino,
                *rights,
                1,
                size & self._size_mask,
                recording_time(accessed),
                recording_time(modified),
                recording_time(changed),
                0,
                None,
                place,
                None,
            ),
        )

    def plain_file(self, ino: int, size: int, place: int, date: bytes) -> Node:
        """A contiguous file at byte ``place`` without POSIX attributes, only a date."""
        recorded = recording_time(date)
        return Node(
            ino,
            self._plain_mode,
            *self._plain_owner,
            1,
            size & self._size_mask,
            recorded,
            recorded,
            recorded,
            0,
            None,
            place,
        )

    def _file_rights(self, mode: int, uid: int, gid: int) -> tuple[int, int, int]:
        """Mode, owner and group as shown; cached, as a disc has few combinations."""
        shown = (
            stat.S_IFREG | self._posix_permissions(stat.S_IFREG, mode),
            self._options.owner(uid),
            self._options.group(gid),
        )
        if len(self._rights) < _RIGHTS_AT_MOST:
            self._rights[mode, uid, gid] = shown
        return shown

    def _node(
        self,
        ino: int,
        record: Record,
        rr: RockRidge | None,
        kind: int,
        size: int,
        content: Content | None,
    ) -> Node:
        options = self._options
        recorded = recording_time(record.date)
        if rr is None or rr.mode is None:
            nlink, uid, gid = 1, 0, 0
            permissions = self._plain_permissions(kind)
        else:
            nlink, uid, gid = rr.nlink, rr.uid, rr.gid
            permissions = self._posix_permissions(kind, rr.mode)
        target = None
        if rr is not None and kind == stat.S_IFLNK:
            target = rr.target
            size = size if rr.target_size is None else rr.target_size
            if target is not None:
                shown = self._stored.shown(target)
                size += len(shown) - len(target)
                target = shown
        return Node(
            ino,
            kind | permissions,
            options.owner(uid),
            options.group(gid),
            nlink,
            size,
            recorded if rr is None or rr.accessed is None else rr.accessed,
            recorded if rr is None or rr.modified is None else rr.modified,
            recorded if rr is None or rr.changed is None else rr.changed,
            rr.rdev if rr is not None and kind in (stat.S_IFCHR, stat.S_IFBLK) else 0,
            target,
            content.start if isinstance(content, SingleExtent) else content,
        )

    def _plain_permissions(self, kind: int) -> int:
        options = self._options
        chosen = options.dmode if kind == stat.S_IFDIR else options.mode
        return (_READABLE if chosen is None else chosen & _CHOOSABLE) & ~options.umask

    def _posix_permissions(self, kind: int, mode: int) -> int:
        permissions = mode & 0o7777
        if kind == stat.S_IFLNK:
            return permissions
        if self._options.overriderockperm and kind in (stat.S_IFDIR, stat.S_IFREG):
            chosen = self._options.dmode if kind == stat.S_IFDIR else self._options.mode
            permissions = permissions if chosen is None else chosen & _CHOOSABLE
        return permissions & ~self._options.umask
