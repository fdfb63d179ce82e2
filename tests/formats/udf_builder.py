"""Writes UDF images descriptor by descriptor, so that a test can make any of them odd."""

import os
import struct
from binascii import crc_hqx
from collections.abc import Iterable
from pathlib import Path

PARTITION_START = 272
DIRECTORY, FILE, SYMLINK = 4, 5, 12
STAMP = struct.pack("<HHBBBBBBBB", 1 << 12 | 120, 2020, 5, 17, 14, 30, 15, 12, 34, 56)
# 2020-05-17 14:30:15.123456 two hours east of Greenwich.
STAMP_NS = 1589718615123456000
MODE_0644 = 0o6 << 10 | 0o4 << 5 | 0o4


def tagged(identifier: int, location: int, body: bytes, serial: int = 1) -> bytes:
    """A descriptor with its tag; ``body`` is all that follows the tag."""
    crc = crc_hqx(body, 0)
    tag = struct.pack("<HHBBHHHI", identifier, 3, 0, 0, serial, crc, len(body), location)
    return tag[:4] + bytes([sum(tag) & 0xFF]) + tag[5:] + body


def entity(identifier: bytes, suffix: bytes = b"") -> bytes:
    return b"\0" + identifier.ljust(23, b"\0") + suffix.ljust(8, b"\0")


def dstring(text: str, length: int) -> bytes:
    data = b"\x08" + text.encode("latin-1")
    return data.ljust(length - 1, b"\0") + bytes([len(data)])


def short_ad(length: int, block: int, kind: int = 0) -> bytes:
    return struct.pack("<II", kind << 30 | length, block)


def long_ad(length: int, block: int, partition: int = 0, kind: int = 0) -> bytes:
    return struct.pack("<IIH6x", kind << 30 | length, block, partition)


def extended_ad(length: int, block: int, partition: int = 0, kind: int = 0) -> bytes:
    return struct.pack("<IIIIHxx", kind << 30 | length, length, length, block, partition)


def file_entry(
    block: int,
    kind: int,
    size: int,
    descriptors: bytes,
    *,
    ad: int = 0,
    links: int = 1,
    uid: int = 0,
    gid: int = 0,
    permissions: int = MODE_0644,
    flags: int = 0,
    attributes: bytes = b"",
    strategy: int = 4,
    streams: bytes = bytes(16),
    extended: bool = True,
    stamp: bytes = STAMP,
) -> bytes:
    """A file entry, extended or plain; ``ad`` is the kind of its descriptors (3: data)."""
    icb_tag = struct.pack("<IHHHBB6xH", 0, strategy, 0, 1, 0, kind, ad | flags)
    body = icb_tag + struct.pack("<IIIHBBIQ", uid, gid, permissions, links, 0, 0, 0, size)
    if extended:
        body += struct.pack("<QQ", size, 0) + stamp * 4 + struct.pack("<II", 1, 0) + bytes(16)
        body += streams + entity(b"*test") + bytes(8)
    else:
        body += struct.pack("<Q", 0) + stamp * 3 + struct.pack("<I", 1) + bytes(16)
        body += entity(b"*test") + bytes(8)
    body += struct.pack("<II", len(attributes), len(descriptors)) + attributes + descriptors
    return tagged(266 if extended else 261, block, body)


def identifier(
    name: bytes,
    icb: int,
    *,
    characteristics: int = 0,
    partition: int = 0,
    location: int = 0,
    icb_length: int = 2048,
    use: bytes = b"",
) -> bytes:
    """A file identifier descriptor; ``name`` with its compression identifier."""
    body = struct.pack("<HBB", 1, characteristics, len(name))
    body += long_ad(icb_length, icb, partition) + struct.pack("<H", len(use)) + use + name
    body += bytes(-len(body) % 4)
    return tagged(257, location, body)


def latin(name: str) -> bytes:
    return b"\x08" + name.encode("latin-1")


def wide(name: str) -> bytes:
    return b"\x10" + name.encode("utf-16-be", "surrogatepass")


def extended_attribute_space(*attributes: bytes) -> bytes:
    whole = b"".join(attributes)
    header = struct.pack("<II", 24 + len(whole), 24 + len(whole))
    return tagged(262, 0, header) + whole


def device_attribute(major: int, minor: int) -> bytes:
    return struct.pack("<IB3xIIII", 12, 1, 24, 0, major, minor)


class Builder:
    """An image with one physical partition; blocks are put where the test wants them.

    Logical block 0 holds the file set descriptor, block 1 the root's ICB. ``maps`` are the
    partition maps after the first; ``file_set_partition`` is where the file set and root lie.
    """

    def __init__(self, blocks: int = 400, block_size: int = 2048, revision: int = 0x0201) -> None:
        self.blocks = blocks
        self.block_size = block_size
        self.revision = revision
        self.label = "TEST"
        self.maps: list[bytes] = []
        self.file_set_partition = 0
        self.partition_start = PARTITION_START
        self.volume_blocks: dict[int, bytes] = {}

    def put(self, block: int, data: bytes) -> None:
        """Put ``data`` at a logical block of the physical partition."""
        self.volume_blocks[self.partition_start + block] = data

    def root(self, *identifiers: bytes, block: int = 1) -> None:
        """Put a root directory with its data in the ICB, or in blocks from 200 on."""
        data = b"".join((parent(block), *identifiers))
        if len(data) < self.block_size - 216:
            self.put(block, file_entry(block, DIRECTORY, len(data), data, ad=3))
            return
        self.put(200, data)
        descriptors = short_ad(len(data), 200)
        self.put(block, file_entry(block, DIRECTORY, len(data), descriptors))

    def add_files(self, names: Iterable[bytes], first: int = 2) -> list[bytes]:
        """An empty file for each name; the identifiers."""
        result = []
        for number, name in enumerate(names):
            self.put(first + number, file_entry(first + number, FILE, 0, b""))
            result.append(identifier(name, first + number))
        return result

    def sequence(self) -> list[bytes]:
        """The volume descriptor sequence."""
        start = self.partition_start
        primary = struct.pack("<III", 1, 0, 0) + dstring("TEST", 32)
        partition = struct.pack("<IHH", 2, 1, 0) + entity(b"+NSR03") + bytes(128)
        partition += struct.pack("<III", 1, start, self.blocks - start - 1) + bytes(160)
        maps = [struct.pack("<BBHH", 1, 6, 1, 0), *self.maps]
        volume = struct.pack("<I", 3) + bytes(64) + dstring(self.label, 128)
        volume += struct.pack("<I", self.block_size)
        volume += entity(b"*OSTA UDF Compliant", struct.pack("<H", self.revision))
        volume += long_ad(self.block_size, 0, self.file_set_partition)
        volume += struct.pack("<II", sum(map(len, maps)), len(maps)) + bytes(160)
        volume += struct.pack("<II", 0, 0) + b"".join(maps)
        return [
            tagged(1, 0, primary.ljust(496, b"\0")),
            tagged(5, 0, partition),
            tagged(6, 0, volume),
            tagged(8, 0, bytes(496)),
        ]

    def file_set(self, root: int = 1, location: int = 0) -> bytes:
        body = STAMP + struct.pack("<HHIIII", 3, 3, 1, 1, 0, 0)
        body += bytes(64) + dstring("TEST", 128) + bytes(64) + dstring("TEST", 32) + bytes(64)
        body += long_ad(self.block_size, root, self.file_set_partition)
        body += entity(b"*OSTA UDF Compliant", struct.pack("<H", self.revision)) + bytes(64)
        return tagged(256, location, body)

    def write(self, path: Path) -> Path:
        """Write the image, sparse where nothing was put."""
        size = self.block_size
        self.volume_blocks.setdefault(self.partition_start, self.file_set())
        with path.open("wb") as file:
            os.truncate(file.fileno(), self.blocks * size)
            self._recognition(file.fileno())
            for base in (128, 160):
                for number, data in enumerate(self.sequence()):
                    located = data[:12] + struct.pack("<I", base + number) + data[16:]
                    os.pwrite(file.fileno(), _summed(located), (base + number) * size)
            pointers = struct.pack("<IIII", 16 * size, 128, 16 * size, 160)
            for block in (256, self.blocks - 1):
                data = tagged(2, block, pointers.ljust(496, b"\0"))
                os.pwrite(file.fileno(), data, block * size)
            for block, data in self.volume_blocks.items():
                os.pwrite(file.fileno(), data, block * size)
        return path

    def _recognition(self, descriptor: int) -> None:
        step = max(2048, self.block_size)
        for number, name in enumerate((b"BEA01", b"NSR03", b"TEA01")):
            os.pwrite(descriptor, b"\0" + name + b"\1", 32768 + number * step)


def parent(block: int, partition: int = 0) -> bytes:
    """The identifier that names the parent directory."""
    return identifier(b"", block, characteristics=0x0A, partition=partition)


def _summed(descriptor: bytes) -> bytes:
    """The descriptor with its tag's checksum made right again."""
    total = (sum(descriptor[:16]) - descriptor[4]) & 0xFF
    return descriptor[:4] + bytes([total]) + descriptor[5:]
