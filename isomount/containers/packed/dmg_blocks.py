"""The blocks that tell of a UDIF image's partitions: in a property list, or in a resource fork."""

import plistlib
import struct
from collections.abc import Iterator
from typing import Any
from xml.parsers.expat import ExpatError

from isomount.containers.packed.damaged import damaged
from isomount.sources import Source

KIND = "a disk image of a Mac (.dmg)"
# Lists of large disks have some hundred KiB.
_LIST_AT_MOST = 16 << 20
_XML = b"<"
_BLOCKS = "blkx"
# Inside Macintosh: More Macintosh Toolbox, 1-121: data, map, length of data, length of map.
_FORK = struct.Struct(">IIII")
# Where the map says where its list of types is; types less 1.
_TYPES_AT, _COUNT = 24, struct.Struct(">H")
# Type, resources less 1, where they are listed; id, name, place of 3 bytes behind attributes.
_TYPE = struct.Struct(">4sHH")
_REFERENCE = struct.Struct(">HHII")
_PLACE_BITS = 0xFFFFFF
_LENGTH = struct.Struct(">I")


def blocks_of(file: Source, start: int, length: int) -> list[bytes]:
    """The blocks in a property list or a resource fork. Raises DamagedImageError."""
    if not 0 < length <= _LIST_AT_MOST or start + length > file.size:
        raise damaged(file, KIND, "list of partitions")
    data = file.read_at(start, length)
    try:
        if data.lstrip().startswith(_XML):
            return _bounded(_in_list(plistlib.loads(data, fmt=plistlib.FMT_XML)), length)
        return _bounded(_in_fork(data), length)
    except (ExpatError, ValueError, TypeError, KeyError, AttributeError, struct.error) as error:
        raise damaged(file, KIND, "list of partitions") from error
    except (plistlib.InvalidFileException, IndexError, RecursionError) as error:
        raise damaged(file, KIND, "list of partitions") from error


def _bounded(blocks: Iterator[bytes], most: int) -> list[bytes]:
    """The blocks, which are no more than ``most`` bytes: those of a fork may lie one in another."""
    found: list[bytes] = []
    for block in blocks:
        most -= max(len(block), _LENGTH.size)
        if most < 0:
            raise ValueError
        found.append(block)
    return found


def _in_list(told: Any) -> Iterator[bytes]:
    for entry in told["resource-fork"][_BLOCKS]:
        block = entry["Data"]
        if not isinstance(block, bytes):
            raise TypeError
        yield block


def _in_fork(fork: bytes) -> Iterator[bytes]:
    data_at, map_at, _, _ = _FORK.unpack_from(fork)
    types_at = map_at + _COUNT.unpack_from(fork, map_at + _TYPES_AT)[0]
    (last,) = _COUNT.unpack_from(fork, types_at)
    for number in range(last + 1):
        at = types_at + _COUNT.size + number * _TYPE.size
        kind, last_of_kind, listed_at = _TYPE.unpack_from(fork, at)
        if kind == _BLOCKS.encode():
            for resource in range(last_of_kind + 1):
                at = types_at + listed_at + resource * _REFERENCE.size
                place = data_at + (_REFERENCE.unpack_from(fork, at)[2] & _PLACE_BITS)
                (length,) = _LENGTH.unpack_from(fork, place)
                yield fork[place + _LENGTH.size :][:length]
