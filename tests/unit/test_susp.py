"""System use fields and their continuation areas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.formats.iso9660.susp import CUT, fields, has_xa, skip_of
from tests.formats.iso_builder import SECTOR, MemorySource, ce, er, field, nm, px, sp

A, B, C = field(b"AA", b"1"), field(b"BB", b"22"), field(b"CC", b"333")
XA = bytes(6) + b"XA" + bytes(6)


class BadMedium(MemorySource):
    def read_at(self, offset: int, length: int) -> bytes:
        raise OSError(5, "Input/output error")


def found(
    area: bytes, image: bytes | MemorySource = b"", block_size: int = SECTOR
) -> tuple[list[tuple[bytes, bytes]], int]:
    """The fields with their data, and how much damage there was, which a field CUT tells too."""
    damage = Damage()
    source = MemorySource(image) if isinstance(image, bytes) else image
    all_fields = list(fields(BlockCache(source), area, block_size, 0, damage))
    whole = [(f.signature, f.area[f.start : f.end]) for f in all_fields if f.signature != CUT]
    assert (len(all_fields) > len(whole)) == bool(damage.count)
    return whole, damage.count


AA, BB, CC = (b"AA", b"1"), (b"BB", b"22"), (b"CC", b"333")


@pytest.mark.parametrize(
    ("area", "expected", "damage"),
    [
        (b"", [], 0),
        (A + B, [AA, BB], 0),
        (A + b"\0", [AA], 0),
        (A + bytes(20), [AA], 0),
        (A + field(b"ST") + B, [AA, (b"ST", b""), BB], 0),
        (A + field(b"EE", length=3) + B, [AA], 1),
        (A + field(b"EE", length=0) + B, [AA], 1),
        (A + field(b"EE", length=200) + B, [AA], 1),
        (A + field(b"EE", b"xx", length=7), [AA], 1),
        (field(b"EE"), [(b"EE", b"")], 0),
    ],
)
def test_fields_of_an_area(area: bytes, expected: list[object], damage: int) -> None:
    assert found(area) == (expected, damage)


def test_a_continuation_comes_after_all_fields_of_the_area() -> None:
    image = bytes(SECTOR) + bytes(100) + C
    assert found(A + ce(1, 100, len(C)) + B, image) == ([AA, BB, CC], 0)


def test_continuations_go_on() -> None:
    image = (B + ce(1, 0, len(C))).ljust(SECTOR, b"\0") + C
    assert found(A + ce(0, 0, len(B) + 28), image) == ([AA, BB, CC], 0)


def test_the_last_of_two_continuations_counts() -> None:
    image = B.ljust(SECTOR, b"\0") + C
    assert found(A + ce(0, 0, len(B)) + ce(1, 0, len(C)), image) == ([AA, CC], 0)


def test_continuations_count_in_logical_blocks() -> None:
    assert found(ce(3, 4, len(A)), bytes(3 * 512 + 4) + A, block_size=512) == ([AA], 0)


def test_an_area_may_cross_a_block() -> None:
    image = bytes(SECTOR - 3) + A + B
    assert found(ce(0, SECTOR - 3, len(A + B)), image) == ([AA, BB], 0)


@pytest.mark.parametrize(
    "continuation",
    [ce(9, 0, 50), ce(0xFFFFFFFF, 0xFFFFFFFF, 50), ce(0, 0, 0xFFFFFFFF), field(b"CE", bytes(20))],
)
def test_a_continuation_that_leads_nowhere_keeps_the_fields_before_it(continuation: bytes) -> None:
    assert found(A + continuation + B, bytes(100)) == ([AA, BB], 1)


def test_a_continuation_over_the_end_of_the_image_keeps_what_is_there() -> None:
    assert found(A + ce(0, 0, 100), B) == ([AA, BB], 1)


def test_an_empty_continuation_is_nothing() -> None:
    assert found(A + ce(0, 0, 0), B) == ([AA], 0)


def test_an_unreadable_continuation_keeps_the_fields_before_it() -> None:
    assert found(A + ce(0, 0, 5), BadMedium(B)) == ([AA], 1)


def test_a_loop_of_continuations_ends() -> None:
    loop = B + ce(0, 0, len(B) + 28)
    names, damage = found(A + ce(0, 0, len(loop)), loop)
    assert names[:2] == [AA, BB]
    assert len(names) < 100
    assert damage == 1


def test_many_records_that_share_a_long_chain_cost_little() -> None:
    """What one record may claim is bounded, so that a directory of them still ends."""
    size = 32768 - 28
    loop = field(b"ZZ") * (size // 4) + ce(0, 0, 32768)
    assert len(found(ce(0, 0, 32768), loop)[0]) < 1024


@pytest.mark.parametrize(
    ("area", "skip"),
    [
        (sp(), 0),
        (sp(14) + er(), 14),
        (XA + sp(14), 14),
        (XA + sp(0), 0),
        (b"", None),
        (px(0o755) + sp(), None),
        (field(b"SP", b"\xbe\xee\0"), None),
        (sp()[:6], None),
        (bytes(14), None),
    ],
)
def test_where_the_fields_begin(area: bytes, skip: int | None) -> None:
    assert skip_of(area) == skip


def test_xa_attributes_are_known_by_their_signature() -> None:
    assert has_xa(XA)
    assert not has_xa(XA[:13])
    assert not has_xa(nm(b"XA" * 10))
    # A field may hold the same letters at the same place.
    assert not has_xa(nm(b"fXAmple.txt"))
    assert nm(b"fXAmple.txt")[6:8] == b"XA"


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_area_ends(area: bytes, image: bytes) -> None:
    names, _ = found(area, image)
    assert len(names) <= 65 * 256
    skip_of(area)


@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 400), st.binary(max_size=400))
def test_any_continuation_ends(area: bytes, offset: int, size: int, image: bytes) -> None:
    found(area + ce(0, offset, size), image)
