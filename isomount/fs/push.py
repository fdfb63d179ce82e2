"""Small files handed to the kernel when they are first opened, so that it need not ask for them.

Before the very first open of a file is answered nobody can hold a page of it, so its content can be
put into the page cache there and then. Later the same call may wait for a page that somebody has
locked while waiting for us, for ever.
"""

# One bit for each inode number's hash: two files that share a bit cost one of them the push, but a
# file is never pushed twice, whatever the disc holds.
_BITS = 1 << 23


class FirstOpens:
    """Remembers which files were opened, in a fixed amount of memory."""

    def __init__(self) -> None:
        self._opened = bytearray(_BITS // 8)

    def is_first(self, ino: int) -> bool:
        """Whether ``ino`` was certainly never opened before; now it was."""
        # Neighbouring numbers must not fall together: multiply them apart (Fibonacci hashing).
        place, bit = divmod(ino * 0x9E3779B97F4A7C15 >> 20 & _BITS - 1, 8)
        mask = 1 << bit
        if self._opened[place] & mask:
            return False
        self._opened[place] |= mask
        return True
