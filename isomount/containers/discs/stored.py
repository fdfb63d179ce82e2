"""How sectors are stored and what address they have, by their bytes: sheets are often wrong."""

from typing import NamedTuple

from isomount.containers.discs.disc import Mode, Run
from isomount.containers.discs.layout import judged, raw_at, read
from isomount.containers.discs.sectors import HEADED, RAW, header
from isomount.sources import Source

__all__ = ["RAW", "Stored", "address", "as_stored", "read"]


class Stored(NamedTuple):
    """``size`` bytes of each sector are stored, one sector ``stride`` bytes after the other."""

    size: int
    stride: int


def as_stored(file: Source, offset: int, said: Stored) -> Stored:
    """How the data sectors from byte ``offset`` of ``file`` on are stored.

    That is as ``said``, unless the bytes disprove it. A pregap of zeros proves nothing.
    """
    run = Run(0, 0, file, offset, *said, Mode.MODE1)
    layout = raw_at(file, offset) or judged(run)
    return Stored(layout.size, layout.stride)


def address(file: Source, offset: int) -> int | None:
    """The LBA in the header of the raw data sector at ``offset``; None if it has none."""
    found = header(read(file, offset, HEADED))
    return None if found is None else found.lba
