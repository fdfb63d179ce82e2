"""Records decoded at once are what they are field by field, whatever the neighbours look like."""

from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.iso9660.layout import NoDecoder
from isomount.formats.iso9660.view import Iso9660View
from isomount.formats.node import Entry
from isomount.formats.options import Map
from tests.formats.iso_builder import (
    ROOT_USE,
    SECTOR,
    IsoImage,
    Opened,
    both32,
    field,
    nm,
    px,
    record,
    zf,
)

STAMP = bytes((120, 2, 3, 4, 5, 6, 4))
OTHER = bytes((138, 12, 31, 23, 59, 59, 252))
# What records of one disc have, and what an odd one among them may have instead.
USUAL = (nm(b"name"), px(0o100644), field(b"TF", b"\x0e" + STAMP * 3), field(b"RR", b"\x89"))
ODD = (
    nm(b"n" * 100),
    nm(b""),
    nm(b"a\0b"),
    nm(b"cont", 1),
    nm(b"", 2),
    px(0o100600, 1, 5, 6, serial=7),
    px(0o120777),
    px(0o040755),
    px(0o1100644, 3),
    px(0),
    field(b"PX", bytes(20)),
    field(b"TF", b"\x0e" + STAMP + OTHER + STAMP),
    field(b"TF", b"\x06" + OTHER * 2),
    field(b"TF", b"\x0e" + OTHER),
    field(b"TF", b"\x82" + b"2020010203040506\0"),
    field(b"RE"),
    field(b"PN", both32(1) + both32(3)),
    field(b"ST"),
    field(b"PD", b"??"),
    zf(16, 15, 99),
    field(b"XX", length=200),
    b"\0\0",
)

uses = st.permutations(USUAL).flatmap(
    lambda usual: st.lists(
        st.one_of(
            st.just(b"".join(usual)),
            st.tuples(st.integers(0, 4), st.sampled_from(ODD)).map(
                lambda change: b"".join((*usual[: change[0]], change[1], *usual[change[0] + 1 :]))
            ),
        ),
        min_size=2,
        max_size=12,
    )
)
records = st.tuples(
    st.sampled_from((b"A;1", b"AB;1", b"LONG.TXT;1", b"D", b"\0", b"\1", b"", b"CUT\0;1")),
    st.sampled_from((0, 0, 0, 0, 1, 2, 4, 0x80)),
    st.sampled_from((STAMP, OTHER, bytes(7))),
    st.sampled_from(((0, 0), (0, 0), (1, 1), (1, 0))),
    st.sampled_from((0, 0, 0, 1)),
)


def both_ways(disc: Opened) -> tuple[list[Entry], list[Entry]]:
    """The root's entries, quickly and field by field."""
    view = disc.view
    assert isinstance(view, Iso9660View)
    quick = list(view.entries(disc.blocks, view.root))
    # The layout of the last record is known now: the first ones are tried with it, too.
    quick_again = list(view.entries(disc.blocks, view.root))
    assert quick_again == quick
    view._decoder = NoDecoder()
    return quick, list(view.entries(disc.blocks, view.root))


def build(found: list[tuple[tuple[bytes, int, bytes, tuple[int, int], int], bytes]]) -> bytes:
    made = b""
    for number, ((name, flags, date, (unit, gap), xar), use) in enumerate(found):
        made += record(
            name, 50, number, flags=flags, date=date, unit=unit, gap=gap, xar=xar, use=use
        )
    return made


@given(uses, st.data(), st.booleans())
def test_rock_ridge_records(found: list[bytes], data: st.DataObject, hide: bool) -> None:
    parts = [(data.draw(records), use) for use in found]
    image = IsoImage()
    image.root(build(parts)[: SECTOR - 300], use=ROOT_USE)
    quick, slow = both_ways(image.open(hide=hide, uid=5, mode=0o600))
    assert quick == slow


@given(
    st.lists(records, min_size=1, max_size=12), st.sampled_from(list(Map)), st.binary(max_size=9)
)
def test_plain_records(
    found: list[tuple[bytes, int, bytes, tuple[int, int], int]], mapping: Map, use: bytes
) -> None:
    image = IsoImage()
    image.root(build([(each, use if number % 3 else b"") for number, each in enumerate(found)]))
    for options in ({"nojoliet": True}, {"norock": True}):
        quick, slow = both_ways(image.open(map=mapping, mode=0o640, **options))
        assert quick == slow
    image.joliet(build([(each, b"") for each in found]))
    quick, slow = both_ways(image.open())
    assert quick == slow


def test_the_quick_way_is_taken() -> None:
    """Otherwise these tests would compare nothing."""
    image = IsoImage()
    image.rock_ridge(*(record(b"F%d;1" % n, 50, n, use=b"".join(USUAL)) for n in range(5)))
    disc = image.open()
    view = disc.view
    assert isinstance(view, Iso9660View)
    entries = view.entries(disc.blocks, view.root)
    next(entries)
    taken: list[Entry] = []
    decode = view._decoder.decode

    def watched(
        data: bytes, position: int, limit: int, base: int, start: int, at_most: int
    ) -> list[Entry]:
        run = decode(data, position, limit, base, start, at_most)
        taken.extend(run)
        return run

    view._decoder.decode = watched  # type: ignore[method-assign]
    list(view.entries(disc.blocks, view.root))
    assert len(taken) == 5
