"""The FUSE operations of a mounted volume."""

import contextlib
import errno
import os
from collections.abc import Callable
from stat import S_ISDIR
from typing import TypeVar, cast

import pyfuse3
import trio

from isomount.blocks import Content, NotResidentError, Reader, SingleExtent
from isomount.errors import DamagedDataError, IsomountError
from isomount.formats.node import Node
from isomount.fs.ahead import Ahead, Waiting
from isomount.fs.attributes import attributes, directory_number, missing
from isomount.fs.foresight import Foresight
from isomount.fs.guard import guarded
from isomount.fs.push import PUSHED_AT_MOST, FirstOpens, push
from isomount.tree import Directory, Listed, Volume

_Answer = TypeVar("_Answer")

# Cookies 1 and 2 are "." and ".."; the directory's own follow.
_DOTS = 2
# Requests that wait for the image at the same time.
_WORKERS = 16


class Operations(pyfuse3.Operations):
    """Answers the kernel out of ``volume``.

    File handles are inode numbers. Every answer is first tried from memory, on the event loop, and
    only what would wait goes to a worker thread. ``ready`` is called when the mount answers.
    Without ``xattrs`` the kernel is told once that there are none, and never asks again.
    """

    supports_dot_lookup = True
    enable_writeback_cache = False
    # When a handler was called last, as time.monotonic tells it; statfs does not count.
    last_used = 0.0

    def __init__(self, volume: Volume, *, ready: Callable[[], None], xattrs: bool = False) -> None:
        super().__init__()
        self._has_xattrs = xattrs
        self._volume = volume
        self._ready = ready
        self._statfs = volume.statfs()
        # Open files: their content and how often they are open.
        self._open: dict[int, tuple[Content, int]] = {}
        self._waiting = Waiting()
        self._foresight = Foresight(volume)
        self._first_opens = FirstOpens()
        self._workers = trio.CapacityLimiter(_WORKERS)

    def init(self) -> None:
        """The kernel's INIT request is being answered: from now on the mount works."""
        self._ready()

    @guarded
    async def lookup(
        self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """The node called ``name``; "." and ".." are asked for by those who export the mount."""
        parent = self._from_kernel(parent_inode)
        if name == b".":
            node: Node | None = await self._node(parent)
        elif name == b"..":
            node = await self._node(await self._ask(lambda r: self._volume.parent(parent, r)))
        else:
            node = await self._ask(lambda r: self._volume.child(parent, name, r))
        if node is None:
            return missing()
        _check(node)
        return self._attributes(node)

    @guarded
    async def getattr(self, inode: int, ctx: pyfuse3.RequestContext) -> pyfuse3.EntryAttributes:
        """What stat shows."""
        node = await self._node(self._from_kernel(inode))
        _check(node)
        return self._attributes(node)

    @guarded
    async def readlink(self, inode: int, ctx: pyfuse3.RequestContext) -> bytes:
        """A symbolic link's target."""
        node = await self._node(self._from_kernel(inode))
        if node.target is None:
            raise DamagedDataError("the symbolic link has no usable target")
        return node.target

    @guarded
    async def open(self, inode: int, flags: int, ctx: pyfuse3.RequestContext) -> pyfuse3.FileInfo:
        """Open for reading; the page cache stays valid from one open to the next."""
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise pyfuse3.FUSEError(errno.EROFS)
        ino = self._from_kernel(inode)
        content = (await self._node(ino)).content
        if content is None:
            raise DamagedDataError("there is no content behind this inode")
        _, count = self._open.get(ino, (content, 0))
        self._open[ino] = (content, count + 1)
        if self._first_opens.is_first(ino) and 0 < content.size <= PUSHED_AT_MOST:
            self._push(inode, content)
        # Past the page cache a read may be short without truncating the file, so the last bytes
        # before the image's end are not lost with their page.
        return pyfuse3.FileInfo(fh=inode, keep_cache=True, direct_io=self._is_cut_off(content))

    def _is_cut_off(self, content: Content) -> bool:
        return content.end > self._volume.blocks.size

    def _push(self, inode: int, content: Content) -> None:
        """Hand over a small file's content; only what is in memory, as nothing may come between."""
        with contextlib.suppress(NotResidentError, IsomountError, OSError):
            data = self._resident(content, 0, content.size)
            if len(data) == content.size:
                push(inode, data)

    def _resident(self, content: Content, offset: int, length: int) -> bytes:
        """A range that is in memory, or NotResidentError."""
        reader = self._volume.blocks.resident
        if isinstance(content, SingleExtent):
            # As it came, without a copy: pyfuse3 takes whatever has a buffer, and has sent it
            # before another request is looked at.
            length = min(length, content.size - offset)
            return cast(bytes, reader.read_data(content.start + offset, length))
        return content.read(reader, offset, length)

    @guarded
    async def read(self, fh: int, off: int, size: int) -> bytes:
        """That range of an open file."""
        ino = self._from_kernel(fh)
        content, _ = self._open[ino]
        try:
            try:
                data = self._resident(content, off, size)
            except NotResidentError:
                data = await self._in_worker(lambda: content.read(self._volume.blocks, off, size))
            lacking = len(data) < min(size, content.size - off)
            if lacking and not (data and self._is_cut_off(content)):
                raise DamagedDataError("a part of this range cannot be read")
        except (DamagedDataError, OSError) as error:
            self._volume.note_unreadable(ino, off, error)
            raise
        return data

    @guarded
    async def release(self, fh: int) -> None:
        """The last descriptor of one open is closed."""
        ino = self._from_kernel(fh)
        content, count = self._open[ino]
        if count > 1:
            self._open[ino] = (content, count - 1)
        else:
            del self._open[ino]

    @guarded
    async def opendir(self, inode: int, ctx: pyfuse3.RequestContext) -> int:
        """Open a directory, which loads it."""
        ino = self._from_kernel(inode)
        self._foresight.opens(ino)
        await self._ask(lambda r: self._volume.directory(ino, r))
        return inode

    @guarded
    async def readdir(self, fh: int, start_id: int, token: pyfuse3.ReaddirToken) -> None:
        """Fill one reply with entries and their attributes."""
        ino = self._from_kernel(fh)
        directory = await self._ask(lambda r: self._volume.directory(ino, r))
        if start_id == 0:
            self._foresight.listing()
        if start_id < _DOTS and not self._dots(ino, directory.parent, start_id, token):
            return
        cookie = max(0, start_id - _DOTS)
        if directory.in_memory:
            for listed in directory.after(self._volume.blocks, cookie):
                if not self._reply(token, listed):
                    return
            return
        await self._reply_ahead(ino, directory, cookie, token)

    async def _reply_ahead(
        self, ino: int, directory: Directory, cookie: int, token: pyfuse3.ReaddirToken
    ) -> None:
        """Fill one reply out of a huge directory, which is read again, away from the loop."""
        listing = self._waiting.take(ino, cookie)
        if listing is None:
            listing = Ahead(directory.after(self._volume.blocks, cookie))
        while await self._has_more(listing):
            if not self._reply(token, listing.ready[0]):
                self._waiting.keep(ino, cookie, listing)
                return
            cookie = listing.ready.popleft()[0]

    async def _has_more(self, listing: Ahead) -> bool:
        return bool(listing.ready) or await self._in_worker(listing.refill)

    def _reply(self, token: pyfuse3.ReaddirToken, listed: Listed) -> bool:
        """Add one entry to a reply; False when it is full."""
        cookie, name, node = listed
        if S_ISDIR(node.mode):
            self._foresight.lists(node.ino)
        entry = self._attributes(node)
        return pyfuse3.readdir_reply(token, name, entry, cookie + _DOTS)

    def meanwhile(self) -> bool:
        """Do a little of what will be asked for next; False when there is nothing to do."""
        return self._foresight.step()

    def _dots(self, ino: int, parent: int, start_id: int, token: pyfuse3.ReaddirToken) -> bool:
        """Reply with "." and ".."; False when the reply is full."""
        for cookie, name in ((1, b"."), (2, b"..")):
            if cookie <= start_id:
                continue
            number = ino if name == b"." else parent
            entry = directory_number(pyfuse3.ROOT_INODE if number == self._volume.root else number)
            if not pyfuse3.readdir_reply(token, name, entry, cookie):
                return False
        return True

    @guarded
    async def listxattr(self, inode: int, ctx: pyfuse3.RequestContext) -> list[bytes]:
        """The names of the extended attributes."""
        return list(await self._xattrs(inode))

    @guarded
    async def getxattr(self, inode: int, name: bytes, ctx: pyfuse3.RequestContext) -> bytes:
        """The value of one extended attribute."""
        value = (await self._xattrs(inode)).get(name)
        if value is None:
            raise pyfuse3.FUSEError(pyfuse3.ENOATTR)
        return value

    async def _xattrs(self, inode: int) -> dict[bytes, bytes]:
        if not self._has_xattrs:
            raise pyfuse3.FUSEError(errno.ENOSYS)
        ino = self._from_kernel(inode)
        return await self._ask(lambda r: self._volume.xattrs(ino, r))

    @guarded
    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        """The volume's size; nothing is free."""
        data = pyfuse3.StatvfsData()
        data.f_bsize = data.f_frsize = self._statfs.block_size
        data.f_blocks = self._statfs.blocks
        data.f_bfree = data.f_bavail = self._statfs.blocks_free
        data.f_files = self._statfs.files
        data.f_ffree = data.f_favail = self._statfs.files_free
        data.f_namemax = self._statfs.name_max
        return data

    async def _ask(self, work: Callable[[Reader], _Answer]) -> _Answer:
        """What ``work`` answers from memory, or else in a worker thread."""
        try:
            return work(self._volume.blocks.resident)
        except NotResidentError:
            return await self._in_worker(lambda: work(self._volume.blocks))

    async def _in_worker(self, work: Callable[[], _Answer]) -> _Answer:
        return await trio.to_thread.run_sync(work, limiter=self._workers)

    async def _node(self, ino: int) -> Node:
        return await self._ask(lambda r: self._volume.node(ino, r))

    def _from_kernel(self, inode: int) -> int:
        return self._volume.root if inode == pyfuse3.ROOT_INODE else inode

    def _attributes(self, node: Node) -> pyfuse3.EntryAttributes:
        ino = pyfuse3.ROOT_INODE if node.ino == self._volume.root else node.ino
        return attributes(node, ino, self._statfs.block_size)


def _check(node: Node) -> None:
    if node.fault:
        raise DamagedDataError(node.fault)
