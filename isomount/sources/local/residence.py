"""Which pages of a file are in the page cache, by mincore(2)."""

import ctypes
import errno
import mmap
import os
import sys
from typing import NoReturn

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]

_PROT_NONE = 0
_MAP_FAILED = ctypes.c_void_p(-1).value
_PAGE = mmap.PAGESIZE
# The longest range that ``holds`` accepts.
RANGE_AT_MOST = 1 << 20


class Residence:
    """Queries mincore(2) for an inaccessible mapping (PROT_NONE) of the file."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Raises OSError if residence cannot be determined."""
        if not _may_ask(descriptor):
            raise PermissionError("only who owns a file, or may write to it, is told")
        if size > sys.maxsize:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        self._size = size
        self._address = _libc.mmap(None, size, _PROT_NONE, mmap.MAP_SHARED, descriptor, 0)
        if self._address == _MAP_FAILED:
            _fail()
        self._pages = bytearray(RANGE_AT_MOST // _PAGE + 1)
        self._answer = (ctypes.c_char * len(self._pages)).from_buffer(self._pages)

    def holds(self, offset: int, length: int) -> bool:
        """Whether all of that range is in memory; bytes past the file's end are not."""
        start = offset - offset % _PAGE
        end = offset + length
        if _libc.mincore(self._address + start, end - start, self._answer) != 0:
            return False
        count = -(-(end - start) // _PAGE)
        return self._pages.count(1, 0, count) == count

    def close(self) -> None:
        """Remove the mapping."""
        _libc.munmap(self._address, self._size)


def _may_ask(descriptor: int) -> bool:
    # To processes that neither own nor may write the file, mincore reports all pages as resident.
    if os.fstat(descriptor).st_uid == os.geteuid():
        return True
    return os.access(f"/proc/self/fd/{descriptor}", os.W_OK, effective_ids=True)


def _fail() -> NoReturn:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))
