"""Extended attributes and the device number among them (ECMA-167 4/9.1, 4/14.10; UDF 3.3.4)."""

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from isomount.formats.udf.structures import (
    ATTRIBUTE_HEADER,
    EXTENDED_ATTRIBUTE_HEADER,
)

_DEVICE_SPECIFICATION = 12
_IMPLEMENTATION_USE, _APPLICATION_USE = 2048, 65536
_SPACE_HEADER = 24
_NUMBERS = struct.Struct("<4xII")
_IDENTIFIER = slice(5, 28)
_USE_HEADER = 36
# The kernel's device numbers have 12 bits of major and 20 of minor.
_MAJOR_MASK, _MINOR_MASK = 0xFFF, 0xFFFFF


class Attribute(NamedTuple):
    """One extended attribute: its type, its implementation or application identifier, its value."""

    type: int
    identifier: bytes
    value: bytes


def attributes(space: bytes) -> Iterator[Attribute]:
    """The extended attributes of an attribute space, up to the first invalid one (4/14.10.1)."""
    if int.from_bytes(space[:2], "little") != EXTENDED_ATTRIBUTE_HEADER:
        return
    at = _SPACE_HEADER
    while at + ATTRIBUTE_HEADER.size <= len(space):
        header = ATTRIBUTE_HEADER.parse(space, at)
        end = at + header.length
        if header.length < ATTRIBUTE_HEADER.size or end > len(space):
            return
        body = space[at + ATTRIBUTE_HEADER.size : end]
        if header.type in (_IMPLEMENTATION_USE, _APPLICATION_USE):
            # Length of the use field, an entity identifier, then the use field.
            name = body[_IDENTIFIER].split(b"\0")[0]
            yield Attribute(header.type, name, body[_USE_HEADER:])
        else:
            yield Attribute(header.type, b"", body)
        at = end


def device_number(space: bytes) -> int | None:
    """The device of the device specification attribute (4/14.10.7); None without one."""
    for attribute in attributes(space):
        if attribute.type == _DEVICE_SPECIFICATION and len(attribute.value) >= _NUMBERS.size:
            major, minor = _NUMBERS.unpack_from(attribute.value)
            return os.makedev(major & _MAJOR_MASK, minor & _MINOR_MASK)
    return None
