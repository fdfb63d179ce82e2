"""Rock Ridge in whole images: modes, links, relocation, continuation areas, damage."""

import os
import stat

import pytest

from isomount.formats.node import Node
from tests.formats.iso_builder import (
    DIRECTORY,
    PARENT,
    ROOT,
    ROOT_USE,
    SECTOR,
    SELF,
    STAMP_NS,
    IsoImage,
    Opened,
    both32,
    ce,
    directory_record,
    field,
    link,
    nm,
    packed,
    px,
    record,
    sl,
    zf,
)


def shown(*records: bytes, **options: bool) -> dict[str, Node]:
    """What a root with those records shows."""
    image = IsoImage()
    image.rock_ridge(*records)
    return image.open(**options).tree()


def one(use: bytes, size: int = 0) -> Node:
    """What a file record with those fields is."""
    (node,) = shown(record(b"A;1", 50, size, use=use)).values()
    return node


# ---------------------------------------------------------------- attributes


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o100644, 0o100644),
        (0o107755, 0o107755),
        (0o1100644, 0o100644),
        (0o010600, 0o010600),
        (0o020666, 0o020666),
        (0o060660, 0o060660),
        (0o140777, 0o140777),
        (0o120777, 0o120777),
        # No type, or none that exists: a plain file.
        (0o000644, 0o100644),
        (0o150644, 0o100644),
    ],
)
def test_modes_are_the_discs(mode: int, expected: int) -> None:
    assert one(px(mode)).mode == expected


def test_owner_and_links_are_the_discs() -> None:
    node = one(px(0o100644, 7, 1000, 100))
    assert (node.nlink, node.uid, node.gid) == (7, 1000, 100)
    assert one(px(0o100644, 0)).nlink == 0
    nobody = one(px(0o100644, 1, 0xFFFFFFFF, 0xFFFFFFFF))
    assert (nobody.uid, nobody.gid) == (65534, 65534)


def test_a_record_without_attributes_is_readable_by_all() -> None:
    node = one(nm(b"plain"))
    assert (node.mode, node.uid, node.gid, node.nlink) == (0o100555, 0, 0, 1)
    assert (node.mtime_ns, node.atime_ns, node.ctime_ns) == (STAMP_NS,) * 3


def test_a_file_that_claims_to_be_a_directory_is_an_empty_one() -> None:
    image = IsoImage()
    image.rock_ridge(record(b"A;1", 50, 77, use=px(0o40711)), record(b"B;1"))
    opened = image.open()
    node = opened.volume.lookup("a")
    assert (node.mode, node.size) == (0o40711, 77)
    assert opened.names() == ["a", "b"]
    assert opened.volume.node(node.ino) == node


def test_a_directory_whose_attributes_claim_a_file_stays_one() -> None:
    image = IsoImage()
    image.rock_ridge(directory_record(b"D", 40, use=px(0o100644, 5)))
    image.directory(40, record(b"F;1"), use=px(0o40750, 3))
    opened = image.open()
    assert opened.names() == ["d", "d/f"]
    # A directory's attributes are those of its own record.
    node = opened.volume.lookup("d")
    assert (node.mode, node.nlink) == (0o40750, 3)


def test_devices_have_numbers_and_no_content() -> None:
    node = one(px(0o20666) + field(b"PN", both32(1) + both32(3)), 2048)
    assert node.rdev == os.makedev(1, 3)
    assert node.content is None
    assert one(px(0o20666)).rdev == 0
    assert one(px(0o100666) + field(b"PN", both32(1) + both32(3))).rdev == 0


def test_links_have_targets_and_their_length() -> None:
    node = one(px(0o120777) + sl((0, b"a"), (0, b"b")), 99)
    assert (node.target, node.size) == (b"a/b", 3)
    without = one(px(0o120777), 99)
    assert (without.target, without.size) == (None, 99)
    file = one(px(0o100777) + sl((0, b"a")), 99)
    assert (file.target, file.size) == (None, 99)


def test_stamps_count_before_the_records_date() -> None:
    stamp = bytes((100, 1, 1, 0, 0, 0, 0))
    node = one(field(b"TF", b"\x02" + stamp))
    assert (node.mtime_ns, node.atime_ns) == (946684800 * 10**9, STAMP_NS)


# ---------------------------------------------------------------- continuation areas


def test_fields_go_on_in_another_block() -> None:
    image = IsoImage()
    image.rock_ridge(record(b"A;1", use=nm(b"n" * 100, 1) + ce(60, 7, 200)))
    image.put(60, bytes(7) + (nm(b"m" * 155) + px(0o100600)).ljust(200, b"\0"))
    opened = image.open()
    assert opened.names() == ["n" * 100 + "m" * 155]
    assert opened.volume.lookup("n" * 100 + "m" * 155).mode == 0o100600


@pytest.mark.parametrize(
    "continuation",
    [ce(5000, 0, 50), ce(60, 0, 0xFFFFFFFF), ce(60, 0, 28), field(b"XX", length=200)],
)
def test_a_bad_field_keeps_the_ones_before_it_and_the_siblings(continuation: bytes) -> None:
    image = IsoImage(space=0)
    image.rock_ridge(
        record(b"A;1", use=nm(b"kept") + px(0o100640) + continuation), record(b"B;1", use=nm(b"b"))
    )
    image.put(60, ce(60, 0, 28))
    opened = image.open()
    assert opened.names() == ["kept", "b"]
    assert opened.volume.lookup("kept").mode == 0o100640
    assert opened.damage.count == 1


# ---------------------------------------------------------------- hard links


def test_hard_links_share_a_number() -> None:
    use = px(0o100644, 3, serial=77)
    image = IsoImage()
    image.rock_ridge(
        record(b"A;1", 50, 5, use=use),
        record(b"B;1", 50, 5, use=use),
        directory_record(b"D", 40),
        record(b"OTHER;1", 50, 5, use=px(0o100644, 3, serial=78)),
    )
    image.directory(40, record(b"C;1", 50, 5, use=use))
    volume = image.open().volume
    nodes = [volume.lookup(path) for path in ("a", "b", "d/c")]
    assert nodes[0] == nodes[1] == nodes[2]
    assert nodes[0].nlink == 3
    assert volume.lookup("other").ino != nodes[0].ino


def test_links_without_serials_share_their_data() -> None:
    use = px(0o100644, 2)
    tree = shown(
        record(b"A;1", 50, 5, use=use),
        record(b"B;1", 50, 5, use=use),
        record(b"C;1", 51, 5, use=use),
        record(b"D;1", 50, 5, use=px(0o100644, 1)),
        record(b"E;1", 50, 0, use=use),
        record(b"F;1", 50, 0, use=use),
    )
    assert tree["a"].ino == tree["b"].ino
    # Other data, one link only, and empty files: numbers of their own.
    assert len({node.ino for node in tree.values()}) == 5


# ---------------------------------------------------------------- relocation


def relocated() -> IsoImage:
    """``a/deep`` lies in block 42, recorded in rr_moved."""
    image = IsoImage()
    image.rock_ridge(
        directory_record(b"A", 40, use=nm(b"a")),
        directory_record(b"RR_MOVED", 41, use=nm(b"rr_moved")),
        record(b"Z;1", use=nm(b"z")),
    )
    image.directory(
        40, record(b"DEEP;1", 42, SECTOR, use=nm(b"deep") + link(b"CL", 42) + px(0o40755))
    )
    image.directory(41, directory_record(b"DEEP", 42, use=nm(b"deep") + field(b"RE")))
    image.directory(
        42,
        record(b"F;1", use=nm(b"f")),
        directory_record(b"SUB", 43, use=nm(b"sub")),
        parent=41,
        use=px(0o40711, 4),
        parent_use=link(b"PL", 40),
    )
    image.directory(43, parent=42)
    return image


def test_a_relocated_directory_is_shown_where_it_belongs() -> None:
    opened = relocated().open()
    assert opened.names() == ["a", "a/deep", "a/deep/f", "a/deep/sub", "z"]
    node = opened.volume.lookup("a/deep")
    assert (node.mode, node.nlink, node.ino) == (0o40711, 4, 42 * SECTOR)
    assert opened.volume.node(node.ino) == node


def test_its_parent_is_where_it_is_shown() -> None:
    volume = relocated().open().volume
    deep = volume.lookup("a/deep").ino
    assert volume.parent(deep) == volume.lookup("a").ino
    assert volume.parent(volume.lookup("a/deep/sub").ino) == deep


@pytest.mark.parametrize("name", [b"rr_moved", b".rr_moved", b"RR_MOVED"])
def test_a_relocation_folder_with_something_of_its_own_is_shown(name: bytes) -> None:
    image = relocated()
    image.rock_ridge(directory_record(b"RR_MOVED", 41, use=nm(name)))
    image.descriptors = image.descriptors[-1:]
    image.directory(
        41, directory_record(b"DEEP", 42, use=field(b"RE")), record(b"OWN;1", use=nm(b"own"))
    )
    assert image.open().names() == [name.decode(), f"{name.decode()}/own"]


def test_an_empty_folder_of_that_name_is_a_folder() -> None:
    image = IsoImage()
    image.rock_ridge(directory_record(b"RR_MOVED", 41, use=nm(b"rr_moved")))
    image.directory(41)
    assert image.open().names() == ["rr_moved"]


def test_only_the_roots_relocation_folder_is_hidden() -> None:
    image = relocated()
    image.directory(40, directory_record(b"RR_MOVED", 41, use=nm(b"rr_moved")))
    image.rock_ridge(directory_record(b"A", 40, use=nm(b"a")))
    image.descriptors = image.descriptors[-1:]
    assert image.open().names() == ["a", "a/rr_moved"]


def test_a_relocation_folder_that_is_the_root_ends() -> None:
    image = IsoImage()
    image.rock_ridge(
        directory_record(b"RR_MOVED", ROOT, use=nm(b"rr_moved")), record(b"A;1", use=nm(b"a"))
    )
    opened = image.open()
    listed = [path for path, _ in opened.volume.walk()]
    assert listed == [".", "rr_moved", "a"]


def test_without_rock_ridge_everything_lies_where_it_is_recorded() -> None:
    names = relocated().open(norock=True).names()
    assert "rr_moved/deep/f" in names
    assert "a/deep" in names


@pytest.mark.parametrize("block", [ROOT, 40])
def test_a_child_link_to_an_ancestor_ends(block: int) -> None:
    image = IsoImage()
    image.rock_ridge(directory_record(b"A", 40, use=nm(b"a")))
    image.directory(40, record(b"LOOP;1", use=nm(b"loop") + link(b"CL", block)))
    reported: list[str] = []
    paths = [path for path, _ in image.open().volume.walk(lambda path, _: reported.append(path))]
    assert paths == [".", "a", "a/loop"]
    assert reported == ["a/loop"]


@pytest.mark.parametrize("block", [50, 5000, 0, 0xFFFFFFFF])
def test_a_child_link_that_leads_to_no_directory_is_an_unreadable_one(block: int) -> None:
    image = IsoImage()
    image.rock_ridge(record(b"A;1", use=nm(b"a") + link(b"CL", block)), record(b"B;1"))
    image.put(50, b"no directory")
    opened = image.open()
    assert opened.names() == ["a", "b"]
    fault = opened.volume.lookup("a").fault
    assert fault is not None
    assert "child link" in fault
    node = opened.volume.lookup("a")
    assert opened.volume.node(node.ino) == node


def test_a_parent_link_that_leads_nowhere_is_the_root() -> None:
    image = relocated()
    image.directory(42, parent=41, parent_use=link(b"PL", 5000))
    volume = image.open().volume
    assert volume.parent(volume.lookup("a/deep").ino) == volume.root


# ---------------------------------------------------------------- zisofs


def test_a_compressed_file_can_be_shown_as_it_is_stored() -> None:
    image = IsoImage()
    image.rock_ridge(record(b"A;1", 50, 24, use=zf(16, 15, 70_000) + px(0o100644)))
    # Three blocks of zeros: pointers that are all equal.
    image.put(50, bytes(16) + bytes((32, 0, 0, 0)) * 4)
    opened = image.open()
    assert opened.volume.lookup("a").size == 70_000
    assert opened.read("a") == bytes(70_000)
    stored = image.open(nocompress=True)
    assert stored.read("a") == (bytes(16) + bytes((32, 0, 0, 0)) * 2)


def test_only_files_are_compressed() -> None:
    assert one(zf(16, 15, 70_000) + px(0o120777) + sl((0, b"x")), 9).size == 1
    assert one(zf(16, 30, 70_000), 9).size == 9


# ---------------------------------------------------------------- damage stays local


def test_a_bad_record_loses_its_block_only() -> None:
    image = IsoImage()
    self_and_parent = record(SELF, ROOT, 3 * SECTOR, flags=DIRECTORY, use=ROOT_USE) + record(
        PARENT, ROOT, 3 * SECTOR, flags=DIRECTORY
    )
    data = packed(self_and_parent + record(b"A;1") + record(b"BAD;1", length=30) + record(b"C;1"))
    data += packed(record(b"D;1", use=nm(b"d" * 10))) + packed(record(b"E;1"))
    image.rock_ridge()
    image.put(ROOT, data)
    opened = image.open()
    assert opened.names() == ["a", "d" * 10, "e"]
    assert opened.damage.count == 1


def test_every_listed_number_leads_to_the_listed_node() -> None:
    for image in (relocated(),):
        opened: Opened = image.open()
        for path, node in opened.tree().items():
            assert opened.view.node(opened.blocks, node.ino) == node, path
            assert stat.S_ISDIR(node.mode) == node.is_directory
