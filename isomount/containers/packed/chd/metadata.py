"""What a CHD file says about its content: a list of tagged texts."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from isomount.containers.packed.chd.header import Header
from isomount.errors import DamagedImageError
from isomount.sources import Source

# Tag, flags (8 bits) and length (24 bits), place of the next entry.
_ENTRY = struct.Struct(">4sIQ")
_LENGTH = (1 << 24) - 1
# A CD has 99 tracks; a few entries more are of no concern here.
_ENTRIES_AT_MOST = 1000
# The longest one that is read is the old list of tracks in binary.
_LENGTH_AT_MOST = 4096


class Metadata(NamedTuple):
    """An entry: its tag and what it says."""

    tag: bytes
    data: bytes


def read_metadata(file: Source, header: Header) -> Iterator[Metadata]:
    """The entries in their order. Raises DamagedImageError."""
    at = header.metadata_at
    for _ in range(_ENTRIES_AT_MOST):
        if not at:
            return
        entry = file.read_at(at, _ENTRY.size)
        if len(entry) < _ENTRY.size:
            raise _damaged(file)
        tag, length, following = _ENTRY.unpack(entry)
        data = file.read_at(at + _ENTRY.size, min(length & _LENGTH, _LENGTH_AT_MOST))
        yield Metadata(tag, data)
        at = following
    raise _damaged(file)


def _damaged(file: Source) -> DamagedImageError:
    return DamagedImageError(
        f"{file.name}: the CHD file is cut off or damaged where its tracks are listed; "
        "copy it again"
    )
