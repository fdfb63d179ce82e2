"""UDF volumes of every kind that public tools or a few descriptors can make."""

import hashlib
import os
import stat
import struct
import subprocess
from io import BytesIO
from pathlib import Path

import pycdlib
import pytest

from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.errors import DamagedDataError, DamagedImageError, StaleNodeError
from isomount.formats.base import View
from isomount.formats.options import ViewOptions
from isomount.formats.udf import find
from isomount.sources import LocalSource
from tests.authoring import genisoimage, write_tree
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


def mkudffs(image: Path, *options: str, blocks: int = 4096, size: int = BLOCK) -> Path:
    with image.open("ab") as file:
        os.truncate(file.fileno(), blocks * size)
    words = ("mkudffs", "--utf8", "-b", str(size), *options, str(image), str(blocks))
    done = subprocess.run(words, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return image


@pytest.mark.parametrize("size", [512, 1024, 2048, 4096, 8192, 16384, 32768])
def test_every_sector_size_is_found(tmp_path: Path, size: int) -> None:
    image = mkudffs(tmp_path / "a.img", "-m", "hd", "--label", "Größe", blocks=1024, size=size)
    for options in ({}, {"bs": size}):
        with opened(image, **options) as found:
            assert found.view.label == "Größe"
            assert found.view.name == "UDF 2.01"
            assert found.view.statfs().block_size == size
            assert found.view.is_empty(found.reader)
            assert found.damage.count == 0
    with pytest.raises(DamagedImageError), opened(image, bs=size * 2 if size < 4096 else 512):
        pass


@pytest.mark.parametrize(
    ("media", "revision"),
    [
        ("hd", "1.02"),
        ("dvd", "1.02"),
        ("cdr", "1.50"),
        ("cdrw", "1.50"),
        ("cdr", "2.00"),
        ("cdrw", "2.01"),
        ("dvdrw", "2.01"),
        ("dvdr", "2.01"),
        ("bdr", "2.50"),
        ("bdr", "2.60"),
    ],
)
def test_every_medium_that_mkudffs_makes(tmp_path: Path, media: str, revision: str) -> None:
    image = mkudffs(
        tmp_path / "a.img", "-m", media, "-r", revision, "--mode=0750", "--uid=7", blocks=40000
    )
    with opened(image) as found:
        root = found.view.node(found.reader, found.view.root)
        assert found.view.name == f"UDF {revision}"
        assert stat.S_IMODE(root.mode) == 0o750
        assert root.uid == 7
        # Whatever is not lost+found is nothing.
        assert set(found.names()) <= {b"lost+found"}
        assert found.damage.count == 0


FILES: dict[str, bytes | str] = {
    "readme.txt": b"hello",
    "empty": b"",
    "big.bin": bytes(range(256)) * 4000,
    "deep/er/and/deeper/file": b"x" * 3000,
    "Ünïcode/日本語.txt": "日本".encode(),
    "a" * 60 + ".txt": b"long name",
}


def test_a_bridge_by_genisoimage(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", FILES)
    image = genisoimage(
        tmp_path / "a.iso", folder, "-udf", "-R", "-J", "-V", "BRIDGE", "-input-charset", "utf-8"
    )
    with opened(image) as found:
        assert found.view.label == "BRIDGE"
        tree = found.walk()
        for name, data in FILES.items():
            assert isinstance(data, bytes)
            assert read_whole(found.reader, tree[name.encode()]) == data
        assert not found.view.is_empty(found.reader)


def test_a_bridge_by_pycdlib(tmp_path: Path) -> None:
    image = tmp_path / "a.iso"
    iso = pycdlib.PyCdlib()
    iso.new(udf="2.60")
    iso.add_fp(BytesIO(b"hello"), 5, "/HELLO.;1", udf_path="/hello.txt")
    iso.add_directory("/DIR", udf_path="/dir")
    iso.add_fp(BytesIO(b"z" * 5000), 5000, "/DIR/Z.;1", udf_path="/dir/zed")
    iso.add_symlink(udf_symlink_path="/sym", udf_target="dir/zed")
    iso.write(str(image))
    iso.close()
    with opened(image) as found:
        tree = found.walk()
        assert set(tree) == {b".", b"hello.txt", b"dir", b"dir/zed", b"sym"}
        assert read_whole(found.reader, tree[b"dir/zed"]) == b"z" * 5000
        assert tree[b"sym"].target == b"dir/zed"


def test_plain_iso9660_and_junk_are_no_udf(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", {"a": b"a"})
    genisoimage(tmp_path / "plain.iso", folder)
    (tmp_path / "junk").write_bytes(bytes(range(256)) * 3000)
    (tmp_path / "short").write_bytes(b"x")
    for name in ("plain.iso", "junk", "short"):
        reader = BlockCache(LocalSource(tmp_path / name))
        for options in (ViewOptions(), ViewOptions(novrs=True)):
            assert find(reader, options, name, Damage()) is None
        reader.close()


def test_recognition_needs_few_reads(tmp_path: Path) -> None:
    """An image that is no UDF costs next to nothing to tell."""

    class Counting(LocalSource):
        reads = 0

        def read_at(self, offset: int, length: int) -> bytes:
            self.reads += 1
            assert length <= BLOCK
            return super().read_at(offset, length)

    image = genisoimage(tmp_path / "a.iso", write_tree(tmp_path / "tree", FILES), "-R", "-J")
    source = Counting(image)
    reader = BlockCache(source)
    assert find(reader, ViewOptions(), image.name, Damage()) is None
    assert source.reads < 16
    reader.close()


def test_opening_reads_no_more_than_descriptors(tmp_path: Path) -> None:
    """Mounting does not depend on how many files there are."""

    class Counting(LocalSource):
        bytes_read = 0

        def read_at(self, offset: int, length: int) -> bytes:
            self.bytes_read += length
            return super().read_at(offset, length)

    builder = Builder(blocks=3000)
    builder.root(*builder.add_files([latin(f"file {number}") for number in range(2000)], 700))
    source = Counting(builder.write(tmp_path / "a.img"))
    reader = BlockCache(source)
    view: View | None = find(reader, ViewOptions(), "a.img", Damage())
    assert view is not None
    assert source.bytes_read < 128 << 10
    reader.close()


def test_every_inode_number_makes_its_node_again(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", FILES)
    image = genisoimage(tmp_path / "a.iso", folder, "-udf")
    with opened(image) as found:
        view, reader = found.view, found.reader
        for node in found.walk().values():
            again = view.node(reader, node.ino)
            assert again._replace(data=None) == node._replace(data=None)
            assert node.ino > 1
        assert view.parent(reader, view.root) == view.root
        deep = found.walk()[b"deep/er"]
        assert view.parent(reader, deep.ino) == found.walk()[b"deep"].ino
        assert view.directory_size(reader, deep.ino) == deep.size
        with pytest.raises(StaleNodeError):
            view.node(reader, reader.size + BLOCK)
        with pytest.raises(StaleNodeError):
            view.node(reader, view.root + 5)
        with pytest.raises(DamagedDataError):
            view.node(reader, 16 * BLOCK)


def three_sessions(image: Path, folder: Path) -> list[int]:
    """Three sessions by genisoimage in one file; the sectors where they start."""
    starts: list[int] = []
    for number in (1, 2, 3):
        part = image.with_suffix(f".{number}")
        tree = write_tree(folder / str(number), {f"file{number}": bytes([number]) * 10})
        start = -(-image.stat().st_size // BLOCK // 16) * 16 if starts else 0
        options = ["-C", f"{starts[-1]},{start}", "-M", str(image)] if starts else []
        genisoimage(part, tree, "-udf", "-R", *options)
        with image.open("ab") as file:
            os.truncate(file.fileno(), start * BLOCK)
            file.write(part.read_bytes())
        starts.append(start)
    return starts


def test_the_last_session_is_shown_and_any_other_on_request(tmp_path: Path) -> None:
    image = tmp_path / "multi.img"
    starts = three_sessions(image, tmp_path)
    names = [b"file1", b"file2", b"file3"]
    with opened(image) as found:
        assert sorted(found.names()) == names
    with opened(image, session=-1) as found:
        assert sorted(found.names()) == names
    for number, start in enumerate(starts, 1):
        for options in ({"session": number}, {"session": start}, {"sbsector": start}):
            with opened(image, **options) as found:
                assert sorted(found.names()) == names[:number]
    with pytest.raises(DamagedImageError, match="no session 4"), opened(image, session=4):
        pass


def test_sessions_by_mkudffs_each_found_by_its_own_anchor(tmp_path: Path) -> None:
    image = tmp_path / "multi.img"
    for number, label in enumerate(("first", "second", "third")):
        start = (f"--startblock={number * 320}",) if number else ()
        mkudffs(image, "--label", label, *start, blocks=(number + 1) * 320)
    for options, label in (
        ({}, "third"),
        ({"session": 320}, "second"),
        ({"session": 2}, "second"),
        ({"lastblock": 319}, "first"),
        ({"anchor": 319}, "first"),
    ):
        with opened(image, **options) as found:
            assert found.view.label == label


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
