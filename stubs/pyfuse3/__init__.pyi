"""What isomount uses of pyfuse3, for mypy on a machine without pyfuse3.

pyfuse3 has types of its own, but is compiled when it is installed, which `make lint` must not need.
tests/unit/test_stubs.py compares this with the package.
"""

from collections.abc import Sequence, Set

ROOT_INODE: int

class FUSEError(Exception):
    errno: int
    def __init__(self, errno: int) -> None: ...

class ReaddirToken: ...

class RequestContext:
    @property
    def uid(self) -> int: ...
    @property
    def gid(self) -> int: ...
    @property
    def pid(self) -> int: ...
    @property
    def umask(self) -> int: ...

class EntryAttributes:
    st_ino: int
    generation: int
    entry_timeout: float
    attr_timeout: float
    st_mode: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_rdev: int
    st_size: int
    st_blksize: int
    st_blocks: int
    st_atime_ns: int
    st_ctime_ns: int
    st_mtime_ns: int

class FileInfo:
    fh: int
    direct_io: bool
    keep_cache: bool
    nonseekable: bool
    def __init__(
        self,
        fh: int = ...,
        direct_io: bool = ...,
        keep_cache: bool = ...,
        nonseekable: bool = ...,
    ) -> None: ...

class StatvfsData:
    f_bsize: int
    f_frsize: int
    f_blocks: int
    f_bfree: int
    f_bavail: int
    f_files: int
    f_ffree: int
    f_favail: int
    f_namemax: int

class Operations:
    supports_dot_lookup: bool
    enable_writeback_cache: bool
    enable_acl: bool
    def init(self) -> None: ...
    async def lookup(
        self, parent_inode: int, name: bytes, ctx: RequestContext
    ) -> EntryAttributes: ...
    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None: ...
    async def getattr(self, inode: int, ctx: RequestContext) -> EntryAttributes: ...
    async def readlink(self, inode: int, ctx: RequestContext) -> bytes: ...
    async def access(self, inode: int, mode: int, ctx: RequestContext) -> bool: ...
    async def open(self, inode: int, flags: int, ctx: RequestContext) -> FileInfo: ...
    async def read(self, fh: int, off: int, size: int) -> bytes: ...
    async def flush(self, fh: int) -> None: ...
    async def release(self, fh: int) -> None: ...
    async def opendir(self, inode: int, ctx: RequestContext) -> int: ...
    async def readdir(self, fh: int, start_id: int, token: ReaddirToken) -> None: ...
    async def releasedir(self, fh: int) -> None: ...
    async def statfs(self, ctx: RequestContext) -> StatvfsData: ...
    async def getxattr(self, inode: int, name: bytes, ctx: RequestContext) -> bytes: ...
    async def listxattr(self, inode: int, ctx: RequestContext) -> Sequence[bytes]: ...

default_options: frozenset[str]

def init(ops: Operations, mountpoint: str, options: Set[str] = ...) -> None: ...
async def main(min_tasks: int = ..., max_tasks: int = ...) -> None: ...
def terminate() -> None: ...
def close(unmount: bool = ...) -> None: ...
def notify_store(inode: int, offset: int, data: bytes) -> None: ...
def readdir_reply(
    token: ReaddirToken, name: bytes, attr: EntryAttributes, next_id: int
) -> bool: ...
