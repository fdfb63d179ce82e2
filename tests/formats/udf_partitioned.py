"""Crafted volumes whose blocks are looked up: in a metadata file or a virtual allocation table."""

import struct
from pathlib import Path

from tests.formats.udf_builder import (
    DIRECTORY,
    FILE,
    Builder,
    entity,
    file_entry,
    identifier,
    latin,
    long_ad,
    parent,
    short_ad,
)
from tests.formats.udf_walk import overwrite

BLOCK = 2048

# A metadata partition (UDF 2.2.10): its files' ICBs, and where their data are.
METADATA_ICB, MIRROR_ICB, METADATA, MIRROR = 10, 11, 20, 70


def metadata_image(tmp_path: Path, *, scattered: bool = False) -> Path:
    """A volume of UDF 2.50 whose metadata file has a mirror with data of its own."""
    builder = Builder(revision=0x0250)
    builder.file_set_partition = 1
    map_ = struct.pack("<BBxx", 2, 64) + entity(b"*UDF Metadata Partition")
    map_ += struct.pack("<HHIIIIHB5x", 1, 0, METADATA_ICB, MIRROR_ICB, 0xFFFFFFFF, 8, 4, 1)
    builder.maps.append(map_)
    listing = parent(1, 1) + identifier(latin("file"), 2, partition=1)
    listing += identifier(latin("dir"), 3, partition=1)
    inner = parent(1, 1) + b"".join(
        identifier(latin(f"inner file number {number}"), 2, partition=1) for number in range(100)
    )
    blocks = {
        0: builder.file_set(),
        1: file_entry(1, DIRECTORY, len(listing), listing, ad=3),
        2: file_entry(2, FILE, 5000, long_ad(5000, 100, 0), ad=1),
        3: file_entry(3, DIRECTORY, len(inner), short_ad(len(inner), 8)),
    }
    for number in range(-(-len(inner) // BLOCK)):
        blocks[8 + number] = inner[number * BLOCK : (number + 1) * BLOCK]
    for icb, start, kind in ((METADATA_ICB, METADATA, 250), (MIRROR_ICB, MIRROR, 251)):
        extents = short_ad(32 * BLOCK, start)
        if scattered and kind == 250:
            extents = short_ad(9 * BLOCK, start) + short_ad(23 * BLOCK, start + 20)
        builder.put(icb, file_entry(icb, kind, 32 * BLOCK, extents))
        for block, data in blocks.items():
            place = start + block
            if scattered and kind == 250 and block >= 9:
                place += 11
            builder.put(place, data)
    builder.put(100, b"d" * 5000)
    builder.put(0, b"")
    return builder.write(tmp_path / "metadata.img")


def virtual_image(tmp_path: Path, revision: int, *, padding: int = 0) -> Path:
    """A volume on write-once media whose virtual allocation table says where ICBs are."""
    builder = Builder(revision=revision)
    builder.file_set_partition = 1
    builder.maps.append(
        struct.pack("<BBxx", 2, 64)
        + entity(b"*UDF Virtual Partition")
        + struct.pack("<HH24x", 1, 0)
    )
    builder.put(0, b"")
    # Virtual 0, 1, 2 are the file set, the root and a file; 3 is not in use.
    entries = struct.pack("<IIII", 30, 31, 32, 0xFFFFFFFF)
    old = struct.pack("<IIII", 30, 40, 32, 0xFFFFFFFF)
    listing = parent(1, 1) + identifier(latin("file"), 2, partition=1)
    listing += identifier(latin("lost"), 3, partition=1)
    builder.put(30, builder.file_set())
    builder.put(31, file_entry(1, DIRECTORY, len(listing), listing, ad=3))
    builder.put(32, file_entry(2, FILE, 3000, long_ad(3000, 50, 0), ad=1))
    builder.put(40, file_entry(1, DIRECTORY, 0, b"", ad=3))
    builder.put(50, b"v" * 3000)
    last = builder.blocks - builder.partition_start - 1 - padding
    for block, table in ((60, old), (last, entries)):
        if revision == 0x0150:
            data, kind = table + entity(b"*UDF Virtual Alloc Tbl") + struct.pack("<I", 60), 0
        else:
            data, kind = struct.pack("<HH", 152, 0) + bytes(148) + table, 248
        builder.put(block, file_entry(block, kind, len(data), data, ad=3))
    image = builder.write(tmp_path / "virtual.img")
    if not padding:
        # The last block is the table, not an anchor.
        overwrite(image, 399 * BLOCK, builder.volume_blocks[399])
    return image
