"""Extended attributes and ACLs in a Rock Ridge tree: AAIP 2.0, which xorriso writes.

The AL fields of a record contain a list of components, in turn a name and a value. A first byte
below 0x20 abbreviates the namespace of a name; an empty name is that of the ACLs.
"""

import struct
from collections.abc import Iterable, Iterator

from isomount.damage import Damage
from isomount.formats.iso9660.susp import CUT, Field
from isomount.formats.xattrs import possible

_CONTINUE = 0x01
_ABBREVIATED_BELOW = 0x20
# 1 is an escape for names that begin with such a byte; 4 is "isofs.", the writer's own notes.
_NAMESPACES = {1: b"", 2: b"system.", 3: b"user.", 5: b"trusted.", 6: b"security."}
_SHOWN = tuple(namespace for namespace in _NAMESPACES.values() if namespace)

# Types of ACL entries, in the upper half of their first byte, and Linux's tags for them.
_TAGS = {1: 0x01, 10: 0x02, 3: 0x04, 12: 0x08, 5: 0x10, 6: 0x20}
_NAMED_TAGS = {0x02, 0x08}
_NEEDED_TAGS = {0x01, 0x04, 0x20}
_SWITCH_MARK, _FUTURE_VERSION = 8, 15
_QUALIFIER = 0x08
_ID_SIZE_AT_MOST = 4
_NO_ID = 0xFFFFFFFF
_ACL_HEADER, _ACL_ENTRY = struct.pack("<I", 2), struct.Struct("<HHI")

_Pairs = Iterator[tuple[bytes, bytes]]
_AclEntry = tuple[int, int, int]


def extended_attributes(found: Iterable[Field], address: int, damage: Damage) -> dict[bytes, bytes]:
    """Linux's names and values of what the ``found`` fields of the record at ``address`` hold.

    Names that Linux has no namespace for are left out.
    """
    return possible(_everything(found, address, damage), address, damage)


def _everything(found: Iterable[Field], address: int, damage: Damage) -> _Pairs:
    listed = b"".join(_component_areas(found))
    for name, value in _pairs(listed, address, damage):
        if not name:
            yield from _acls(value)
            continue
        shown = _full_name(name)
        if shown is not None:
            yield shown, value


def _component_areas(found: Iterable[Field]) -> Iterator[bytes]:
    """What the AL fields contain, up to the last of the list or to one that is missing."""
    for signature, area, start, end in found:
        if signature == CUT:
            return
        if signature == b"AL" and start < end:
            yield area[start + 1 : end]
            if not area[start] & _CONTINUE:
                return


def _pairs(listed: bytes, address: int, damage: Damage) -> _Pairs:
    """Every whole name with its whole value, from component records as in SL (RRIP 4.1.3.1)."""
    name: bytes | None = None
    whole = bytearray()
    at = 0
    while at < len(listed):
        # The length is in the second byte; a header that is cut off reaches past the end.
        end = at + 2 + listed[at + 1] if at + 1 < len(listed) else at + 2
        if end > len(listed):
            break
        whole += listed[at + 2 : end]
        if not listed[at] & _CONTINUE:
            if name is None:
                name = bytes(whole)
            else:
                yield name, bytes(whole)
                name = None
            whole.clear()
        at = end
    if at < len(listed) or whole or name is not None:
        damage.note(address, "an extended attribute is incomplete")


def _full_name(name: bytes) -> bytes | None:
    """The name with its namespace, None for what is no extended attribute of Linux."""
    if name[0] < _ABBREVIATED_BELOW:
        namespace = _NAMESPACES.get(name[0])
        if namespace is None:
            return None
        name = namespace + name[1:]
    if b"\0" in name or not name.startswith(_SHOWN) or name in _SHOWN:
        return None
    return name


def _acls(value: bytes) -> _Pairs:
    """The access ACL and, of a directory, the default ACL, in the binary form of Linux's xattrs.

    One without the entries that every ACL has, or that cannot be read, is left out.
    """
    access: list[_AclEntry] = []
    default: list[_AclEntry] = []
    current = access
    try:
        for kind, rights, qualifier in _acl_entries(value):
            if kind == _SWITCH_MARK:
                current = default
            elif kind in _TAGS:
                current.append((_TAGS[kind], rights, _id(_TAGS[kind], qualifier)))
    except ValueError:
        return
    for name, entries in ((b"access", access), (b"default", default)):
        if {tag for tag, _, _ in entries} >= _NEEDED_TAGS:
            # Linux wants them in the order of their tags, then of users and groups.
            ordered = sorted(entries, key=lambda entry: (entry[0], entry[2]))
            packed = b"".join(_ACL_ENTRY.pack(*entry) for entry in ordered)
            yield b"system.posix_acl_" + name, _ACL_HEADER + packed


def _acl_entries(value: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, rights and qualifier of every entry. Raises ValueError where one cannot be read."""
    at = 0
    while at < len(value):
        head = value[at]
        at += 1
        qualifier = b""
        continued = bool(head & _QUALIFIER)
        while continued:
            if at >= len(value) or at + 1 + (value[at] & 0x7F) > len(value):
                raise ValueError("a qualifier is cut off")
            end = at + 1 + (value[at] & 0x7F)
            qualifier += value[at + 1 : end]
            continued, at = bool(value[at] & 0x80), end
        if head >> 4 == _FUTURE_VERSION:
            raise ValueError("an entry of a later version")
        yield head >> 4, head & 0x07, qualifier


def _id(tag: int, qualifier: bytes) -> int:
    """The user or group of an entry. Raises ValueError if it is not given as a number."""
    if tag not in _NAMED_TAGS:
        return _NO_ID
    if not 0 < len(qualifier) <= _ID_SIZE_AT_MOST:
        raise ValueError("a user or group without a number")
    return int.from_bytes(qualifier, "big")
