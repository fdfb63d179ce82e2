"""Extended attributes and ACLs in AL fields."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.damage import Damage
from isomount.formats.iso9660.aaip import extended_attributes
from isomount.formats.iso9660.susp import CUT, Field
from tests.formats.iso_builder import field

NOBODY = 0xFFFFFFFF
BASE = [(1, 6, NOBODY), (4, 4, NOBODY), (0x20, 4, NOBODY)]
# The same three entries in AAIP's form.
STORED_BASE = b"\x16\x34\x64"


def component(data: bytes, flags: int = 0) -> bytes:
    return bytes((flags, len(data))) + data


def pair(name: bytes, value: bytes) -> bytes:
    return component(name) + component(value)


def al(listed: bytes, flags: int = 0) -> Field:
    area = field(b"AL", bytes((flags,)) + listed)
    return Field(b"AL", area, 4, len(area))


def read(*fields: Field) -> tuple[dict[bytes, bytes], int]:
    damage = Damage()
    return extended_attributes(fields, 0, damage), damage.count


def acl(*entries: tuple[int, int, int]) -> bytes:
    """Linux's binary form."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (b"\3color", b"user.color"),
        (b"user.color", b"user.color"),
        (b"\1user.color", b"user.color"),
        (b"\2posix_acl_access", b"system.posix_acl_access"),
        (b"\5x", b"trusted.x"),
        (b"\6x", b"security.x"),
        (b"\4nt", None),  # the writer's own notes
        (b"isofs.nt", None),
        (b"\1\3color", None),
        (b"\7x", None),
        (b"color", None),
        (b"\3", None),
        (b"\3a\0b", None),
    ],
)
def test_names(stored: bytes, shown: bytes | None) -> None:
    expected = {b"user.last": b""} | ({} if shown is None else {shown: b"blue"})
    assert read(al(pair(stored, b"blue") + pair(b"\3last", b""))) == (expected, 0)


def test_a_component_goes_on_in_the_next_record_and_field() -> None:
    listed = component(b"\3lo", 1) + component(b"ng") + component(b"L" * 150, 1)
    listed += component(b"M" * 150) + pair(b"\3next", b"n")
    parts = [listed[at : at + 70] for at in range(0, len(listed), 70)]
    fields = [al(part, flags=1) for part in parts[:-1]] + [al(parts[-1])]
    expected = {b"user.long": b"L" * 150 + b"M" * 150, b"user.next": b"n"}
    assert read(*fields) == (expected, 0)


def test_the_list_ends_with_the_field_that_does_not_continue() -> None:
    assert read(al(pair(b"\3a", b"1")), al(pair(b"\3b", b"2"))) == ({b"user.a": b"1"}, 0)


def test_other_fields_are_passed_over_and_none_at_all_is_no_damage() -> None:
    other = Field(b"PX", bytes(36), 4, 36)
    assert read(other, al(pair(b"\3a", b"1"), flags=1), other, al(pair(b"\3b", b"2"))) == (
        {b"user.a": b"1", b"user.b": b"2"},
        0,
    )
    assert read(other) == ({}, 0)
    assert read(Field(b"AL", b"AL\4\1", 4, 4)) == ({}, 0)


@pytest.mark.parametrize(
    "rest",
    [component(b"\3b"), component(b"\3b", 1), b"\0", b"\0\5\3b", component(b"\3b") + b"\0\3x"],
)
def test_an_incomplete_attribute_is_left_out_and_noted(rest: bytes) -> None:
    assert read(al(pair(b"\3a", b"1") + rest)) == ({b"user.a": b"1"}, 1)


def test_nothing_is_joined_across_missing_fields() -> None:
    cut = Field(CUT, b"", 0, 0)
    first = al(pair(b"\3a", b"1") + component(b"\3b") + component(b"2", 1), flags=1)
    assert read(first, cut, al(component(b"3"))) == ({b"user.a": b"1"}, 1)


def test_of_equal_names_the_first_counts() -> None:
    assert read(al(pair(b"\3a", b"1") + pair(b"user.a", b"2"))) == ({b"user.a": b"1"}, 0)


def test_what_linux_cannot_show_is_left_out() -> None:
    value = b"".join(component(b"v" * 245, 1) for _ in range(270)) + component(b"")
    listed = component(b"\3big") + value + pair(b"\3" + b"n" * 251, b"") + pair(b"\3a", b"1")
    fields = [al(listed[at : at + 250], flags=1) for at in range(0, len(listed), 250)]
    assert read(*fields) == ({b"user.a": b"1"}, 1)


@pytest.mark.parametrize(
    ("stored", "access", "default"),
    [
        (STORED_BASE, acl(*BASE), None),
        (
            b"\x16\xaf\x02\x03\xe8\x34\xcd\x01\x32\x57\x64",
            acl(BASE[0], (2, 7, 1000), BASE[1], (8, 5, 50), (0x10, 7, NOBODY), BASE[2]),
            None,
        ),
        # Named users are stored in any order; translations and types unknown are passed over.
        (
            STORED_BASE + b"\xaf\x01\x09\xae\x01\x08\x57\x08\x0a\0" + bytes(8) + b"x\x27",
            acl(BASE[0], (2, 6, 8), (2, 7, 9), BASE[1], (0x10, 7, NOBODY), BASE[2]),
            None,
        ),
        (STORED_BASE + b"\x81" + STORED_BASE, acl(*BASE), acl(*BASE)),
        (b"\x81" + STORED_BASE, None, acl(*BASE)),
        (b"\x16\x34", None, None),
        (STORED_BASE + b"\xaf\x05\x01\x01\x01\x01\x01", None, None),
        (STORED_BASE + b"\xa7", None, None),  # by no number
        (STORED_BASE + b"\xaf\x02\x01", None, None),
        (STORED_BASE + b"\xaf", None, None),
        (STORED_BASE + b"\xf0", None, None),
        (b"", None, None),
    ],
)
def test_acls(stored: bytes, access: bytes | None, default: bytes | None) -> None:
    found, count = read(al(pair(b"", stored)))
    assert found.get(b"system.posix_acl_access") == access
    assert found.get(b"system.posix_acl_default") == default
    assert count == 0
    assert len(found) == (access is not None) + (default is not None)


@given(st.lists(st.tuples(st.binary(max_size=250), st.integers(0, 255)), max_size=40))
def test_any_bytes_give_attributes_no_larger_than_they_are(parts: list[tuple[bytes, int]]) -> None:
    found, _ = read(*(al(listed, flags) for listed, flags in parts))
    size = sum(len(listed) for listed, _ in parts)
    for name, value in found.items():
        assert name.startswith((b"user.", b"system.", b"trusted.", b"security."))
        assert len(name) <= 255
        assert b"\0" not in name
        # An entry of an ACL takes a byte there and eight here.
        assert len(value) <= 4 + 8 * size


@given(st.binary(max_size=200))
def test_any_acl(stored: bytes) -> None:
    found, count = read(al(pair(b"", stored)))
    assert count == 0
    for value in found.values():
        entries = list(struct.iter_unpack("<HHI", value[4:]))
        assert entries == sorted(entries, key=lambda entry: (entry[0], entry[2]))


NAMES = st.from_regex(rb"\A[\x20-\x7e]{1,100}\Z")


@given(st.dictionaries(NAMES, st.binary(max_size=600), max_size=8), st.integers(1, 249))
def test_what_is_stored_is_shown(stored: dict[bytes, bytes], size: int) -> None:
    listed = b""
    for name, value in stored.items():
        pieces = [value[at : at + 255] for at in range(0, len(value), 255)] or [b""]
        listed += component(b"\3" + name)
        listed += b"".join(component(piece, 1) for piece in pieces[:-1]) + component(pieces[-1])
    fields = [al(listed[at : at + size], flags=1) for at in range(0, len(listed), size)]
    assert read(*fields) == ({b"user." + name: value for name, value in stored.items()}, 0)
