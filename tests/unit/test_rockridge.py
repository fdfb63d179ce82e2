"""Rock Ridge attributes out of system use fields."""

import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.formats.iso9660.rockridge import CompressedFile, RockRidge, attributes
from isomount.formats.iso9660.susp import fields
from tests.formats.iso_builder import (
    MemorySource,
    both32,
    ce,
    er,
    field,
    link,
    nm,
    px,
    sl,
    sp,
    zf,
)

NAME, JOINED, CURRENT, PARENT, ROOT = 0, 1, 2, 4, 8
JAN = bytes((120, 1, 1, 0, 0, 0, 0))
FEB = bytes((120, 2, 1, 0, 0, 0, 4))
MAR = bytes((120, 3, 1, 0, 0, 0, 0))
APR = bytes((120, 4, 1, 0, 0, 0, 0))


def read(*area: bytes) -> RockRidge:
    whole = b"".join(area)
    return attributes(fields(BlockCache(MemorySource(b"")), whole, 2048, 0, Damage()))


def ns(month: int, hour: int = 0) -> int:
    day = datetime(2020, month, 1, tzinfo=UTC)
    return (int(day.timestamp()) + hour * 3600) * 10**9


def test_nothing_said_is_nothing_known() -> None:
    rr = read()
    assert (rr.mode, rr.name, rr.target, rr.zisofs, rr.child) == (None,) * 5
    assert (rr.modified, rr.accessed, rr.changed) == (None,) * 3
    assert not rr.relocated


@pytest.mark.parametrize("serial", [None, 77])
def test_px_of_36_and_44_bytes(serial: int | None) -> None:
    rr = read(px(0o107755, 3, 1000, 100, serial))
    assert (rr.mode, rr.nlink, rr.uid, rr.gid) == (0o107755, 3, 1000, 100)
    assert rr.serial == (serial or 0)


def test_mode_bits_above_16_are_ignored() -> None:
    assert read(px(0o1100644)).mode == 0o100644


def test_a_px_that_is_too_short_says_nothing() -> None:
    assert read(field(b"PX", bytes(31))).mode is None


@pytest.mark.parametrize(
    ("high", "low", "number"),
    [
        (8, 1, os.makedev(8, 1)),
        (259, 70000, os.makedev(259, 70000)),
        (0, 5, os.makedev(0, 5)),
        (0, 0xFF, os.makedev(0, 255)),
        (0, 0x103, os.makedev(1, 3)),
        (0, 0x112233, os.makedev(0x122, 0x33)),
        (4095, 1048575, os.makedev(4095, 1048575)),
        (0xFFFFFFFF, 0xFFFFFFFF, os.makedev(4095, 1048575)),
    ],
)
def test_pn(high: int, low: int, number: int) -> None:
    assert read(field(b"PN", both32(high) + both32(low))).rdev == number


def test_a_pn_that_is_too_short_says_nothing() -> None:
    assert read(field(b"PN", both32(8) + b"\1\0")).rdev == 0


@pytest.mark.parametrize(
    ("components", "target"),
    [
        ([(NAME, b"a")], b"a"),
        ([(NAME, b"a"), (NAME, b"b")], b"a/b"),
        ([(CURRENT, b"")], b"."),
        ([(PARENT, b""), (PARENT, b""), (NAME, b"x")], b"../../x"),
        ([(CURRENT, b""), (PARENT, b""), (NAME, b"x")], b"./../x"),
        ([(ROOT, b"")], b"/"),
        ([(ROOT, b""), (NAME, b"etc")], b"/etc"),
        ([(NAME, b"a"), (ROOT, b""), (NAME, b"b")], b"a//b"),
        ([(ROOT, b""), (ROOT, b"")], b"//"),
        ([(JOINED, b"ab"), (NAME, b"cd"), (NAME, b"e")], b"abcd/e"),
        # Text beside a flag does not count.
        ([(ROOT, b"zzz"), (NAME, b"b")], b"/b"),
        ([(ROOT | JOINED, b""), (NAME, b"b")], b"/b"),
        ([(CURRENT | JOINED, b""), (NAME, b"x")], b".x"),
        # Volume root, host and what nobody defined have no place here.
        ([(0x10, b""), (NAME, b"etc")], b"/etc"),
        ([(0x20, b""), (NAME, b"etc")], b"/etc"),
        ([(NAME, b"a"), (0x10, b""), (NAME, b"b")], b"a//b"),
        ([(CURRENT | PARENT, b""), (NAME, b"x")], b"/x"),
        ([(NAME, b"sl/ash")], b"sl/ash"),
        ([(NAME, b"a"), (NAME, b"")], b"a/"),
        ([(NAME, b"a\0b"), (NAME, b"c")], b"a"),
    ],
)
def test_components_of_a_link_spell_what_linux_reads(
    components: list[tuple[int, bytes]], target: bytes
) -> None:
    assert read(sl(*components)).target == target


def test_a_link_goes_on_in_the_next_field() -> None:
    assert read(sl((NAME, b"a"), flags=1), sl((NAME, b"b"))).target == b"a/b"
    assert read(sl((NAME, b"a")), sl((NAME, b"b"))).target == b"a/b"
    assert read(sl((JOINED, b"a"), flags=1), sl((NAME, b"b"))).target == b"ab"
    assert read(sl((ROOT, b""), flags=1), sl((NAME, b"b"))).target == b"/b"


def test_a_continued_link_whose_next_field_is_missing_ends_in_a_slash() -> None:
    assert read(sl((NAME, b"a"), flags=1)).target == b"a/"


def test_a_link_that_is_cut_within_a_component_has_no_target() -> None:
    rr = read(field(b"SL", b"\0" + bytes([NAME, 1]) + b"a" + bytes([NAME])))
    assert rr.target is None
    assert rr.target_size == 1


def test_a_link_whose_fields_are_damaged_behind_it_has_no_target() -> None:
    """genisoimage cuts long ones like that; half a target may lead anywhere."""
    for damage in (field(b"XX", length=200), ce(9, 0, 50), field(b"XX", length=2)):
        rr = read(sl((NAME, b"a"), (NAME, b"b")) + damage)
        assert rr.target is None
        assert rr.target_size == 3


@pytest.mark.parametrize(("count", "usable"), [(4095, True), (4096, False)])
def test_the_longest_target_has_4095_bytes(count: int, usable: bool) -> None:
    pieces = [sl((JOINED, b"x" * 200), flags=1)] * (count // 200)
    rr = read(*pieces, sl((NAME, b"x" * (count % 200))))
    assert rr.target_size == count
    assert rr.target == (b"x" * count if usable else None)


def test_no_component_is_no_link() -> None:
    for empty in (field(b"SL"), field(b"SL", b"\0"), field(b"SL", b"\0\0")):
        assert read(empty).target is None


@pytest.mark.parametrize(
    ("area", "name"),
    [
        (nm(b"Name.txt"), b"Name.txt"),
        (nm(b"a;b"), b"a;b"),
        (nm(b"raw\xff\xfe"), b"raw\xff\xfe"),
        (nm(b"one", 1) + nm(b"two"), b"onetwo"),
        (nm(b"one") + nm(b"two"), b"onetwo"),
        (nm(b"a" * 250, 1) + nm(b"b" * 5), b"a" * 250 + b"b" * 5),
        (nm(b"cut\0off"), b"cut"),
        (nm(b"", 2), None),
        (nm(b"x", 2), None),
        (nm(b"x", 4), None),
        (nm(b"x", 0x20), None),
        (nm(b""), None),
        (field(b"NM"), None),
        (nm(b"sl/ash"), b"sl/ash"),
    ],
)
def test_nm(area: bytes, name: bytes | None) -> None:
    assert read(area).name == name


def test_a_name_without_end_is_bounded() -> None:
    name = read(*[nm(b"n" * 250, 1)] * 100).name
    assert name is not None
    assert 255 < len(name) < 2048


def test_relocation_fields() -> None:
    assert read(link(b"CL", 77)).child == 77
    assert read(link(b"PL", 78)).parent == 78
    assert read(field(b"RE")).relocated
    assert read(field(b"CL", b"\1\2\3")).child is None
    assert read(field(b"PL")).parent is None


def test_time_stamps_stand_in_the_order_of_their_flags() -> None:
    rr = read(field(b"TF", b"\x0f" + JAN + FEB + MAR + APR))
    assert (rr.modified, rr.accessed, rr.changed) == (ns(2, -1), ns(3), ns(4))


def test_stamps_that_are_not_there_are_unknown() -> None:
    rr = read(field(b"TF", b"\x02" + FEB))
    assert (rr.modified, rr.accessed, rr.changed) == (ns(2, -1), None, None)
    rr = read(field(b"TF", b"\x0a" + FEB + APR))
    assert (rr.modified, rr.accessed, rr.changed) == (ns(2, -1), None, ns(4))


def test_several_fields_of_stamps_join() -> None:
    rr = read(field(b"TF", b"\x02" + FEB), field(b"TF", b"\x04" + MAR))
    assert (rr.modified, rr.accessed, rr.changed) == (ns(2, -1), ns(3), None)


def test_stamps_of_17_bytes_have_hundredths() -> None:
    stamps = b"2020010100000000\0" + b"2020020100000012\4" + b"2020030100000000\0"
    rr = read(field(b"TF", b"\x87" + stamps))
    assert (rr.modified, rr.accessed) == (ns(2, -1) + 120_000_000, ns(3))


def test_stamps_that_are_cut_off_are_unknown() -> None:
    rr = read(field(b"TF", b"\x0e" + FEB + MAR[:6]))
    assert (rr.modified, rr.accessed, rr.changed) == (ns(2, -1), None, None)
    assert read(field(b"TF")).modified is None


def test_later_stamps_of_expiry_and_backup_do_not_matter() -> None:
    rr = read(field(b"TF", b"\x72" + FEB + bytes(21)))
    assert (rr.modified, rr.accessed, rr.changed) == (ns(2, -1), None, None)


def test_zf_of_both_versions() -> None:
    assert read(zf(16, 15, 0x12345678)).zisofs == CompressedFile(b"pz", 16, 15, 0x12345678)
    second = read(zf(24, 17, 0x123456789A, b"PZ")).zisofs
    assert second == CompressedFile(b"PZ", 24, 17, 0x123456789A)
    assert read(field(b"ZF", b"pz\4\17\0\0\0")).zisofs is None


def test_unknown_fields_are_passed_over() -> None:
    rr = read(sp(), field(b"ZZ", b"?"), er(), field(b"AL", bytes(9)), nm(b"x"), field(b"ST"))
    assert rr.name == b"x"


@given(
    st.lists(
        st.tuples(
            st.sampled_from((b"PX", b"PN", b"SL", b"NM", b"CL", b"PL", b"RE", b"TF", b"ZF")),
            st.binary(max_size=120),
        ),
        max_size=12,
    )
)
def test_any_data_of_any_fields(found: list[tuple[bytes, bytes]]) -> None:
    rr = read(*(field(signature, data) for signature, data in found))
    assert rr.target is None or 0 < len(rr.target) <= 4095
    assert rr.name is None or b"\0" not in rr.name
    assert rr.mode is None or 0 <= rr.mode <= 0xFFFF
    assert 0 <= rr.rdev < 1 << 64


@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=60))
def test_a_target_that_was_written_is_read(names: list[bytes]) -> None:
    names = [name.replace(b"\0", b"0").replace(b"/", b"_") for name in names]
    areas = [sl((NAME, name), flags=1) for name in names[:-1]]
    target = b"/".join(names)
    assert read(*areas, sl((NAME, names[-1]))).target == (target if len(target) < 4096 else None)


def test_a_link_without_end_is_bounded() -> None:
    rr = read(*[sl(*[(JOINED, b"x")] * 80, flags=1)] * 200)
    assert rr.target is None
    assert rr.target_size is not None
    assert 4096 < rr.target_size < 10_000
