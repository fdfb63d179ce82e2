"""The System Use Sharing Protocol (IEEE P1281): fields in system use areas."""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.formats.iso9660.records import LOST, possible

# Longer chains of continuation areas are loops or attacks; a name and a target need only a few.
_CONTINUATIONS_AT_MOST = 64
_CONTINUATION_SIZE_AT_MOST = 32768
# The longest target in the shortest components takes 25 fields, extended attributes a few hundred.
_FIELDS_AT_MOST = 1024
# Block, offset and size of a continuation area.
_LITTLE, _BIG = struct.Struct("<I4xI4xI4x"), struct.Struct(">4xI4xI4xI")


# The signature of the field yielded in place of fields that cannot be parsed.
CUT = b""


class Field(NamedTuple):
    """One system use field: its signature, and its data at ``area[start:end]``.

    The whole area is given because genisoimage lets link components extend past their field.
    """

    signature: bytes
    area: bytes
    start: int
    end: int


def fields(
    reader: Reader, area: bytes, block_size: int, address: int, damage: Damage
) -> Iterator[Field]:
    """All fields of a record's system use area, including continuation areas (CE), in order.

    ``address`` is the record's image byte, for messages. An invalid field ends the area, and CUT
    is yielded in its place. ST does not end an area: Linux reads on, and some discs rely on that.
    """
    left = _FIELDS_AT_MOST
    for _ in range(_CONTINUATIONS_AT_MOST):
        continuation = None
        for field in islice(_parse(area, address, damage), left):
            left -= 1
            if field.signature == b"CE":
                continuation = area[field.start : field.end]
            else:
                yield field
        if not left:
            damage.note(address, f"only the first {_FIELDS_AT_MOST} system use fields are read")
            break
        if continuation is None:
            return
        area, whole = _continuation(reader, continuation, block_size, address, damage)
        if not whole:
            yield Field(CUT, b"", 0, 0)
    else:
        damage.note(address, "the continuation areas form a loop")
    yield Field(CUT, b"", 0, 0)


def _parse(area: bytes, address: int, damage: Damage) -> Iterator[Field]:
    """The fields of one area, including CE."""
    position, end = 0, len(area)
    while end - position >= 4:
        length = area[position + 2]
        if length < 4 or position + length > end:
            if area[position] or length:
                damage.note(address, "a system use field is longer than its area, or too short")
                yield Field(CUT, area, position, position)
            return
        yield Field(area[position : position + 2], area, position + 4, position + length)
        position += length


def _continuation(
    reader: Reader, field: bytes, block_size: int, address: int, damage: Damage
) -> tuple[bytes, bool]:
    """The area a CE field points to (SUSP 5.1): block, offset in it and size, each both-endian.

    Returns it with True if it is complete, else False.
    """
    if len(field) < 24:
        damage.note(address, "a continuation field is too short")
        return b"", False
    block, offset, size = _LITTLE.unpack_from(field)
    twins = _BIG.unpack_from(field)
    if twins != (block, offset, size):
        damage.note(address, "the two byte orders of a continuation field disagree")
        block = possible(block, twins[0], reader.size // block_size)
        offset = possible(offset, twins[1], block_size)
        size = possible(size, twins[2], _CONTINUATION_SIZE_AT_MOST)
    if size > _CONTINUATION_SIZE_AT_MOST:
        damage.note(address, f"a continuation area claims {size} bytes")
        return b"", False
    try:
        area = reader.read(block * block_size + offset, size)
    except LOST as error:
        damage.note(address, f"a continuation area cannot be read ({error})")
        return b"", False
    if len(area) < size:
        damage.note(address, "a continuation area lies past the end of the image")
    return area, len(area) == size


def skip_of(area: bytes) -> int | None:
    """The bytes to skip before the fields of each record, from the root's SP field (SUSP 5.3).

    None if the area has no SP. SP comes first, or after 14 bytes of CD-ROM XA attributes.
    """
    for start in (0, 14):
        sp = area[start : start + 7]
        if len(sp) == 7 and sp[:2] == b"SP" and sp[2] >= 7 and sp[4:6] == b"\xbe\xef":
            return sp[6]
    return None


def has_xa(area: bytes) -> bool:
    """Whether the area begins with CD-ROM XA attributes: 14 bytes with the signature at byte 6.

    A field at the start may contain the same letters there, such as NM with a name "fXAmple".
    """
    if len(area) < 14 or area[6:8] != b"XA":
        return False
    return not (area[:2].isalnum() and 4 <= area[2] <= len(area) and area[3] == 1)
