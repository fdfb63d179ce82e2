"""Walks through a whole tree: their order, their end whatever the disc says, and damage."""

from collections.abc import Iterator

import pytest

from isomount.errors import DamagedDataError
from isomount.formats.options import ViewOptions
from isomount.tree import Listed, Walk, by_name
from isomount.tree.walk import Order, Tree, disc_order
from tests.formats.iso_builder import (
    DIRECTORY,
    ROOT,
    SECTOR,
    IsoImage,
    MemorySource,
    Opened,
    directory_record,
    many_folders,
    nm,
    px,
    record,
)


def walked(image: IsoImage, **options: bool) -> tuple[list[str], dict[str, str]]:
    """The paths of a walk, and what it reported."""
    reported: dict[str, str] = {}
    volume = image.open(**options).volume
    paths = [path for path, _ in volume.walk(lambda p, error: reported.update({p: str(error)}))]
    return paths, reported


def test_a_walk_yields_a_directory_before_what_it_holds() -> None:
    assert walked(many_folders(2)) == ([".", "d00", "d00/f00", "d01", "d01/f01"], {})


def test_a_directory_that_is_its_own_ancestor_ends_the_walk() -> None:
    image = IsoImage()
    image.root(directory_record(b"SUB", 40))
    image.directory(40, directory_record(b"UP", ROOT), directory_record(b"SELF", 40))
    paths, reported = walked(image)
    assert paths == [".", "sub", "sub/up", "sub/self"]
    assert list(reported) == ["sub/up", "sub/self"]


def test_two_names_of_one_directory_show_the_same() -> None:
    image = IsoImage()
    image.root(directory_record(b"A", 40), directory_record(b"B", 40))
    image.directory(40, record(b"F;1"))
    opened = image.open()
    assert opened.names() == ["a", "a/f", "b", "b/f"]
    assert opened.volume.lookup("a").ino == opened.volume.lookup("b").ino


def test_directories_that_share_extents_without_end_end() -> None:
    """Each level holds the next one twice: 2 to the power of 40 paths."""
    image = IsoImage()
    image.root(directory_record(b"A", 40), directory_record(b"B", 40))
    for block in range(40, 80):
        image.directory(block, directory_record(b"A", block + 1), directory_record(b"B", block + 1))
    image.directory(80)
    paths, reported = walked(image)
    assert len(paths) < 2000
    assert reported


def test_a_deep_chain_of_long_names_ends() -> None:
    image = IsoImage(blocks=4300)
    long = b"n" * 200
    image.rock_ridge(directory_record(b"D", 100, use=nm(long)))
    for block in range(100, 4250):
        image.directory(block, directory_record(b"D", block + 1, use=nm(long)))
    paths, reported = walked(image)
    assert 60 < len(paths) < 4200
    assert len(max(paths, key=len)) < 20_000
    assert len(reported) == 1


def test_an_unreadable_directory_is_listed_but_not_entered() -> None:
    image = IsoImage()
    image.root(record(b"A;1"), directory_record(b"GONE", 5000), record(b"Z;1"))
    paths, reported = walked(image)
    assert paths == [".", "a", "gone", "z"]
    assert reported == {}
    node = image.open().volume.lookup("gone")
    assert node.is_directory
    assert node.fault is not None
    assert "past the end of the image" in node.fault


class BadSector(MemorySource):
    """A medium with one sector that cannot be read."""

    bad = -1

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < (self.bad + 1) * SECTOR and self.bad * SECTOR < offset + length:
            raise OSError(5, "Input/output error")
        return super().read_at(offset, length)


def on_a_bad_medium(image: IsoImage, sector: int) -> Opened:
    source = BadSector(image.data())
    opened = Opened(source, ViewOptions())
    source.bad = sector
    return opened


def test_a_bad_sector_loses_the_directory_that_it_holds() -> None:
    opened = on_a_bad_medium(many_folders(3), 41)
    assert opened.names() == ["d00", "d00/f00", "d01", "d02", "d02/f02"]
    fault = opened.volume.lookup("d01").fault
    assert fault is not None
    assert "cannot be read" in fault


def test_a_root_on_a_bad_sector_is_damage() -> None:
    opened = on_a_bad_medium(many_folders(3), ROOT)
    reported: list[str] = []
    with pytest.raises(DamagedDataError):
        opened.volume.lookup("d00")
    paths = [path for path, _ in opened.volume.walk(lambda path, _: reported.append(path))]
    assert paths == reported == ["."]


def test_a_directory_that_cannot_be_read_is_reported_and_passed_over() -> None:
    opened = many_folders(3).open()
    volume, failures = opened.volume, []

    def order(tree: Tree, ino: int) -> Iterator[Listed]:
        listed = disc_order(tree, ino)
        if ino == volume.lookup("d01").ino:
            raise OSError(5, "Input/output error")
        return listed

    walk = Walk(
        volume,
        volume.node(volume.root),
        order=order,
        on_error=lambda path, error: failures.append((path, str(error))),
    )
    names = [visit.prefix + name for visit, name, _, _ in walk.entries()]
    assert names == [b"d00", b"d00/f00", b"d01", b"d02", b"d02/f02"]
    assert failures == [(b"d01", "[Errno 5] Input/output error")]


def shuffled() -> Opened:
    """Names whose order on the disc is not theirs, and an empty directory."""
    image = IsoImage()
    image.root(directory_record(b"Z", 40), record(b"M;1"), directory_record(b"A", 41))
    image.directory(40, directory_record(b"IN", 42), record(b"F;1"))
    image.directory(41)
    image.directory(42, record(b"DEEP;1"))
    return image.open()


@pytest.mark.parametrize(
    ("order", "levels", "expected"),
    [
        (disc_order, 9, "z z/in z/in/deep* z/f* m a*"),
        (by_name, 9, "a m z* z/f z/in* z/in/deep*"),
        (by_name, 2, "a m z* z/f z/in*"),
        (disc_order, 1, "z m a*"),
    ],
)
def test_entries_are_followed_by_what_they_hold(order: Order, levels: int, expected: str) -> None:
    """The last of each directory is marked."""
    volume = shuffled().volume
    walk = Walk(volume, volume.node(volume.root), order=order, levels=levels)
    found = [
        (visit.prefix + name).decode() + "*" * is_last for visit, name, _, is_last in walk.entries()
    ]
    assert found == expected.split()


@pytest.mark.parametrize(
    ("order", "levels", "expected"),
    [
        (disc_order, 9, ":z,m,a z:in,f z/in:deep a:"),
        (by_name, 9, ":a,m,z a: z:f,in z/in:deep"),
        (by_name, 1, ":a,m,z"),
    ],
)
def test_directories_come_with_all_their_entries(order: Order, levels: int, expected: str) -> None:
    volume = shuffled().volume
    walk = Walk(volume, volume.node(volume.root), order=order, levels=levels)
    found = [
        f"{visit.path.decode()}:{','.join(name.decode() for _, name, _ in entries)}"
        for visit, entries, _ in walk.directories()
    ]
    assert found == expected.split()


def test_a_directory_whose_entries_nobody_looks_at_is_not_entered() -> None:
    volume = shuffled().volume
    walk = Walk(volume, volume.node(volume.root))
    paths = []
    for visit, entries, _ in walk.directories():
        paths.append(visit.path)
        if visit.path != b"z":
            list(entries)
    assert paths == [b"", b"z", b"a"]


def test_a_walk_may_begin_anywhere() -> None:
    volume = shuffled().volume
    walk = Walk(volume, volume.lookup("z"), b"z")
    found = [(visit.prefix + name, visit.depth) for visit, name, _, _ in walk.entries()]
    assert found == [(b"z/in", 1), (b"z/in/deep", 2), (b"z/f", 1)]


def test_directories_and_entries_end_alike() -> None:
    """Each level holds the next one twice and the root as well."""
    image = IsoImage()
    image.root(directory_record(b"A", 40), directory_record(b"B", 40))
    for block in range(40, 80):
        image.directory(
            block,
            directory_record(b"A", block + 1),
            directory_record(b"B", block + 1),
            directory_record(b"UP", ROOT),
        )
    image.directory(80)
    volume = image.open().volume
    failed: list[bytes] = []
    walk = Walk(volume, volume.node(volume.root), on_error=lambda path, _: failed.append(path))
    circles = []
    visits = 0
    for visit, entries, _ in walk.directories():
        visits += 1
        assert b"up" not in visit.path
        circles += [visit.prefix + name for _, name, _ in entries if name == b"up"]
    assert 40 < visits < 1000
    assert set(circles) <= set(failed)


def test_only_subdirectories_left_in_the_list_are_entered() -> None:
    image = IsoImage()
    image.root(directory_record(b"A", 40), directory_record(b"B", 41), directory_record(b"C", 42))
    image.directory(40, directory_record(b"UP", ROOT))
    image.directory(41, directory_record(b"IN", 43))
    image.directory(42)
    image.directory(43)
    volume = image.open().volume
    failed: list[bytes] = []
    walk = Walk(volume, volume.node(volume.root), on_error=lambda path, _: failed.append(path))
    paths = []
    for visit, entries, below in walk.directories():
        paths.append(visit.path)
        assert [name for _, name, _ in entries] == [name for name, _ in below]
        below[:] = [each for each in reversed(below) if each[0] != b"a"]
    assert paths == [b"", b"c", b"b", b"b/in"]
    assert failed == []  # the circle below "a" was never reached


def test_parents_lead_back_to_the_root() -> None:
    image = IsoImage()
    image.root(directory_record(b"A", 40))
    image.directory(40, directory_record(b"B", 41))
    image.directory(41, directory_record(b"C", 42), parent=40)
    image.directory(42, parent=41)
    volume = image.open().volume
    ino = volume.lookup("a/b/c").ino
    path = []
    while ino != volume.root:
        ino = volume.parent(ino)
        path.append(ino)
    assert path == [volume.lookup(p).ino for p in ("a/b", "a", "")]
    assert volume.parent(volume.root) == volume.root


def test_a_directory_without_parent_belongs_to_the_root() -> None:
    image = IsoImage()
    image.root(directory_record(b"A", 40), directory_record(b"B", 41, use=px(0o40755)))
    image.put(40, record(b"\0", 40, SECTOR, flags=DIRECTORY))
    image.directory(41, parent=9999)
    volume = image.open().volume
    for path in ("a", "b"):
        assert volume.parent(volume.lookup(path).ino) == volume.root
