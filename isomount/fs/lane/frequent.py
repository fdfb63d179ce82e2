"""The requests that programs make by the thousand, answered in the kernel's own words.

Each handler is a plain function of the request and a reader. It is called on the event loop with a
reader that never waits; where that raises NotResidentError nothing was answered yet, and the same
call is made again in a worker thread, with one that does.
"""

import errno
import itertools
import logging
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from stat import S_ISDIR
from typing import TypeAlias

from isomount.blocks import Content, NotResidentError, Reader, SingleExtent
from isomount.errors import DamagedDataError, IsomountError
from isomount.formats.node import Node
from isomount.fs.foresight import Foresight
from isomount.fs.guard import errno_of, log
from isomount.fs.lane import wire
from isomount.fs.lane.wire import Body, Opcode, Opened, Request
from isomount.fs.listings import Ahead, Waiting
from isomount.fs.push import PUSHED_AT_MOST, FirstOpens
from isomount.fs.use import Use
from isomount.tree import Directory, Volume

# Raises NotResidentError where a range of a file could not be sent: it is to be read.
Send: TypeAlias = Callable[[wire.Message], None]
# None is no answer.
_Handler: TypeAlias = Callable[[Request, Reader], Body | None]

# Below this a copy costs less than finding out whether one is needed.
_SPLICED_AT_LEAST = 64 << 10
# Cookies 1 and 2 are "." and ".."; the directory's own follow.
_DOTS = 2
# What needs something open, which somebody who may ask has opened, and may have handed on.
_WITH_HANDLE = frozenset((Opcode.READ, Opcode.RELEASE, Opcode.READDIRPLUS, Opcode.RELEASEDIR))
# What the kernel does on its own account.
_NO_USE = frozenset((Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.INTERRUPT))


class _RefusedError(IsomountError):
    """Not for this caller, or not with us: the errno says why."""

    def __init__(self, code: int) -> None:
        super().__init__(os.strerror(code))
        self.errno = code


class Frequent:
    """Answers the kernel out of ``volume``, by ``send``.

    ``spliced_at_most`` is how many bytes can be sent as a range of a file. ``only_for`` are the
    users who may ask, None for whomever the kernel lets through. With ``sees_visits`` looking into
    a directory again is use as well, although the kernel could answer it alone. Without ``xattrs``
    the kernel is told once that there are none, and never asks again.
    """

    def __init__(
        self,
        volume: Volume,
        send: Send,
        use: Use,
        *,
        spliced_at_most: int = 0,
        only_for: frozenset[int] | None = None,
        sees_visits: bool = False,
        xattrs: bool = False,
    ) -> None:
        self._volume = volume
        self._send = send
        self._use = use
        self._only_for = only_for
        self._spliced_at_most = spliced_at_most
        self._has_xattrs = xattrs
        self._resident = volume.blocks.resident
        self._block_size = volume.statfs().block_size
        # Who asks must be looked at each time.
        self._sees_visits = sees_visits or only_for is not None
        self._kernel_opens_directories = False
        # What is open, by file handle.
        self._open: dict[int, Content] = {}
        self._handles = itertools.count(1)
        self._first_opens = FirstOpens()
        self._foresight = Foresight(volume)
        self._waiting = Waiting()
        self._handlers: dict[int, _Handler] = {
            Opcode.LOOKUP: self._lookup,
            Opcode.GETATTR: self._getattr,
            Opcode.OPENDIR: self._opendir,
            Opcode.READDIRPLUS: self._readdirplus,
            Opcode.OPEN: self._open_file,
            Opcode.READ: self._read,
            Opcode.RELEASE: self._release,
            Opcode.READLINK: self._readlink,
            Opcode.GETXATTR: self._getxattr,
            Opcode.LISTXATTR: self._listxattr,
            Opcode.RELEASEDIR: _releasedir,
            Opcode.FORGET: _forget,
            Opcode.BATCH_FORGET: _forget,
            Opcode.INTERRUPT: _interrupt,
        }

    def meet(self, init: Request) -> None:
        """Learn from the kernel's INIT what it can do; others answer it."""
        # It opens directories by itself once it was told that OPENDIR is unknown, and then keeps
        # what it read of them.
        self._kernel_opens_directories = wire.offers_to_open_directories(init)

    def handles(self, request: Request) -> bool:
        """Whether requests of that kind are answered here."""
        return request.opcode in self._handlers

    def answer(self, request: Request) -> bool:
        """Answer out of memory; False when that is impossible, and ``answer_slowly`` is needed."""
        try:
            self._answer(request, self._resident)
        except NotResidentError:
            return False
        return True

    def answer_slowly(self, request: Request) -> None:
        """Answer, after waiting for the image. For a worker thread."""
        self._answer(request, self._volume.blocks)

    def meanwhile(self) -> bool:
        """Do a little of what will be asked for next; False when there is nothing to do."""
        return self._foresight.step()

    def _answer(self, request: Request, reader: Reader) -> None:
        if not self._may_ask(request):
            self._send(wire.refusal(request.unique, errno.EACCES))
            return
        if request.opcode not in _NO_USE:
            self._use.now()
        try:
            body = self._handlers[request.opcode](request, reader)
        except NotResidentError:
            raise
        except Exception as error:  # one that got past here would end the mount for everybody
            code = errno_of(_name(request), _arguments(request), error)
            self._send(wire.refusal(request.unique, code))
            return
        if body is not None:
            self._send(wire.reply(request.unique, body))
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s%r", _name(request), _arguments(request))

    def _may_ask(self, request: Request) -> bool:
        if self._only_for is None or request.uid in self._only_for:
            return True
        return request.opcode in _WITH_HANDLE or request.opcode in _NO_USE

    def _lookup(self, request: Request, reader: Reader) -> bytes:
        """The node of that name; "." and ".." are asked for by those who export the mount."""
        ino = self._from_kernel(request.node)
        name = request.body[:-1]
        if name == b".":
            node: Node | None = self._volume.node(ino, reader)
        elif name == b"..":
            node = self._volume.node(self._volume.parent(ino, reader), reader)
        else:
            node = self._volume.child(ino, name, reader)
        if node is None:
            return wire.MISSING
        _check(node)
        return wire.entry(node, self._to_kernel(node.ino), self._block_size)

    def _getattr(self, request: Request, reader: Reader) -> bytes:
        """What stat shows."""
        node = self._volume.node(self._from_kernel(request.node), reader)
        _check(node)
        return wire.attributes(node, request.node, self._block_size)

    def _opendir(self, request: Request, reader: Reader) -> bytes:
        """Nothing has to be opened: a directory is read by its number."""
        if self._kernel_opens_directories and not self._sees_visits:
            raise _RefusedError(errno.ENOSYS)  # once and for all
        return wire.opened(0, Opened.KEEP_CACHE | Opened.CACHE_DIR)

    def _readdirplus(self, request: Request, reader: Reader) -> bytes:
        """Some entries with their attributes."""
        ino = self._from_kernel(request.node)
        _, cookie, size = wire.range_of(request)
        # Only then it may be looked ahead: whoever waits for the disk does so in another thread.
        on_loop = reader is self._resident
        if cookie == 0 and on_loop:
            self._foresight.opens(ino)
        directory = self._volume.directory(ino, reader)
        listing = wire.Listing(size, self._block_size)
        if not self._add_dots(listing, ino, directory.parent, cookie):
            return listing.body()
        before = max(0, cookie - _DOTS)
        if not directory.in_memory:
            self._add_huge(listing, ino, directory, before, reader)
            return listing.body()
        if cookie == 0 and on_loop:
            self._foresight.listing()
        for after, name, node in directory.after(reader, before):
            if not listing.add(after + _DOTS, name, node, self._to_kernel(node.ino)):
                break
            if on_loop and S_ISDIR(node.mode):
                self._foresight.lists(node.ino)
        return listing.body()

    def _add_huge(
        self, listing: wire.Listing, ino: int, directory: Directory, cookie: int, reader: Reader
    ) -> None:
        """Fill an answer out of a directory that is read again, always in a worker thread."""
        ahead = self._waiting.take(ino, cookie) or Ahead(
            directory.after(self._volume.blocks, cookie)
        )
        if not ahead.has(listing.entries_at_most()):
            if reader is self._resident:
                self._waiting.keep(ino, cookie, ahead)
                raise NotResidentError
            ahead.refill()
        while ahead.ready:
            after, name, node = ahead.ready[0]
            if not listing.add(after + _DOTS, name, node, self._to_kernel(node.ino)):
                break
            cookie = after
            ahead.ready.popleft()
        if not ahead.is_over:
            self._waiting.keep(ino, cookie, ahead)

    def _add_dots(self, listing: wire.Listing, ino: int, parent: int, cookie: int) -> bool:
        dots = ((1, b".", ino), (2, b"..", parent))
        return all(
            listing.add_dot(number, name, self._to_kernel(node))
            for number, name, node in dots
            if number > cookie
        )

    def _open_file(self, request: Request, reader: Reader) -> bytes:
        """Open for reading; the page cache stays valid from one open to the next."""
        if wire.open_flags(request) & (os.O_WRONLY | os.O_RDWR):
            raise _RefusedError(errno.EROFS)
        ino = self._from_kernel(request.node)
        # Marked before anything may wait: whoever comes second must not push, wherever he runs.
        is_first = self._first_opens.is_first(ino)
        content = self._volume.node(ino, reader).content
        if content is None:
            raise DamagedDataError("there is no content behind this inode")
        if is_first and 0 < content.size <= PUSHED_AT_MOST:
            self._push(request.node, content)
        handle = next(self._handles)
        self._open[handle] = content
        # Past the page cache a read may be short without truncating the file, so the last bytes
        # before the image's end are not lost with their page.
        flags = Opened.DIRECT_IO if self._is_cut_off(content) else Opened(0)
        return wire.opened(handle, flags | Opened.KEEP_CACHE)

    def _push(self, number: int, content: Content) -> None:
        """Hand over a small file's content; only what is in memory, as nothing may come between."""
        with suppress(NotResidentError, IsomountError, OSError):
            data = self._resident_data(content, 0, content.size)
            if len(data) == content.size:
                self._send(wire.store(number, data))

    def _read(self, request: Request, reader: Reader) -> Body:
        """That range of an open file."""
        handle, offset, size = wire.range_of(request)
        content = self._open[handle]
        data: Body
        try:
            if reader is self._resident:
                data = self._resident_range(content, offset, size)
            else:
                data = content.read(reader, offset, size)
            is_whole = len(data) >= min(size, content.size - offset)
            if not is_whole and not (data and self._is_cut_off(content)):
                raise DamagedDataError("a part of this range cannot be read")
        except (DamagedDataError, OSError) as error:
            self._volume.note_unreadable(self._from_kernel(request.node), offset, error)
            raise
        return data

    def _resident_range(self, content: Content, offset: int, size: int) -> Body:
        """A range that is in memory, unread where that is worth it."""
        size = min(size, content.size - offset)
        if isinstance(content, SingleExtent) and _SPLICED_AT_LEAST <= size <= self._spliced_at_most:
            where = self._resident.range(content.start + offset, size)
            if where is not None:
                return where
        return self._resident_data(content, offset, size)

    def _resident_data(self, content: Content, offset: int, size: int) -> bytes | memoryview:
        if isinstance(content, SingleExtent):
            # As it came, without a copy: it is sent before another request is looked at.
            return self._resident.read_data(content.start + offset, size)
        return content.read(self._resident, offset, size)

    def _release(self, request: Request, reader: Reader) -> bytes:
        """The last descriptor of one open is closed."""
        del self._open[wire.handle_of(request)]
        return b""

    def _readlink(self, request: Request, reader: Reader) -> bytes:
        """A symbolic link's target."""
        target = self._volume.node(self._from_kernel(request.node), reader).target
        if target is None:
            raise DamagedDataError("the symbolic link has no usable target")
        return target

    def _getxattr(self, request: Request, reader: Reader) -> bytes:
        """The value of one extended attribute."""
        size, name = wire.xattr_of(request)
        value = self._xattrs(request, reader).get(name)
        if value is None:
            raise _RefusedError(errno.ENODATA)
        return _fitting(value, size)

    def _listxattr(self, request: Request, reader: Reader) -> bytes:
        """The names of the extended attributes."""
        size, _ = wire.xattr_of(request)
        return _fitting(b"".join(name + b"\0" for name in self._xattrs(request, reader)), size)

    def _xattrs(self, request: Request, reader: Reader) -> dict[bytes, bytes]:
        if not self._has_xattrs:
            raise _RefusedError(errno.ENOSYS)  # once and for all
        return self._volume.xattrs(self._from_kernel(request.node), reader)

    def _is_cut_off(self, content: Content) -> bool:
        return content.end > self._volume.blocks.size

    def _from_kernel(self, number: int) -> int:
        return self._volume.root if number == wire.ROOT else number

    def _to_kernel(self, ino: int) -> int:
        return wire.ROOT if ino == self._volume.root else ino


def _fitting(value: bytes, size: int) -> bytes:
    """``value`` for who has room for ``size`` bytes; for who has none, how much it takes."""
    if size == 0:
        return wire.size_of_xattr(len(value))
    if len(value) > size:
        raise _RefusedError(errno.ERANGE)
    return value


def _releasedir(request: Request, reader: Reader) -> bytes:
    """A directory is not opened, so there is nothing to close."""
    return b""


def _forget(request: Request, reader: Reader) -> None:
    """A node's number is its address: there is nothing to remember of it."""


def _interrupt(request: Request, reader: Reader) -> None:
    """Whoever asked does not want the answer any more; it is on its way already."""
    raise _RefusedError(errno.ENOSYS)  # once and for all


def _check(node: Node) -> None:
    if node.fault:
        raise DamagedDataError(node.fault)


def _name(request: Request) -> str:
    return Opcode(request.opcode).name.lower()


def _arguments(request: Request) -> tuple[int | bytes, ...]:
    if request.opcode == Opcode.LOOKUP:
        return request.node, request.body[:-1]
    if request.opcode == Opcode.GETXATTR:
        return request.node, request.body[8:-1]
    if request.opcode in (Opcode.READ, Opcode.READDIRPLUS):
        with suppress(struct.error):
            return request.node, *wire.range_of(request)
    return (request.node,)
