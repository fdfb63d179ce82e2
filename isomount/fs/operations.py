"""What pyfuse3 answers: INIT, STATFS, and that all else is unknown.

The requests that programs make by the thousand do not come this way (isomount.fs.lane.frequent).
"""

from collections.abc import Callable

import pyfuse3

from isomount.fs.guard import log
from isomount.tree import Volume


class Operations(pyfuse3.Operations):
    """Agrees with the kernel on how to talk, and tells how big ``volume`` is.

    ``ready`` is called when the kernel has asked for the former: from then on the mount answers.
    """

    # "." and ".." can be looked up, for those who export the mount.
    supports_dot_lookup = True

    def __init__(self, volume: Volume, *, ready: Callable[[], None]) -> None:
        super().__init__()
        self._ready = ready
        self._statfs = volume.statfs()

    def init(self) -> None:
        """The kernel's INIT request is being answered."""
        self._ready()

    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        """The volume's size; nothing is free.

        It is no use of the mount: programs that watch how full disks are do not look at what is on
        them.
        """
        log.debug("statfs()")
        data = pyfuse3.StatvfsData()
        data.f_bsize = data.f_frsize = self._statfs.block_size
        data.f_blocks = self._statfs.blocks
        data.f_bfree = data.f_bavail = self._statfs.blocks_free
        data.f_files = self._statfs.files
        data.f_ffree = data.f_favail = self._statfs.files_free
        data.f_namemax = self._statfs.name_max
        return data
