"""The kinds of containers, and what gives each away."""

import re
from importlib import import_module
from typing import Any, NamedTuple

from isomount.containers.base import Archive, Surroundings
from isomount.containers.discs.disc import Disc
from isomount.sources import Source

# The bytes at either end of a file in which marks are looked for.
HEAD, TAIL = 4096, 512


class Kind(NamedTuple):
    """A kind of container, unpacked by the function ``unpack`` of ``module``.

    ``marks`` are bytes and where they are, counted from the end where that is negative. ``text``
    matches the beginning of a sheet, which is text, after NULs were taken out (UTF-16). ``endings``
    are those of names, in lower case, where the bytes say nothing.
    """

    module: str
    marks: tuple[tuple[int, bytes], ...] = ()
    text: re.Pattern[bytes] | None = None
    endings: tuple[str, ...] = ()

    def unpack(self, file: Source, surroundings: Surroundings) -> Source | Archive | Disc:
        """What is in ``file``, which is open and stays so until the result is closed.

        Raises OtherKindError, and NotAnImageError, DamagedImageError or ImageUnreadableError with
        a sentence about it.
        """
        module: Any = import_module(f"isomount.containers.{self.module}")
        found: Source | Archive | Disc = module.unpack(file, surroundings)
        return found

    def is_at_end(self, tail: bytes) -> bool:
        """Whether the last bytes of a file are those of this kind."""
        return any(at < 0 and tail[at:][: len(mark)] == mark for at, mark in self.marks)

    def is_at_start(self, head: bytes, name: str) -> bool:
        """Whether a file that begins with ``head``, or its name, is of this kind."""
        if any(at >= 0 and head.startswith(mark, at) for at, mark in self.marks):
            return True
        if self.text is not None and self.text.search(head.replace(b"\0", b"")):
            return True
        return name.lower().endswith(self.endings)


# In the order in which they are tried.
KINDS: tuple[Kind, ...] = (Kind("packed.cso", marks=((0, b"CISO"), (0, b"ZISO"))),)

# Sectors of a CD without a sheet: what is left to look for in what is of no other kind.
BARE = Kind("discs.bare")
