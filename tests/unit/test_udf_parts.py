"""Tags, symbolic links, extended attributes: parsers on bytes."""

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.errors import DamagedDataError
from isomount.formats.udf import structures, symlink
from isomount.formats.udf.attributes import attributes, device_number
from isomount.formats.udf.tags import Soundness, soundness
from tests.formats.udf_builder import (
    device_attribute,
    extended_attribute_space,
    tagged,
)


def component(kind: int, name: bytes = b"") -> bytes:
    return struct.pack("<BBH", kind, len(name), 0) + name


A, B = component(5, b"\x08a"), component(5, b"\x08b")
ROOT, PARENT, CURRENT = component(2), component(3), component(4)


@pytest.mark.parametrize(
    ("components", "path"),
    [
        (b"", b""),
        (A + B, b"a/b"),
        (ROOT, b"/"),
        (ROOT + A, b"/a"),
        (component(1) + A, b"/a"),
        (component(1, b"\x08q") + A, b"a"),
        (A + ROOT + B, b"/b"),
        (PARENT + PARENT + CURRENT + A, b"../.././a"),
        (PARENT, b".."),
        (CURRENT, b"."),
        (component(9) + A, b"a"),
        (A + component(9) + B, b"a/b"),
        (component(5, b"\x08a/b"), b"a_b#F667"),
        (component(5, b"\x10\x65\xe5"), "日".encode()),
    ],
)
def test_path_components_spell_what_linux_reads(components: bytes, path: bytes) -> None:
    assert symlink.target(components, "utf-8") == path


@pytest.mark.parametrize("components", [b"\x05\x50\0\0\x08a", component(5), component(5, b"\x05b")])
def test_damaged_components_are_damage(components: bytes) -> None:
    with pytest.raises(DamagedDataError):
        symlink.target(components, "utf-8")


@given(st.binary(max_size=300))
def test_any_components_are_a_path_or_damage(components: bytes) -> None:
    try:
        path = symlink.target(components, "utf-8")
    except DamagedDataError:
        return
    assert b"\0" not in path


def test_a_sound_descriptor_is_told_from_a_tolerable_and_a_bad_one() -> None:
    whole = tagged(256, 0, b"x" * 100)
    wrong_crc = tagged(256, 0, b"x" * 100)[:-1] + b"y"
    wrong_sum = whole[:4] + bytes([whole[4] ^ 1]) + whole[5:]
    both = wrong_sum[:-1] + b"y"
    assert soundness(whole, (256,)) is Soundness.SOUND
    assert soundness(wrong_crc, (256,)) is Soundness.TOLERABLE
    assert soundness(wrong_sum, (256,)) is Soundness.TOLERABLE
    assert soundness(both, (256,)) is Soundness.BAD
    assert soundness(whole, (257,)) is Soundness.BAD
    assert soundness(whole[:15], (256,)) is Soundness.BAD


@given(st.binary(max_size=600))
def test_bytes_that_nobody_summed_are_not_sound(data: bytes) -> None:
    grade = soundness(data, range(0x10000))
    assert grade is not Soundness.SOUND or len(data) >= 16


def test_every_layout_has_the_size_that_the_standard_gives() -> None:
    assert structures.TAG.size == 16
    assert structures.LONG_AD.size == 16
    assert structures.FILE_ENTRY_LAYOUT.size == 176
    assert structures.EXTENDED_FILE_ENTRY_LAYOUT.size == 216
    assert structures.LOGICAL_VOLUME_DESCRIPTOR.size == 440
    assert structures.PARTITION_DESCRIPTOR.size == 196
    assert structures.METADATA_MAP.size == 64
    assert structures.SPARABLE_MAP.size == 64
    assert structures.SPARING_TABLE.size == 56
    assert structures.INTEGRITY_DESCRIPTOR.size == 80
    assert structures.ALLOCATION_EXTENT_LAYOUT.size == 24


def test_a_descriptor_that_is_cut_short_is_damage() -> None:
    with pytest.raises(DamagedDataError):
        structures.FILE_ENTRY_LAYOUT.parse(bytes(175))


def implementation_use(identifier: bytes, use: bytes) -> bytes:
    body = struct.pack("<I", len(use)) + b"\0" + identifier.ljust(23, b"\0") + bytes(8) + use
    return struct.pack("<IB3xI", 2048, 1, 12 + len(body)) + body


def test_extended_attributes_are_told_by_type_and_identifier() -> None:
    space = extended_attribute_space(
        device_attribute(8, 1), implementation_use(b"*UDF Mac VolumeInfo", b"hello")
    )
    device, other = attributes(space)
    assert (device.type, device.identifier) == (12, b"")
    assert other == (2048, b"*UDF Mac VolumeInfo", b"hello")
    assert device_number(space) == os.makedev(8, 1)


def test_a_device_without_its_attribute_has_no_number() -> None:
    assert device_number(b"") is None
    assert device_number(extended_attribute_space(implementation_use(b"x", b""))) is None


@given(st.binary(max_size=400))
def test_any_attribute_space_ends(tail: bytes) -> None:
    for space in (tail, extended_attribute_space(tail)):
        assert sum(len(each.value) for each in attributes(space)) <= len(space)
        device_number(space)
