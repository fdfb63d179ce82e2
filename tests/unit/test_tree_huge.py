"""Directories so large that only an index of them is kept."""

import sys
from array import array
from collections.abc import Iterator

import pytest

from isomount.formats.node import Entry, Node
from isomount.tree import directory as module
from isomount.tree.directory import Directory, IndexedDirectory, WholeDirectory, finished, loading
from tests.formats.iso_builder import IsoImage, Opened, record

COUNT = 70_000


def name(number: int) -> bytes:
    return b"F%06d.TXT;1" % number


@pytest.fixture(scope="module")
def huge() -> Opened:
    """70,000 files in the root, two of them called like others."""
    image = IsoImage()
    names = [name(number) for number in range(COUNT)]
    names[30_000] = names[10]
    names[60_000] = names[10]
    image.root(*(record(each, 30, number) for number, each in enumerate(names)))
    opened = image.open()
    opened.volume.directory(opened.volume.root)
    return opened


@pytest.fixture
def indexed(huge: Opened) -> IndexedDirectory:
    directory = huge.volume.directory(huge.volume.root)
    assert isinstance(directory, IndexedDirectory)
    return directory


def test_every_name_is_found(huge: Opened) -> None:
    for number in (0, 1, 29_999, 30_001, COUNT - 1):
        assert huge.volume.lookup(f"f{number:06}.txt").size == number
    for absent in ("f999999.txt", "F000001.TXT", "f000001.txt;1", ""):
        assert huge.volume.child(huge.volume.root, absent.encode()) is None


def test_namesakes_have_names_of_their_own(huge: Opened) -> None:
    sizes = {huge.volume.lookup(f"f000010{tail}.txt").size for tail in ("", "~2", "~3")}
    assert sizes == {10, 30_000, 60_000}
    assert huge.volume.lookup("f000010.txt").size == 10


def test_a_listing_has_every_name_once_in_the_order_of_the_disc(
    huge: Opened, indexed: IndexedDirectory
) -> None:
    listed = list(indexed.after(huge.blocks, 0))
    assert len(listed) == COUNT
    assert len({name for _, name, _ in listed}) == COUNT
    assert [node.size for _, _, node in listed] == list(range(COUNT))


@pytest.mark.parametrize("after", [0, 1, 44, 45, 46, 1_400, 30_000, 69_998, 69_999])
def test_a_listing_goes_on_after_any_cookie(
    after: int, huge: Opened, indexed: IndexedDirectory
) -> None:
    cookie = next(c for c, _, node in indexed.after(huge.blocks, 0) if node.size == after)
    following = next(indexed.after(huge.blocks, cookie), None)
    assert (following[2].size if following else None) == (after + 1 if after < 69_999 else None)


def test_listed_numbers_lead_to_the_listed_nodes(huge: Opened, indexed: IndexedDirectory) -> None:
    for number, (_, _, node) in enumerate(indexed.after(huge.blocks, 0)):
        if number % 700 == 0:
            assert huge.volume.node(node.ino) == node


def test_the_index_takes_a_word_a_name(indexed: IndexedDirectory) -> None:
    assert array("Q").itemsize == 8
    held = sum(sys.getsizeof(bucket) for bucket in indexed._buckets)
    assert held < COUNT * 8 * 1.5
    assert indexed.weight < COUNT / 40
    assert list(indexed.nodes()) == []


class Few:
    """A view of one directory, as much of View as loading needs."""

    folds_case = False

    def __init__(self, *names: bytes) -> None:
        self.names = names

    def parent(self, reader: object, ino: int) -> int:
        return ino

    def entries(self, reader: object, ino: int, position: int = 0) -> Iterator[Entry]:
        for number in range(position, len(self.names)):
            node = Node(number + 10, 0o100444, 0, 0, 1, number, 0, 0, 0)
            yield Entry(number, self.names[number], node)


def loaded(view: "Few") -> Directory:
    return finished(loading(view, None, 1))[0]  # type: ignore[arg-type]


def shown(
    view: Few, monkeypatch: pytest.MonkeyPatch, at_most: int = 2
) -> tuple[IndexedDirectory, dict[bytes, int]]:
    """The directory kept as an index though it is small, and what it lists."""
    monkeypatch.setattr(module, "LISTED_AT_MOST", at_most)
    directory = loaded(view)
    assert isinstance(directory, IndexedDirectory)
    return directory, {
        name: node.size
        for _, name, node in directory.after(None, 0)  # type: ignore[arg-type]
    }


def test_names_that_become_alike_when_made_safe_are_namesakes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view = Few(b"a/b", b"a_b", b"..", b"__", b"a_b~2", b"x")
    directory, listed = shown(view, monkeypatch)
    assert len(listed) == 6
    for each, number in listed.items():
        node = directory.lookup(None, each)  # type: ignore[arg-type]
        assert node is not None
        assert node.size == number


def test_a_huge_directory_folds_case_too(monkeypatch: pytest.MonkeyPatch) -> None:
    view = Few(b"Alpha", b"ALPHA", b"beta.", b"Gamma")
    view.folds_case = True
    directory, listed = shown(view, monkeypatch)
    assert len(listed) == 4
    for wanted, number in ((b"Alpha", 0), (b"ALPHA", 1), (b"BETA", 2), (b"gamma..", 3)):
        node = directory.lookup(None, wanted)  # type: ignore[arg-type]
        assert node is not None
        assert node.size == number
    assert directory.lookup(None, b"delta") is None  # type: ignore[arg-type]


def test_no_more_than_a_bounded_number_of_entries_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ENTRIES_AT_MOST", 5)
    _, listed = shown(Few(*(b"%d" % number for number in range(9))), monkeypatch)
    assert list(listed) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_directory_is_kept_whole_up_to_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LISTED_AT_MOST", 3)
    for count, kind in ((3, WholeDirectory), (4, IndexedDirectory)):
        view = Few(*(b"%d" % number for number in range(count)))
        assert type(loaded(view)) is kind
