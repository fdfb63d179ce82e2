"""Which of a volume's trees is shown: the richest that is whole, or the one asked for."""

import pytest

from isomount.errors import NotAnImageError
from isomount.formats.options import Map
from tests.formats.iso_builder import (
    JOLIET_ROOT,
    ROOT,
    ROOT_USE,
    SECTOR,
    SELF,
    IsoImage,
    ce,
    descriptor,
    directory_record,
    er,
    field,
    nm,
    px,
    record,
    sp,
)

RR = field(b"RR", b"\x81")
XA = bytes(6) + b"XA" + bytes(6)


def two_trees(use: bytes) -> IsoImage:
    """``rock`` or ``iso`` in the primary tree, whose root has ``use``, ``joliet`` in the other."""
    image = IsoImage()
    image.root(record(b"ISO;1", use=nm(b"rock")), use=use)
    image.joliet(record("joliet".encode("utf-16-be")))
    return image


@pytest.mark.parametrize(
    ("use", "names"),
    [
        (sp() + er(), ["rock"]),
        (er(), ["rock"]),
        (ROOT_USE, ["rock"]),
        (sp() + ce(60, 0, 18), ["rock"]),
        (XA + sp(14) + er(), ["rock"]),
        (sp(), ["rock"]),
        # Fields that nothing announces may be anything: Joliet is the safer one.
        (RR, ["joliet"]),
        (px(0o40755), ["joliet"]),
        (b"", ["joliet"]),
    ],
)
def test_rock_ridge_that_announces_itself_beats_joliet(use: bytes, names: list[str]) -> None:
    image = two_trees(use)
    image.put(60, er())
    if use.startswith(XA):
        image.root(record(b"ISO;1", use=XA + nm(b"rock")), use=use)
    assert image.open().names() == names


@pytest.mark.parametrize("use", [b"", sp(), RR, px(0o40755), sp() + er()])
def test_without_joliet_fields_count_even_when_nothing_announces_them(use: bytes) -> None:
    assert two_trees(use).open(nojoliet=True).names() == ["rock"]
    alone = IsoImage()
    alone.root(record(b"ISO;1", use=nm(b"rock")), use=use)
    assert alone.open().names() == ["rock"]


def test_options_choose_the_tree() -> None:
    image = two_trees(ROOT_USE)
    assert image.open(norock=True).names() == ["joliet"]
    assert image.open(nojoliet=True).names() == ["rock"]
    assert image.open(norock=True, nojoliet=True).names() == ["iso"]
    assert image.open(norock=True, nojoliet=True, map=Map.OFF).names() == ["ISO;1"]
    assert image.open().views == ["Rock Ridge", "Joliet", "ISO 9660"]
    assert image.open().view.name == "Rock Ridge"


@pytest.mark.parametrize("escapes", [b"%/@", b"%/C", b"%/E"])
def test_joliet_of_every_level(escapes: bytes) -> None:
    image = IsoImage()
    image.root(record(b"A;1"))
    image.joliet(record("é".encode("utf-16-be")), escapes=escapes)
    assert image.open().names() == ["é"]


def test_other_escapes_are_no_joliet() -> None:
    image = IsoImage()
    image.root(record(b"A;1"))
    image.joliet(record("é".encode("utf-16-be")), escapes=b"%/B")
    assert image.open().names() == ["a"]


def test_joliet_alone() -> None:
    image = IsoImage()
    image.joliet(record("é".encode("utf-16-be")))
    assert image.open().names() == ["é"]
    with pytest.raises(NotAnImageError):
        image.open(nojoliet=True)


def test_joliet_before_the_primary_descriptor() -> None:
    image = two_trees(ROOT_USE)
    image.descriptors.reverse()
    assert image.open().names() == ["rock"]
    assert image.open(norock=True).names() == ["joliet"]


@pytest.mark.parametrize("use", [ROOT_USE, b""])
def test_an_empty_tree_gives_way_to_one_with_files(use: bytes) -> None:
    image = IsoImage()
    image.root(use=use)
    image.joliet(record("joliet".encode("utf-16-be")))
    assert image.open().names() == ["joliet"]
    image = IsoImage()
    image.root(record(b"ISO;1"), use=use)
    image.joliet()
    assert image.open().names() == ["iso"]


def test_an_empty_volume_is_an_empty_folder() -> None:
    image = IsoImage()
    image.rock_ridge()
    image.joliet()
    assert image.open().names() == []
    assert image.open().view.name == "Joliet"
    assert image.open(nojoliet=True).names() == []


@pytest.mark.parametrize("lost", [ROOT, JOLIET_ROOT])
def test_a_broken_tree_gives_way_to_one_that_is_whole(lost: int) -> None:
    image = two_trees(ROOT_USE)
    image.put(lost, bytes(SECTOR))
    assert image.open().names() == (["joliet"] if lost == ROOT else ["rock"])


def test_the_enhanced_descriptor_is_used_when_nothing_richer_is_there() -> None:
    image = IsoImage()
    image.root(record(b"SHORT.TXT;1"))
    image.directory(40, record(b"a long name with three.dots.txt"))
    image.descriptors.append(descriptor(2, directory_record(SELF, 40), version=2))
    assert image.open().names() == ["a long name with three.dots.txt"]
    assert image.open().views == ["ISO 9660:1999", "ISO 9660"]
    image.joliet(record("joliet".encode("utf-16-be")))
    assert image.open().names() == ["joliet"]
    image.root(record(b"SHORT.TXT;1"), use=ROOT_USE)
    image.descriptors.insert(0, image.descriptors.pop())
    assert image.open().names() == ["short.txt"]


# ---------------------------------------------------------------- where fields begin


def test_what_sp_says_to_skip_is_skipped_in_all_records_but_the_first() -> None:
    image = IsoImage()
    image.root(
        record(b"A;1", use=b"skip" + nm(b"one")),
        record(b"B;1", use=nm(b"two")),
        use=sp(4) + px(0o40755) + er(),
    )
    # The second record lacks what is skipped, so its field is cut into.
    assert image.open().names() == ["one", "b"]


def test_xa_attributes_come_before_the_fields() -> None:
    image = IsoImage()
    image.root(record(b"A;1", use=XA + nm(b"one")), use=XA + sp(14) + er())
    assert image.open().names() == ["one"]


def test_xa_attributes_that_sp_does_not_mention() -> None:
    image = IsoImage()
    image.root(record(b"A;1", use=XA + nm(b"one")), use=XA + sp(0) + er())
    assert image.open().names() == ["one"]
    image = IsoImage()
    image.root(record(b"A;1", use=XA + nm(b"one")), use=XA)
    assert image.open().names() == ["one"]


def test_a_name_that_looks_like_xa_attributes_is_a_name() -> None:
    image = IsoImage()
    image.rock_ridge(record(b"A;1", use=nm(b"fXAmple")), record(b"B;1", use=nm(b"example")))
    assert image.open().names() == ["fXAmple", "example"]
