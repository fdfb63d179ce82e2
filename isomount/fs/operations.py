"""The requests that come seldom, answered through pyfuse3.

It also says what the kernel and we agree on at the beginning (INIT), and that we know of no other
requests. The frequent ones do not come this way (isomount.fs.frequent).
"""

import errno
from collections.abc import Callable
from typing import TypeVar

import pyfuse3
import trio

from isomount.blocks import NotResidentError, Reader
from isomount.errors import DamagedDataError
from isomount.fs.guard import Use, guarded
from isomount.tree import Volume

_Answer = TypeVar("_Answer")


class Operations(pyfuse3.Operations):
    """Answers the kernel out of ``volume``.

    Every answer is first tried from memory, on the event loop, and only what would wait goes to a
    worker thread, of ``workers``. ``ready`` is called when the mount answers. Without ``xattrs``
    the kernel is told once that there are none, and never asks again.
    """

    supports_dot_lookup = True
    enable_writeback_cache = False

    def __init__(
        self,
        volume: Volume,
        use: Use,
        workers: trio.CapacityLimiter,
        *,
        ready: Callable[[], None],
        xattrs: bool = False,
    ) -> None:
        super().__init__()
        self.use = use
        self._has_xattrs = xattrs
        self._volume = volume
        self._ready = ready
        self._statfs = volume.statfs()
        self._workers = workers

    def init(self) -> None:
        """The kernel's INIT request is being answered: from now on the mount works."""
        self._ready()

    @guarded
    async def readlink(self, inode: int, ctx: pyfuse3.RequestContext) -> bytes:
        """A symbolic link's target."""
        ino = self._from_kernel(inode)
        node = await self._ask(lambda r: self._volume.node(ino, r))
        if node.target is None:
            raise DamagedDataError("the symbolic link has no usable target")
        return node.target

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
            return await trio.to_thread.run_sync(
                lambda: work(self._volume.blocks), limiter=self._workers
            )

    def _from_kernel(self, inode: int) -> int:
        return self._volume.root if inode == pyfuse3.ROOT_INODE else inode
