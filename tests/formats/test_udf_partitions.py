"""Partitions that are looked up: metadata and its mirror, virtual, sparable, and their damage."""

import logging
import struct
from pathlib import Path

import pytest

from isomount.errors import DamagedImageError
from tests.formats.udf_builder import (
    FILE,
    Builder,
    entity,
    file_entry,
    identifier,
    latin,
    long_ad,
    tagged,
)
from tests.formats.udf_partitioned import (
    METADATA,
    METADATA_ICB,
    MIRROR_ICB,
    metadata_image,
    virtual_image,
)
from tests.formats.udf_walk import opened, overwrite

BLOCK = 2048


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "isomount.damage")


def check_metadata(image: Path, *, damaged: bool) -> None:
    with opened(image) as found:
        assert found.view.name == "UDF 2.50"
        tree = found.walk()
        assert len(tree) == 103
        assert found.data(b"file") == b"d" * 5000
        for node in tree.values():
            assert found.view.node(found.reader, node.ino).mode == node.mode
        assert found.view.parent(found.reader, tree[b"dir"].ino) == found.view.root
        assert (found.damage.count > 0) == damaged


@pytest.mark.parametrize("scattered", [False, True])
def test_a_metadata_partition(tmp_path: Path, scattered: bool) -> None:
    check_metadata(metadata_image(tmp_path, scattered=scattered), damaged=False)


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("junk", [b"\0", b"\xff", b"\x01"])
@pytest.mark.parametrize(
    ("block", "count"),
    [
        (METADATA_ICB, 1),
        (METADATA, 32),
        (METADATA, 1),
        (METADATA + 1, 1),
        (METADATA + 2, 1),
        (METADATA + 3, 1),
        (METADATA + 8, 1),
        (METADATA + 9, 23),
    ],
)
def test_the_metadata_mirror_replaces_what_is_destroyed(
    tmp_path: Path, block: int, count: int, junk: bytes, scattered: bool
) -> None:
    image = metadata_image(tmp_path, scattered=scattered)
    overwrite(image, (272 + block) * BLOCK, junk * (count * BLOCK))
    check_metadata(image, damaged=True)


def test_a_destroyed_mirror_does_no_harm(tmp_path: Path) -> None:
    image = metadata_image(tmp_path)
    overwrite(image, (272 + MIRROR_ICB) * BLOCK, bytes(BLOCK))
    check_metadata(image, damaged=False)
    overwrite(image, (272 + METADATA_ICB) * BLOCK, bytes(BLOCK))
    with pytest.raises(DamagedImageError), opened(image):
        pass


@pytest.mark.parametrize("revision", [0x0150, 0x0200])
@pytest.mark.parametrize("padding", [0, 20])
def test_the_last_virtual_allocation_table_counts(
    tmp_path: Path, revision: int, padding: int
) -> None:
    with opened(virtual_image(tmp_path, revision, padding=padding)) as found:
        nodes = found.nodes()
        assert found.data(b"file") == b"v" * 3000
        assert nodes[b"lost"].fault
        again = found.view.node(found.reader, nodes[b"file"].ino)
        assert again.size == 3000
    with opened(virtual_image(tmp_path, revision), lastblock=272 + 60) as found:
        assert found.names() == []


def test_a_sparable_partition_reads_the_spare_packets(tmp_path: Path) -> None:
    table = 90

    class Sparable(Builder):
        def sequence(self) -> list[bytes]:
            result = super().sequence()
            map_ = struct.pack("<BBxx", 2, 64) + entity(b"*UDF Sparable Partition")
            map_ += struct.pack("<HHHBxIIIII", 1, 0, 32, 2, 512, table, table + 1, 0, 0)
            volume = result[2]
            body = volume[16:264] + struct.pack("<II", 64, 1) + volume[272:440] + map_
            result[2] = tagged(6, 0, body)
            return result

    builder = Sparable()
    builder.root(identifier(latin("moved"), 40))
    builder.put(40, b"a defective packet")
    builder.volume_blocks[100 + 8] = file_entry(40, FILE, 5, b"spare", ad=3)
    for place, spare in ((table, 100), (table + 1, 111)):
        entries = struct.pack("<IIII", 32, spare, 0xFFFFFFFF, 111)
        newer = 7 if spare == 100 else 6
        body = entity(b"*UDF Sparing Table") + struct.pack("<HHI", 2, 0, newer) + entries
        builder.volume_blocks[place] = tagged(0, place, body)
    with opened(builder.write(tmp_path / "a.img")) as found:
        assert found.data(b"moved") == b"spare"


def test_partitions_that_are_looked_up_through_themselves_end(tmp_path: Path) -> None:
    for kind in (b"*UDF Virtual Partition", b"*UDF Metadata Partition"):
        builder = Builder()
        builder.file_set_partition = 1
        map_ = struct.pack("<BBxx", 2, 64) + entity(kind)
        builder.maps.append(map_ + struct.pack("<HHIIIIHB5x", 1, 0, 10, 11, 12, 8, 4, 0))
        table = struct.pack("<HH", 152, 0) + bytes(148) + bytes(400)
        last = builder.blocks - builder.partition_start - 1
        for block in (10, 11, last):
            file = file_entry(block, 248, len(table), long_ad(BLOCK, 0, 1), ad=1)
            builder.put(block, file)
        image = builder.write(tmp_path / "a.img")
        overwrite(image, 399 * BLOCK, builder.volume_blocks[399])
        with pytest.raises(DamagedImageError), opened(image):
            pass
