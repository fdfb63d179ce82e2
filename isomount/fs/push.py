"""Storing small files in the kernel's page cache when they are first opened, which saves a READ.

Before the very first OPEN of a file is answered, no process can hold a page of it, so its content
can be stored (FUSE_NOTIFY_STORE) safely. Later the same call could deadlock: it may wait for a page
that is locked by a READ which waits for this process.
"""

# One bit per hash of an inode number. If two files share a bit, one of them is not pushed, but no
# file is ever pushed twice.
_BITS = 1 << 23


class FirstOpens:
    """Remembers which files were opened, in a fixed amount of memory."""

    def __init__(self) -> None:
        self._opened = bytearray(_BITS // 8)

    def is_first(self, ino: int) -> bool:
        """Whether ``ino`` was certainly never opened before. Marks it as opened."""
        # Fibonacci hashing spreads neighbouring numbers.
        place, bit = divmod(ino * 0x9E3779B97F4A7C15 >> 20 & _BITS - 1, 8)
        mask = 1 << bit
        if self._opened[place] & mask:
            return False
        self._opened[place] |= mask
        return True
