"""The frequent requests of one mount, decoded, answered and encoded without pyfuse3.

Each handler is called on the event loop with a reader that never waits. Where that raises
NotResidentError nothing was sent yet, and the same handler is called again in a worker thread with
one that does.
"""

import errno
import logging
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from isomount.blocks import Content, NotResidentError, Reader
from isomount.fs import answers
from isomount.fs.answers import RefusedError
from isomount.fs.guard import errno_of, log
from isomount.fs.handles import OpenFile
from isomount.fs.lane import wire
from isomount.fs.lane.splice import UnspliceableError
from isomount.fs.lane.wire import Body, Opcode, Opened, Request
from isomount.fs.session import Session
from isomount.sources import FileRange

# Raises UnspliceableError where a range of a file could not be sent: it is to be copied.
Send: TypeAlias = Callable[[wire.Message], None]
# Whether the request of that number still wants an answer; it is the caller's to give from then on.
Claim: TypeAlias = Callable[[int], bool]
# None means that nothing is left to be sent.
_Handler: TypeAlias = Callable[[Request, Reader], Body | None]

# They need something open, which somebody who may ask has opened, and may have handed on.
_WITH_HANDLE = frozenset((Opcode.READ, Opcode.RELEASE, Opcode.READDIRPLUS, Opcode.RELEASEDIR))
# What the kernel does on its own account.
_NO_USE = frozenset((Opcode.FORGET, Opcode.BATCH_FORGET))


class Handlers:
    """Answers the kernel out of ``session``, by ``send``.

    ``spliced_at_most`` is how many bytes can be sent as a range of a file.
    """

    def __init__(self, session: Session, send: Send, *, spliced_at_most: int = 0) -> None:
        self._session = session
        self._volume = session.volume
        self._send = send
        self._spliced_at_most = spliced_at_most
        self._resident = session.volume.blocks.resident
        self._use = session.use
        self._is_for_all = session.policy.only_for is None
        # Once told that OPENDIR is unknown, newer kernels open directories by themselves and keep
        # what they read of them.
        self.kernel_opens_directories = False
        self._handlers: dict[int, _Handler] = {
            Opcode.LOOKUP: self._lookup,
            Opcode.GETATTR: self._getattr,
            Opcode.OPENDIR: self._opendir,
            Opcode.READDIRPLUS: self._readdirplus,
            Opcode.OPEN: self._open,
            Opcode.READ: self._read,
            Opcode.RELEASE: self._release,
            Opcode.READLINK: self._readlink,
            Opcode.GETXATTR: self._getxattr,
            Opcode.LISTXATTR: self._listxattr,
            Opcode.RELEASEDIR: _releasedir,
            Opcode.FORGET: _forget,
            Opcode.BATCH_FORGET: _forget,
        }

    def handles(self, request: Request) -> bool:
        """Whether requests of that kind are answered here."""
        return request.opcode in self._handlers

    def answer(self, request: Request) -> bool:
        """Answer out of memory; False when that is impossible, and ``answer_slowly`` is needed."""
        try:
            self._answer(request, self._resident, _always)
        except NotResidentError:
            return False
        return True

    def answer_slowly(self, request: Request, claim: Claim) -> None:
        """Answer after waiting for the image, if ``claim`` agrees then. For a worker thread."""
        self._answer(request, self._volume.blocks, claim)

    def look_ahead(self) -> bool:
        """Do a little of what will be asked for next; False when there is nothing to do."""
        return self._session.listings.foresight.step()

    def _answer(self, request: Request, reader: Reader, claim: Claim) -> None:
        if not (self._is_for_all or self._may_ask(request)):
            self._send(wire.refusal(request.unique, errno.EACCES))
            return
        if request.opcode not in _NO_USE:
            self._use.now()
        try:
            body = self._handlers[request.opcode](request, reader)
        except NotResidentError:
            raise
        except Exception as error:  # one that left this function would end the mount for everybody
            code = errno_of(wire.name(request.opcode), _arguments(request), error)
            if claim(request.unique):
                self._send(wire.refusal(request.unique, code))
            return
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s%r", wire.name(request.opcode), _arguments(request))
        if body is None:
            return
        if claim(request.unique):
            self._send(wire.reply(request.unique, body))
        elif request.opcode == Opcode.OPEN:  # the kernel will not release what it does not know
            self._session.files.release(wire.handle_opened(body))

    def _may_ask(self, request: Request) -> bool:
        if self._session.policy.lets_in(request.uid):
            return True
        return request.opcode in _WITH_HANDLE or request.opcode in _NO_USE

    def _lookup(self, request: Request, reader: Reader) -> bytes:
        """The node of that name; that there is none is remembered by the kernel too."""
        parent = self._session.from_kernel(request.node)
        node = answers.lookup(self._volume, reader, parent, request.body[:-1])
        if node is None:
            return wire.MISSING
        return wire.entry(node, self._session.to_kernel(node.ino), self._session.block_size)

    def _getattr(self, request: Request, reader: Reader) -> bytes:
        """What stat shows."""
        node = answers.attributes(self._volume, reader, self._session.from_kernel(request.node))
        return wire.attributes(node, request.node, self._session.block_size)

    def _opendir(self, request: Request, reader: Reader) -> bytes:
        """Nothing has to be opened: a directory is read by its number."""
        if self.kernel_opens_directories and self._session.policy.kernel_may_open_directories:
            raise RefusedError(errno.ENOSYS)  # once and for all
        return wire.opened(0, Opened.KEEP_CACHE | Opened.CACHE_DIR)

    def _readdirplus(self, request: Request, reader: Reader) -> bytes:
        """Some entries with their attributes."""
        _, cookie, size = wire.range_of(request)
        listing = wire.Listing(size, self._session.block_size, self._volume.root)
        ino = self._session.from_kernel(request.node)
        self._session.listings.fill(reader, ino, cookie, listing)
        return listing.body()

    def _open(self, request: Request, reader: Reader) -> bytes:
        """Open for reading; the page cache stays valid from one open to the next."""
        answers.require_reading(wire.open_flags(request))
        ino = self._session.from_kernel(request.node)
        # Marked before anything may wait: a second open must not push, whichever is answered first.
        is_first = self._session.first_opens.is_first(ino)
        content = answers.open_file(self._volume, reader, ino)
        if is_first:
            self._push(request.node, content)
        flags = Opened.KEEP_CACHE
        if answers.is_cut_off(self._volume, content):
            flags |= Opened.DIRECT_IO
        return wire.opened(self._session.files.open(OpenFile(ino, content, request.pid)), flags)

    def _push(self, number: int, content: Content) -> None:
        data = answers.small_file(self._volume, content)
        if data is not None:
            with suppress(OSError):  # then it is read
                self._send(wire.store(number, data))

    def _read(self, request: Request, reader: Reader) -> Body | None:
        """That range of an open file, not copied where that is worth it."""
        handle, offset, size = wire.range_of(request)
        file = self._session.files[handle]
        if reader is self._resident and size <= self._spliced_at_most:
            where = answers.file_range(self._volume, file, offset, size)
            if where is not None and self._send_range(request, where):
                return None
        return answers.read(self._volume, reader, file, offset, size)

    def _send_range(self, request: Request, where: FileRange) -> bool:
        """Send a range of a file; False when it cannot be sent as such, and has to be copied."""
        try:
            self._send(wire.reply(request.unique, where))
        except UnspliceableError:
            return False
        return True

    def _release(self, request: Request, reader: Reader) -> bytes:
        """The last descriptor of one open is closed."""
        self._session.files.release(wire.handle_of(request))
        return b""

    def _readlink(self, request: Request, reader: Reader) -> bytes:
        """A symbolic link's target."""
        return answers.readlink(self._volume, reader, self._session.from_kernel(request.node))

    def _getxattr(self, request: Request, reader: Reader) -> bytes:
        """The value of one extended attribute."""
        self._require_xattrs()
        size, name = wire.xattr_of(request)
        ino = self._session.from_kernel(request.node)
        return _fitting(answers.xattr(self._volume, reader, ino, name), size)

    def _listxattr(self, request: Request, reader: Reader) -> bytes:
        """The names of the extended attributes."""
        self._require_xattrs()
        size, _ = wire.xattr_of(request)
        ino = self._session.from_kernel(request.node)
        names = answers.xattr_names(self._volume, reader, ino)
        return _fitting(b"".join(name + b"\0" for name in names), size)

    def _require_xattrs(self) -> None:
        if not self._session.policy.xattrs:
            raise RefusedError(errno.ENOSYS)  # the kernel never asks again


def _always(unique: int) -> bool:
    return True


def _fitting(value: bytes, size: int) -> bytes:
    """``value`` where there is room for ``size`` bytes; where there is none, how much it takes."""
    if size == 0:
        return wire.size_of_xattr(len(value))
    if len(value) > size:
        raise RefusedError(errno.ERANGE)
    return value


def _releasedir(request: Request, reader: Reader) -> bytes:
    """A directory is not opened, so there is nothing to close."""
    return b""


def _forget(request: Request, reader: Reader) -> None:
    """A node's number is its address: there is nothing to remember of it."""


def _arguments(request: Request) -> tuple[int | bytes, ...]:
    """What to log of a request."""
    if request.opcode == Opcode.LOOKUP:
        return request.node, request.body[:-1]
    if request.opcode == Opcode.GETXATTR:
        return request.node, request.body[8:-1]
    if request.opcode in (Opcode.READ, Opcode.READDIRPLUS):
        with suppress(struct.error):
            return request.node, *wire.range_of(request)
    return (request.node,)
