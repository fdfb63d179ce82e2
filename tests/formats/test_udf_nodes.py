"""Crafted UDF volumes: what each kind of file entry, identifier and descriptor becomes."""

import hashlib
import os
import stat
import struct
from pathlib import Path

import pytest

from isomount.errors import DamagedDataError
from tests.formats.udf_builder import (
    DIRECTORY,
    FILE,
    STAMP_NS,
    SYMLINK,
    Builder,
    device_attribute,
    entity,
    extended_ad,
    extended_attribute_space,
    file_entry,
    identifier,
    latin,
    long_ad,
    parent,
    short_ad,
    tagged,
    wide,
)
from tests.formats.udf_walk import opened, read_whole

BLOCK = 2048


# What one image holds: name, file entry at the block given, expectation.
def one_file(tmp_path: Path, descriptors: bytes, size: int, **more: object) -> Path:
    """An image with one file ``f``, whose data may lie in blocks 100 to 120."""
    builder = Builder()
    builder.root(identifier(latin("f"), 2))
    builder.put(2, file_entry(2, FILE, size, descriptors, **more))  # type: ignore[arg-type]
    builder.put(100, DATA)
    return builder.write(tmp_path / "one.img")


DATA = hashlib.shake_128(b"data").digest(20 * BLOCK)


@pytest.mark.parametrize(
    ("descriptors", "kind", "expected"),
    [
        (short_ad(9000, 100), 0, DATA[:9000]),
        (short_ad(BLOCK, 101) + short_ad(100, 100), 0, DATA[BLOCK : 2 * BLOCK] + DATA[:100]),
        (long_ad(9000, 100), 1, DATA[:9000]),
        (long_ad(BLOCK, 103) + long_ad(5, 100), 1, DATA[3 * BLOCK : 4 * BLOCK] + DATA[:5]),
        (extended_ad(BLOCK, 103) + extended_ad(5, 100), 2, DATA[3 * BLOCK : 4 * BLOCK] + DATA[:5]),
        (b"in the ICB itself", 3, b"in the ICB itself"),
        (short_ad(BLOCK, 100, 1) + short_ad(7, 100), 0, bytes(BLOCK) + DATA[:7]),
        (short_ad(BLOCK, 0, 2) + short_ad(7, 100), 0, bytes(BLOCK) + DATA[:7]),
        (short_ad(BLOCK, 100), 0, DATA[:BLOCK] + bytes(3000)),
        (b"", 0, bytes(100)),
        (b"", 3, b""),
    ],
)
def test_data_wherever_the_descriptors_put_it(
    tmp_path: Path, descriptors: bytes, kind: int, expected: bytes
) -> None:
    for extended in (True, False):
        image = one_file(tmp_path, descriptors, len(expected), ad=kind, extended=extended)
        with opened(image) as found:
            assert found.data(b"f") == expected
            node = found.nodes()[b"f"]
            assert read_whole(found.reader, node, 100) == expected
            assert (node.mtime_ns, node.size, node.nlink) == (STAMP_NS, len(expected), 1)


def test_a_file_that_cannot_be_shown_is_listed_with_its_fault(tmp_path: Path) -> None:
    builder = Builder()
    kinds = (1, 8, 11, 13, 253)
    builder.root(
        *(identifier(latin(f"type{kind}"), 2 + at) for at, kind in enumerate(kinds)),
        identifier(latin("short"), 20),
        identifier(latin("over"), 21),
        identifier(latin("deleted"), 22),
        identifier(latin("device"), 23),
        identifier(latin("beyond"), 99999),
        identifier(latin("partition"), 2, partition=9),
        identifier(latin("self"), 1),
        identifier(latin("zeros"), 24),
        identifier(latin("good"), 25),
    )
    for at, kind in enumerate(kinds):
        builder.put(2 + at, file_entry(2 + at, kind, 0, b""))
    builder.put(20, file_entry(20, FILE, 6, b"short", ad=3))
    over = file_entry(21, FILE, 5, b"12345", ad=3)
    builder.put(21, tagged(266, 21, over[16:212] + struct.pack("<I", 5000) + over[216:]))
    builder.put(22, file_entry(22, FILE, 0, b"", links=0))
    builder.put(23, file_entry(23, 6, 0, b""))
    builder.put(25, file_entry(25, FILE, 0, b""))
    with opened(builder.write(tmp_path / "a.img")) as found:
        nodes = found.nodes()
        assert len(nodes) == 14
        assert nodes.pop(b"good").fault is None
        assert len({node.ino for node in nodes.values()}) == len(nodes)
        for name, node in nodes.items():
            assert node.fault, name
            assert node.ino > 1
            if name != b"self":
                with pytest.raises(DamagedDataError):
                    found.view.node(found.reader, node.ino)


def test_permissions_owners_and_devices(tmp_path: Path) -> None:
    builder = Builder()
    device = extended_attribute_space(device_attribute(259, 70000))
    entries = {
        "plain": file_entry(2, FILE, 0, b"", uid=1000, gid=100, permissions=0o17 << 10 | 0o7),
        "nobody": file_entry(3, FILE, 0, b"", uid=0xFFFFFFFF, gid=0xFFFFFFFF),
        "special": file_entry(4, FILE, 0, b"", flags=0x1C0, permissions=0),
        "chr": file_entry(5, 7, 0, b"", attributes=device),
        "blk": file_entry(6, 6, 0, b"", attributes=device),
        "fifo": file_entry(7, 9, 0, b""),
        "sock": file_entry(8, 10, 0, b""),
        "dir": file_entry(9, DIRECTORY, 0, b"", ad=3, links=2),
        "sym": file_entry(10, SYMLINK, 8, b"\x05\x04\0\0\x08abc", ad=3, permissions=0),
        "realtime": file_entry(11, 249, 0, b""),
    }
    builder.root(*(identifier(latin(name), 2 + at) for at, name in enumerate(entries)))
    for at, entry in enumerate(entries.values()):
        builder.put(2 + at, entry)
    image = builder.write(tmp_path / "a.img")
    with opened(image) as found:
        nodes = found.nodes()
    plain, nobody = nodes[b"plain"], nodes[b"nobody"]
    assert (plain.uid, plain.gid, stat.S_IMODE(plain.mode)) == (1000, 100, 0o707)
    assert (nobody.uid, nobody.gid, stat.S_IMODE(nobody.mode)) == (65534, 65534, 0o644)
    assert stat.S_IMODE(nodes[b"special"].mode) == 0o7000
    assert stat.S_ISCHR(nodes[b"chr"].mode)
    assert stat.S_ISBLK(nodes[b"blk"].mode)
    assert nodes[b"chr"].rdev == nodes[b"blk"].rdev == os.makedev(259, 70000)
    assert stat.S_ISFIFO(nodes[b"fifo"].mode)
    assert stat.S_ISSOCK(nodes[b"sock"].mode)
    assert (nodes[b"dir"].nlink, nodes[b"dir"].is_directory) == (3, True)
    assert stat.S_IMODE(nodes[b"sym"].mode) == 0o777
    assert (nodes[b"sym"].target, nodes[b"sym"].size) == (b"abc", 3)
    assert stat.S_ISREG(nodes[b"realtime"].mode)
    with opened(image, uid=5, gid=6, umask=0o022, mode=0o666, dmode=0o777) as found:
        nodes = found.nodes()
    assert {(node.uid, node.gid) for node in nodes.values()} == {(5, 6)}
    assert stat.S_IMODE(nodes[b"plain"].mode) == 0o644
    assert stat.S_IMODE(nodes[b"dir"].mode) == 0o755
    assert stat.S_IMODE(nodes[b"sym"].mode) == 0o777


def test_hidden_deleted_and_metadata_identifiers(tmp_path: Path) -> None:
    builder = Builder()
    named = {"plain": 0, "hidden": 1, "deleted": 4, "both": 5, "metadata": 16}
    builder.root(
        *(identifier(latin(name), 2, characteristics=kind) for name, kind in named.items())
    )
    builder.put(2, file_entry(2, FILE, 0, b""))
    image = builder.write(tmp_path / "a.img")
    for options, names in (
        ({}, [b"plain", b"metadata"]),
        ({"unhide": True}, [b"plain", b"hidden", b"metadata"]),
        ({"undelete": True}, [b"plain", b"deleted", b"metadata"]),
        ({"unhide": True, "undelete": True}, [name.encode() for name in named]),
    ):
        with opened(image, **options) as found:
            assert found.names() == names
            # Hard links, all of them.
            assert len({node.ino for node in found.nodes().values()}) == 1


def test_bad_names_lose_only_themselves(tmp_path: Path) -> None:
    builder = Builder()
    builder.root(
        identifier(latin("before"), 2),
        identifier(b"", 2),
        identifier(b"\x08", 2),
        identifier(b"\x05xy", 2),
        identifier(b"\x10xyz", 2),
        identifier(latin("a/b"), 2),
        identifier(wide("日本"), 2),
        identifier(latin("after"), 2),
    )
    builder.put(2, file_entry(2, FILE, 0, b""))
    with opened(builder.write(tmp_path / "a.img")) as found:
        assert found.names() == [b"before", b"a_b#F667", "日本".encode(), b"after"]
    with opened(builder.write(tmp_path / "a.img"), charset="iso8859-1") as found:
        assert found.names()[2].startswith(b"__#")


def rewritten(block: int, data: bytes, following: int | None) -> dict[int, bytes]:
    """An ICB of strategy 4096: a file entry, and an indirect entry if there is a newer one."""
    blocks = {block: file_entry(block, FILE, len(data), data, ad=3, strategy=4096)}
    if following is not None:
        icb_tag = struct.pack("<IHHHBB6xH", 0, 4096, 0, 1, 0, 3, 0)
        blocks[block + 1] = tagged(259, block + 1, icb_tag + long_ad(2 * BLOCK, following))
    return blocks


def test_the_newest_entry_of_a_chained_icb_counts(tmp_path: Path) -> None:
    builder = Builder()
    builder.root(
        identifier(latin("f"), 10), identifier(latin("circle"), 30), identifier(latin("next"), 31)
    )
    for blocks in (
        rewritten(10, b"first", 14),
        rewritten(14, b"second", 18),
        rewritten(18, b"third", None),
        rewritten(40, b"circle", 40),
        # The block behind this ICB is another file's.
        {30: file_entry(30, FILE, 3, b"own", ad=3, strategy=4096)},
        {31: file_entry(31, FILE, 5, b"other", ad=3)},
    ):
        for block, data in blocks.items():
            builder.put(block, data)
    with opened(builder.write(tmp_path / "a.img")) as found:
        assert found.data(b"f") == b"third"
        assert found.data(b"circle") == b"own"
        assert found.data(b"next") == b"other"


def test_streams_and_extended_attributes(tmp_path: Path) -> None:
    builder = Builder()
    use = struct.pack("<I", 5) + entity(b"*Test EA") + b"value"
    attribute = struct.pack("<IB3xI", 2048, 1, 12 + len(use)) + use
    attributes = extended_attribute_space(attribute)
    builder.root(identifier(latin("f"), 2), identifier(latin("bare"), 6))
    builder.put(2, file_entry(2, FILE, 0, b"", attributes=attributes, streams=long_ad(BLOCK, 3)))
    streams = parent(2) + identifier(latin("first"), 4) + identifier(wide("二"), 5)
    streams += identifier(latin("huge"), 7) + identifier(latin("lost"), 8)
    builder.put(3, file_entry(3, 13, len(streams), streams, ad=3))
    builder.put(4, file_entry(4, FILE, 6, b"stream", ad=3))
    builder.put(5, file_entry(5, FILE, 3000, short_ad(3000, 100)))
    builder.put(6, file_entry(6, FILE, 0, b""))
    builder.put(7, file_entry(7, FILE, 1 << 40, short_ad(3000, 100)))
    builder.put(100, DATA)
    with opened(builder.write(tmp_path / "a.img")) as found:
        nodes = found.nodes()
        assert found.view.xattrs(found.reader, nodes[b"f"].ino) == {
            b"user.udf.2048.*Test EA": b"value",
            b"user.first": b"stream",
            "user.二".encode(): DATA[:3000],
        }
        assert found.view.xattrs(found.reader, nodes[b"bare"].ino) == {}


def test_five_gibibytes_read_right_across_every_extent(tmp_path: Path) -> None:
    """Six extents, each nearly as long as one can be, out of order and with holes between them."""
    extent = (1 << 30) - BLOCK
    per = extent // BLOCK
    size = 5 * (1 << 30) + 12345
    order = [3, 0, 4, 1, 2, 5]
    builder = Builder(blocks=6 * per + 2000)
    builder.root(identifier(latin("huge"), 2))
    starts = [1000 + index * per for index in order]
    builder.put(2, file_entry(2, FILE, size, b"".join(short_ad(extent, s) for s in starts)))
    marks: dict[int, bytes] = {0: b"the very start", size - 16: b"the very last 16"}
    for number in range(1, 6):
        marks[number * extent - 8] = b"boundary%08d" % number
    for place, mark in marks.items():
        for at, byte in enumerate(mark):
            index, within = divmod(place + at, extent)
            block = starts[index] + within // BLOCK
            held = builder.volume_blocks.setdefault(builder.partition_start + block, bytes(BLOCK))
            held = held[: within % BLOCK] + bytes([byte]) + held[within % BLOCK + 1 :]
            builder.volume_blocks[builder.partition_start + block] = held
    image = builder.write(tmp_path / "huge.img")
    assert image.stat().st_blocks * 512 < 1 << 20
    with opened(image) as found:
        node = found.nodes()[b"huge"]
        assert node.size == size
        assert node.content is not None
        for place, mark in marks.items():
            before = min(place, 100)
            around = node.content.read(found.reader, place - before, before + len(mark))
            assert around == bytes(before) + mark
        assert node.content.read(found.reader, size, 10) == b""


def test_a_directory_of_several_chunks_lists_from_any_position(tmp_path: Path) -> None:
    builder = Builder(blocks=6000)
    names = [latin(f"a rather long name of file number {number:05d}") for number in range(3000)]
    data = parent(1) + b"".join(identifier(name, 2) for name in names)
    builder.put(1, file_entry(1, DIRECTORY, len(data), short_ad(len(data), 3000)))
    builder.put(2, file_entry(2, FILE, 0, b""))
    builder.put(3000, data)
    with opened(builder.write(tmp_path / "a.img")) as found:
        view, reader = found.view, found.reader
        whole = list(view.entries(reader, view.root))
        assert [entry.name for entry in whole] == [name[1:] for name in names]
        for at in (0, 1, 1500, 2999):
            again = list(view.entries(reader, view.root, whole[at].position))
            assert [entry.name for entry in again] == [name[1:] for name in names[at:]]
