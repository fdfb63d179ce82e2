"""The memory of a running mount."""

import ctypes
from contextlib import suppress

# mallopt(3): how many arenas there may be.
_M_ARENA_MAX = -8


def use_one_arena() -> None:
    """Have all threads share the memory that is freed.

    Blocks of some MiB are made in one thread and dropped in another. With an arena for each thread,
    as the C library has by default, each of them keeps that much: half as much again in all.
    """
    with suppress(AttributeError, OSError):  # another C library has no arenas
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
