"""The answers given by way of pyfuse3: every request when the fast lane is off, the rare ones else.

The model is that of borg's split: what a request means is told in isomount.fs.answers; here it
only gets pyfuse3's shape.
"""

import errno
import functools
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from stat import S_IFDIR
from typing import Any, TypeVar, cast

import pyfuse3
from pyfuse3 import EntryAttributes, FileInfo, FUSEError, RequestContext

from isomount.blocks import NotResidentError
from isomount.formats.node import Node
from isomount.fs import answers
from isomount.fs.guard import errno_of, log
from isomount.fs.handles import OpenDirectory, OpenFile
from isomount.fs.patience import Patience
from isomount.fs.session import Session

_Answer = TypeVar("_Answer")
_Handler = TypeVar("_Handler", bound=Callable[..., Awaitable[Any]])

# Seconds. The image cannot change, so the kernel may keep what it was told as long as it likes.
_FOREVER = 1_000_000_000
# Entries that a worker gathers for one reply, which has room for so many in 4 KiB.
_GATHERED_AT_MOST = 25
# How pyfuse3 logs a reply that the kernel does not want any more, as when it unmounts: no error.
_UNWANTED_REPLY = re.compile(r"fuse_reply_\* failed with (?:No such file|No such device)")


def _answered(handler: _Handler) -> _Handler:
    """Log the request, note the use, and turn every failure into an errno.

    Anything but FUSEError that leaves a handler ends the mount for everybody.
    """
    name = handler.__name__

    @functools.wraps(handler)
    async def answer(self: "Operations", *args: Any) -> Any:
        shown = tuple(each for each in args if isinstance(each, int | bytes))
        log.debug("%s%r", name, shown)
        if name != "statfs":  # watching how full file systems are is no use of one
            self.session.use.now()
        try:
            return await handler(self, *args)
        except FUSEError:
            raise
        except Exception as error:  # the mount has to go on
            raise FUSEError(errno_of(name, shown, error)) from error

    return cast(_Handler, answer)


def _is_worth_logging(record: logging.LogRecord) -> bool:
    return not _UNWANTED_REPLY.search(record.getMessage())


class Operations(pyfuse3.Operations):
    """Answers the requests of one mount out of ``session``.

    ``ready`` is called when the kernel's INIT is answered: from then on the mount answers.
    """

    # "." and ".." can be looked up, for a server that exports the mount.
    supports_dot_lookup = True

    def __init__(self, session: Session, *, ready: Callable[[], None]) -> None:
        super().__init__()
        self.session = session
        self._volume = session.volume
        self._ready = ready
        self._patience = Patience(session.policy.waiting)
        logging.getLogger("pyfuse3").addFilter(_is_worth_logging)

    def init(self) -> None:
        """The kernel's INIT request is being answered."""
        self._ready()

    @_answered
    async def lookup(self, parent_inode: int, name: bytes, ctx: RequestContext) -> EntryAttributes:
        """The node of that name; that there is none is remembered by the kernel too."""
        parent = self.session.from_kernel(parent_inode)
        node = await self._ask(ctx.pid, answers.lookup, parent, name)
        return _nothing(_FOREVER) if node is None else _attributes(self.session, node)

    @_answered
    async def getattr(self, inode: int, ctx: RequestContext) -> EntryAttributes:
        """What stat shows."""
        ino = self.session.from_kernel(inode)
        return _attributes(self.session, await self._ask(ctx.pid, answers.attributes, ino))

    @_answered
    async def readlink(self, inode: int, ctx: RequestContext) -> bytes:
        """A symbolic link's target."""
        return await self._ask(ctx.pid, answers.readlink, self.session.from_kernel(inode))

    @_answered
    async def access(self, inode: int, mode: int, ctx: RequestContext) -> bool:
        """Whether that is possible; who may do it checks the kernel."""
        return await self._ask(ctx.pid, answers.access, self.session.from_kernel(inode), mode)

    @_answered
    async def opendir(self, inode: int, ctx: RequestContext) -> int:
        """A handle, by which alone readdir learns of which directory."""
        opened = OpenDirectory(self.session.from_kernel(inode), ctx.pid)
        return self.session.directories.open(opened)

    @_answered
    async def readdir(self, fh: int, start_id: int, token: pyfuse3.ReaddirToken) -> None:
        """Some entries with their attributes."""
        directory = self.session.directories[fh]
        listings, resident = self.session.listings, self._volume.blocks.resident
        try:
            listings.fill(resident, directory.ino, start_id, _Reply(self.session, token))
        except NotResidentError:
            # Not into the reply itself: it is gone when the asker is, but not the thread.
            gathered = _Gathered(self.session)
            blocks = self._volume.blocks
            work = partial(listings.fill, blocks, directory.ino, start_id, gathered)
            await self._patience.wait_for(directory.pid, work)
            gathered.pass_to(token)

    @_answered
    async def releasedir(self, fh: int) -> None:
        """The last descriptor of a directory is closed."""
        self.session.directories.release(fh)

    @_answered
    async def open(self, inode: int, flags: int, ctx: RequestContext) -> FileInfo:
        """Open for reading; the page cache stays valid from one open to the next."""
        answers.require_reading(flags)
        ino = self.session.from_kernel(inode)
        # Marked before anything may wait: a second open must not push, whichever is answered first.
        is_first = self.session.first_opens.is_first(ino)
        try:
            content = answers.open_file(self._volume, self._volume.blocks.resident, ino)
        except NotResidentError:
            # Meanwhile another open may be answered and its READ lock a page: no push any more.
            is_first = False
            content = await self._ask(ctx.pid, answers.open_file, ino)
        if is_first:
            data = answers.small_file(self._volume, content)
            if data is not None:
                with suppress(OSError):  # then it is read
                    pyfuse3.notify_store(inode, 0, bytes(data))
        handle = self.session.files.open(OpenFile(ino, content, ctx.pid))
        is_cut_off = answers.is_cut_off(self._volume, content)
        return FileInfo(fh=handle, direct_io=is_cut_off, keep_cache=True)

    @_answered
    async def read(self, fh: int, off: int, size: int) -> bytes:
        """That range of an open file."""
        file = self.session.files[fh]
        return bytes(await self._ask(file.pid, answers.read, file, off, size))

    @_answered
    async def release(self, fh: int) -> None:
        """The last descriptor of one open is closed."""
        self.session.files.release(fh)

    @_answered
    async def getxattr(self, inode: int, name: bytes, ctx: RequestContext) -> bytes:
        """The value of one extended attribute."""
        self._require_xattrs()
        return await self._ask(ctx.pid, answers.xattr, self.session.from_kernel(inode), name)

    @_answered
    async def listxattr(self, inode: int, ctx: RequestContext) -> Sequence[bytes]:
        """The names of the extended attributes."""
        self._require_xattrs()
        return await self._ask(ctx.pid, answers.xattr_names, self.session.from_kernel(inode))

    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None:
        """A node's number is its address: there is nothing to remember of it."""

    @_answered
    async def statfs(self, ctx: RequestContext) -> pyfuse3.StatvfsData:
        """The volume's size; nothing is free."""
        found = answers.statfs(self._volume)
        data = pyfuse3.StatvfsData()
        data.f_bsize = data.f_frsize = found.block_size
        data.f_blocks = found.blocks
        data.f_bfree = data.f_bavail = found.blocks_free
        data.f_files = found.files
        data.f_ffree = data.f_favail = found.files_free
        data.f_namemax = found.name_max
        return data

    async def _ask(self, pid: int, answer: Callable[..., _Answer], *asked: Any) -> _Answer:
        """The answer for the process ``pid``: at once where that is possible, else by a worker."""
        try:
            return answer(self._volume, self._volume.blocks.resident, *asked)
        except NotResidentError:
            work = partial(answer, self._volume, self._volume.blocks, *asked)
            return await self._patience.wait_for(pid, work)

    def _require_xattrs(self) -> None:
        if not self.session.policy.xattrs:
            raise FUSEError(errno.ENOSYS)  # the kernel never asks again


def _attributes(session: Session, node: Node) -> EntryAttributes:
    found = EntryAttributes()
    found.st_ino = session.to_kernel(node.ino)
    # A node with a fault is not kept, so that whoever looks closer asks again and is told.
    found.entry_timeout = found.attr_timeout = 0 if node.fault else _FOREVER
    found.st_mode = node.mode
    found.st_nlink = node.nlink
    found.st_uid = node.uid
    found.st_gid = node.gid
    found.st_rdev = node.rdev & 0xFFFFFFFF
    found.st_size = node.size
    found.st_blksize = session.block_size
    found.st_blocks = (node.size + 511) // 512
    found.st_atime_ns = node.atime_ns
    found.st_mtime_ns = node.mtime_ns
    found.st_ctime_ns = node.ctime_ns
    return found


def _nothing(kept: int) -> EntryAttributes:
    """Number 0, which says that there is no such name, and for how many seconds that is so."""
    found = EntryAttributes()
    found.st_ino = 0
    found.st_mode = found.st_nlink = found.st_blksize = 0
    found.entry_timeout, found.attr_timeout = kept, 0
    return found


def _dot(session: Session, ino: int) -> EntryAttributes:
    """The kernel takes only number and type of "." and ".."."""
    found = _nothing(0)
    found.st_ino = session.to_kernel(ino)
    found.st_mode = S_IFDIR
    return found


class _Reply:
    """A reply to readdir, filled on the event loop."""

    entries_at_most = _GATHERED_AT_MOST

    def __init__(self, session: Session, token: pyfuse3.ReaddirToken) -> None:
        self._session = session
        self._token = token

    def add_dot(self, cookie: int, name: bytes, ino: int) -> bool:
        """Add "." or ".."; False when there is no room for it."""
        return pyfuse3.readdir_reply(self._token, name, _dot(self._session, ino), cookie)

    def add(self, cookie: int, name: bytes, node: Node) -> bool:
        """Add an entry; False when there is no room for it."""
        return pyfuse3.readdir_reply(self._token, name, _attributes(self._session, node), cookie)


class _Gathered:
    """Entries that a worker found, for a reply that the event loop fills."""

    entries_at_most = _GATHERED_AT_MOST

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: list[tuple[bytes, EntryAttributes, int]] = []

    def add_dot(self, cookie: int, name: bytes, ino: int) -> bool:
        """Add "." or ".."."""
        self._entries.append((name, _dot(self._session, ino), cookie))
        return True

    def add(self, cookie: int, name: bytes, node: Node) -> bool:
        """Add an entry; False when there are enough."""
        if len(self._entries) >= self.entries_at_most:
            return False
        self._entries.append((name, _attributes(self._session, node), cookie))
        return True

    def pass_to(self, token: pyfuse3.ReaddirToken) -> None:
        """Put them into the reply, as far as there is room."""
        for name, attributes, cookie in self._entries:
            if not pyfuse3.readdir_reply(token, name, attributes, cookie):
                return
