"""What holds for every image: numbers lead back, listings resume, damage is bounded."""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import isomount
from isomount.errors import DamagedDataError, IsomountError
from isomount.formats.iso9660.layout import NoDecoder
from isomount.formats.iso9660.view import Iso9660View
from isomount.formats.node import Node
from isomount.formats.options import Family, ViewOptions
from isomount.image import open_image
from tests.authoring import genisoimage, write_tree, xorriso, xorriso_session
from tests.corpus import Case, cases
from tests.formats.iso_builder import (
    SECTOR,
    IsoImage,
    MemorySource,
    Opened,
    both32,
    ce,
    directory_record,
    field,
    link,
    nm,
    opened,
    px,
    record,
    sl,
    zf,
)

FILES: dict[str, bytes | str] = {
    "a": b"a" * 3000,
    "empty": b"",
    "link": "a/b/../c",
    "n" * 250: b"long",
    "d/e/f/g/h/i/j/k/deep": b"deep",
    "d/zeros": bytes(70_000),
    "Ünïcode": b"u",
}
FILES.update((f"many/file {number:02}", b"%d" % number) for number in range(40))
# A walk of a small image that yields more than this goes round in circles.
PATHS_AT_MOST = 50_000
READ_AT_MOST = 1 << 20


class Bounded(MemorySource):
    """A source that fails the test when a small image is read over and over."""

    left = 1 << 30

    def read_at(self, offset: int, length: int) -> bytes:
        data = super().read_at(offset, length)
        self.left -= len(data) + 4096
        assert self.left > 0, "read without end"
        return data


class Images(list[bytes]):
    """Images that are not printed whole when a test fails."""

    def __repr__(self) -> str:
        return f"<{len(self)} images>"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """Small images of several kinds."""
    place = tmp_path_factory.mktemp("properties")
    folder = write_tree(place / "tree", FILES)
    made = [
        genisoimage(place / "1.iso", folder, "-R", "-J", "-no-pad"),
        genisoimage(place / "2.iso", folder, "-no-pad", "-iso-level", "4"),
        xorriso(place / "3.iso", folder, "-R", "-J", "-no-pad"),
        xorriso_session(
            place / "4.iso", *("-map", str(folder), "/", "-set_filter_r", "--zisofs", "/", "--")
        ),
    ]
    return Images([*(path.read_bytes() for path in made), crafted()])


def crafted() -> bytes:
    """One of everything that tools write seldom."""
    image = IsoImage(blocks=80)
    pointers = b"".join(number.to_bytes(4, "little") for number in (28, 28, 28))
    image.rock_ridge(
        record(b"Z;1", 50, 28, use=nm(b"compressed") + zf(16, 15, 65_000) + px(0o100644)),
        record(b"I;1", 50, 3 * SECTOR, unit=1, gap=1),
        record(b"X;1", 50, 100, xar=1),
        record(b"M;1", 50, 100, flags=0x80, use=nm(b"multi")),
        record(b"M;1", 52, 100, use=nm(b"multi")),
        record(b"H;1", 50, 1, use=px(0o100644, 2, serial=5)),
        record(b"H2;1", 50, 1, use=px(0o100644, 2, serial=5)),
        record(b"L;1", use=px(0o120777) + sl((8, b""), (0, b"x"), (4, b"")) + nm(b"link")),
        record(b"C;1", use=px(0o20600) + field(b"PN", both32(1) + both32(3))),
        record(b"CE;1", use=nm(b"be", 1) + ce(60, 0, 30)),
        directory_record(b"A", 40),
        directory_record(b"RR_MOVED", 41, use=nm(b"rr_moved")),
        *(record(b"S%02d;1" % number, use=nm(b"same") + px(0o100600)) for number in range(9)),
    )
    image.put(50, bytes(16) + pointers)
    image.put(60, nm(b"gun").ljust(30, b"\0"))
    image.directory(40, record(b"D;1", 42, use=nm(b"deep") + link(b"CL", 42)))
    image.directory(41, directory_record(b"D", 42, use=field(b"RE")))
    image.directory(42, parent=41, parent_use=link(b"PL", 40))
    return image.data()


def iso_options() -> Iterator[ViewOptions]:
    """The ways to look at an image."""
    for norock, nojoliet in ((False, False), (True, False), (True, True), (False, True)):
        yield ViewOptions(view=Family.ISO9660, norock=norock, nojoliet=nojoliet, unhide=True)


def walked(disc: Opened | isomount.Image) -> list[tuple[str, Node]]:
    """All paths, with what the names promise."""
    found = []
    for path, node in disc.volume.walk():
        found.append((path, node))
        assert len(found) < PATHS_AT_MOST
        assert "\0" not in path
        if path != ".":
            for name in path.encode("utf-8", "surrogateescape").split(b"/"):
                assert 0 < len(name) <= 255
                assert name not in (b".", b"..")
    assert len(dict(found)) == len(found)
    return found


def check(disc: Opened | isomount.Image, found: list[tuple[str, Node]]) -> None:
    """Numbers lead to the listed nodes, and every listing resumes anywhere."""
    view, blocks = disc.volume.view, disc.volume.blocks
    for path, node in found:
        assert view.node(blocks, node.ino) == node, path
        assert node.content is None or node.content.size == node.size
        if not node.is_directory or node.fault:
            continue
        with suppress(DamagedDataError):
            entries = list(view.entries(blocks, node.ino))
            for at in {0, len(entries) // 2, len(entries) - 1} if entries else ():
                assert list(view.entries(blocks, node.ino, entries[at].position)) == entries[at:]
            check_decoding(disc, node.ino)


def check_decoding(disc: Opened | isomount.Image, ino: int) -> None:
    """Records decoded by the layout of their neighbours are what they are field by field."""
    view = disc.volume.view
    if not isinstance(view, Iso9660View):
        return
    quick = list(view.entries(disc.volume.blocks, ino))
    before, view._decoder = view._decoder, NoDecoder()
    assert list(view.entries(disc.volume.blocks, ino)) == quick
    view._decoder = before


def read_all(disc: Opened | isomount.Image, found: list[tuple[str, Node]]) -> None:
    """Read every file's begin, middle and end: data or damage, never more than was asked for."""
    for _, node in found:
        if node.content is None:
            continue
        for offset in {0, node.size // 2, max(0, node.size - 100)}:
            with suppress(DamagedDataError):
                data = node.content.read(disc.volume.blocks, offset, READ_AT_MOST)
                assert len(data) <= max(0, min(READ_AT_MOST, node.size - offset))


def test_small_images_hold_what_was_put_in(images: Images) -> None:
    for number, data in enumerate(images[:4]):
        for options in iso_options():
            disc = Opened(Bounded(data), options)
            found = walked(disc)
            check(disc, found)
            read_all(disc, found)
            assert disc.damage.count == 0, number


def test_crafted_images_too(images: Images) -> None:
    disc = opened(images[4])
    found = walked(disc)
    check(disc, found)
    read_all(disc, found)
    assert {path for path, _ in found} >= {"begun", "link", "multi", "compressed", "a/deep"}


def mutated(data: bytes, seed: int, count: int) -> bytes:
    """``data`` with ``count`` changes where its structures are."""
    chosen = random.Random(seed)
    changed = bytearray(data)
    sectors = [at for at in range(16, len(data) // SECTOR) if any(data[at * SECTOR :][:64])]
    for _ in range(count):
        at = chosen.choice(sectors[:60]) * SECTOR + chosen.randrange(
            chosen.choice((64, 300, SECTOR))
        )
        kind = chosen.randrange(4)
        if kind == 0:
            changed[at] = chosen.randrange(256)
        elif kind == 1:
            changed[at] ^= 1 << chosen.randrange(8)
        elif kind == 2:
            changed[at : at + 4] = chosen.choice((b"\0" * 4, b"\xff" * 4, chosen.randbytes(4)))
        else:
            other = chosen.choice(sectors) * SECTOR
            changed[at : at + 40] = changed[other : other + 40]
    return bytes(changed[: len(data) - chosen.choice((0, 0, 0, chosen.randrange(len(data) // 2)))])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 4), st.integers(0, 2**32), st.integers(1, 30), st.integers(0, 3))
def test_damaged_images_are_shown_as_far_as_they_go(
    images: Images, which: int, seed: int, count: int, options: int
) -> None:
    try:
        source = Bounded(mutated(images[which], seed, count))
        disc = Opened(source, list(iso_options())[options])
    except IsomountError:
        return
    found = walked(disc)
    read_all(disc, found)
    check(disc, found)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=3000), st.binary(max_size=3000), st.booleans())
def test_any_root_directory_is_shown_or_refused(root: bytes, rest: bytes, whole: bool) -> None:
    image = IsoImage(blocks=40)
    image.rock_ridge()
    kept = image.parts[20 * SECTOR].rstrip(b"\0") if whole else b""
    image.put(20, (kept + root).ljust(SECTOR, b"\0") + rest)
    with suppress(IsomountError):
        disc = image.open()
        found = walked(disc)
        read_all(disc, found)


REAL = [case for case in cases() if case.mounts and case.view == "iso9660"]


@pytest.mark.parametrize("case", REAL, ids=lambda case: case.image)
def test_real_images_keep_the_same_promises(case: Case) -> None:
    for options in iso_options():
        with open_image(case.path, options) as disc:
            check(disc, walked(disc))


def test_a_reader_of_the_library_needs_no_options(tmp_path: Path, images: Images) -> None:
    path = tmp_path / "image.iso"
    path.write_bytes(images[0])
    with isomount.open(path) as disc:
        assert disc.volume.read(disc.volume.lookup("a")) == FILES["a"]
        assert disc.damage.count == 0
