"""Crafted ISO 9660 images from bytes: each field can be given any value, right or wrong.

``IsoImage`` puts bytes at logical blocks, with a primary descriptor whose root directory is at
block 20::

    image = IsoImage()
    image.root(record(b"A.TXT;1", 30, 5))
    image.put(30, b"hello")
    volume = image.open().volume
"""

import struct
from collections.abc import Hashable
from pathlib import Path

from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.formats.detect import find_views
from isomount.formats.node import Node
from isomount.formats.options import ViewOptions
from isomount.sources import FileRange
from isomount.tree import Volume

SECTOR = 2048
ROOT, JOLIET_ROOT = 20, 24
HIDDEN, DIRECTORY, ASSOCIATED, MULTI_EXTENT = 0x01, 0x02, 0x04, 0x80
SELF, PARENT = b"\0", b"\1"
JOLIET = b"%/E"
# 2020-02-03 04:05:06 UTC, as a record and as stat give it.
STAMP = bytes((120, 2, 3, 4, 5, 6, 0))
STAMP_NS = 1580702706 * 10**9


def both16(value: int) -> bytes:
    """A number in both byte orders (ECMA-119 7.2.3)."""
    return struct.pack("<H", value) + struct.pack(">H", value)


def both32(value: int) -> bytes:
    """A number in both byte orders (ECMA-119 7.3.3)."""
    return struct.pack("<I", value) + struct.pack(">I", value)


def record(
    identifier: bytes,
    extent: int = 0,
    size: int = 0,
    *,
    use: bytes = b"",
    flags: int = 0,
    date: bytes = STAMP,
    xar: int = 0,
    unit: int = 0,
    gap: int = 0,
    length: int | None = None,
    name_length: int | None = None,
    high_sierra: bool = False,
) -> bytes:
    """A directory record (ECMA-119 9.1); ``length`` and ``name_length`` override the true ones."""
    name = identifier + b"\0" * (~len(identifier) & 1)
    when_and_what = date[:6] + bytes([flags, 0]) if high_sierra else date + bytes([flags])
    body = bytes([xar]) + both32(extent) + both32(size) + when_and_what + bytes([unit, gap])
    body += both16(1) + bytes([len(identifier) if name_length is None else name_length])
    body += name + use
    body += b"\0" * (~len(body) & 1)
    return bytes([len(body) + 1 if length is None else length]) + body


def directory_record(identifier: bytes, extent: int, size: int = SECTOR, use: bytes = b"") -> bytes:
    """The record of a directory."""
    return record(identifier, extent, size, flags=DIRECTORY, use=use)


def packed(*records: bytes) -> bytes:
    """Records one after the other, none across a sector's end, filled up to whole sectors."""
    data = bytearray()
    for each in records:
        if len(data) % SECTOR + len(each) > SECTOR:
            data += bytes(-len(data) % SECTOR)
        data += each
    return bytes(data) + bytes(-len(data) % SECTOR)


def descriptor(
    kind: int,
    root: bytes,
    *,
    label: bytes = b"LABEL",
    space: int = 100,
    block_size: int = SECTOR,
    version: int = 1,
    escapes: bytes = b"",
) -> bytes:
    """A volume descriptor (ECMA-119 8.4, 8.5)."""
    data = bytes([kind]) + b"CD001" + bytes([version, 0]) + bytes(32) + label.ljust(32)
    data += bytes(8) + both32(space) + escapes.ljust(32, b"\0") + both16(1) + both16(1)
    data += both16(block_size) + bytes(24) + root
    return data.ljust(SECTOR, b"\0")


def high_sierra_descriptor(root: bytes, *, block_size: int = SECTOR, space: int = 100) -> bytes:
    """High Sierra's primary descriptor: the same, later in the sector."""
    data = both32(16) + b"\1CDROM\1\0" + bytes(32) + b"LABEL".ljust(32) + bytes(8) + both32(space)
    data += bytes(32) + both16(1) + both16(1) + both16(block_size) + bytes(40) + root
    return data.ljust(SECTOR, b"\0")


def terminator() -> bytes:
    """The descriptor that ends the set (ECMA-119 8.3)."""
    return b"\xffCD001\1".ljust(SECTOR, b"\0")


# ---------------------------------------------------------------- system use fields


def field(signature: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    """A system use field (SUSP 4.1), of version 1."""
    return signature + bytes([len(data) + 4 if length is None else length, 1]) + data


def sp(skip: int = 0) -> bytes:
    """Fields follow, after ``skip`` bytes in all records but the first (SUSP 5.3)."""
    return field(b"SP", b"\xbe\xef" + bytes([skip]))


def er(identifier: bytes = b"RRIP_1991A") -> bytes:
    """The extension that is in use (SUSP 5.5)."""
    return field(b"ER", bytes([len(identifier), 0, 0, 1]) + identifier)


def ce(block: int, offset: int, size: int) -> bytes:
    """Fields go on elsewhere (SUSP 5.1)."""
    return field(b"CE", both32(block) + both32(offset) + both32(size))


def px(mode: int, nlink: int = 1, uid: int = 0, gid: int = 0, serial: int | None = None) -> bytes:
    """POSIX attributes (RRIP 4.1.1); with a serial number as of 1.12."""
    data = both32(mode) + both32(nlink) + both32(uid) + both32(gid)
    return field(b"PX", data if serial is None else data + both32(serial))


def nm(name: bytes, flags: int = 0) -> bytes:
    """Alternate name (RRIP 4.1.4)."""
    return field(b"NM", bytes([flags]) + name)


def sl(*components: tuple[int, bytes], flags: int = 0) -> bytes:
    """Symbolic link (RRIP 4.1.3): components as (flags, text)."""
    data = b"".join(bytes([flag, len(text)]) + text for flag, text in components)
    return field(b"SL", bytes([flags]) + data)


def link(signature: bytes, block: int) -> bytes:
    """CL, or PL: the block of a directory elsewhere (RRIP 4.1.5)."""
    return field(signature, both32(block))


def zf(header_size: int, shift: int, size: int, algorithm: bytes = b"pz") -> bytes:
    """Compressed file: 32-bit size in both orders, or 64-bit in version 2."""
    real = struct.pack("<Q", size) if algorithm == b"PZ" else both32(size)
    return field(b"ZF", algorithm + bytes([header_size // 4, shift]) + real)


ROOT_USE = sp() + px(0o40755, 2) + er()


# ---------------------------------------------------------------- images


class MemorySource:
    """An image in memory as a Source."""

    name = "crafted"
    block_size: int | None = None

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        return None

    def read_resident(self, offset: int, length: int) -> bytes | None:
        return self.read_at(offset, length)

    def close(self) -> None:
        pass


class Opened:
    """An image opened through the library, from memory."""

    def __init__(self, source: MemorySource, options: ViewOptions) -> None:
        self.damage = Damage()
        self.blocks = BlockCache(source)
        found = find_views(self.blocks, options, source.name, self.damage)
        self.views, self.view, self.remark = found.names, found.chosen, found.remark
        self.volume = Volume(self.view, self.blocks, self.damage)

    def tree(self) -> dict[str, Node]:
        """Every path but the root's with its node; an unreadable directory fails."""

        def fail(path: str, error: Exception) -> None:
            raise AssertionError(f"{path}: {error}") from error

        found = list(self.volume.walk(fail))
        assert len(dict(found)) == len(found)
        return dict(found[1:])

    def names(self) -> list[str]:
        """Every path but the root's, in the order of the walk."""
        return list(self.tree())

    def read(self, path: str) -> bytes:
        """A whole file."""
        return self.volume.read(self.volume.lookup(path))


def opened(data: bytes, **options: Hashable) -> Opened:
    """Open the image in ``data`` with those ViewOptions."""
    return Opened(MemorySource(data), ViewOptions(**options))  # type: ignore[arg-type]


class IsoImage:
    """An image that is put together block by block."""

    def __init__(self, block_size: int = SECTOR, space: int = 100, blocks: int = 100) -> None:
        self.block_size = block_size
        self.space = space
        self.size = blocks * block_size
        self.parts: dict[int, bytes] = {}
        self.descriptors: list[bytes] = []

    def put(self, block: int, data: bytes) -> None:
        """Put ``data`` at a logical block."""
        self.at(block * self.block_size, data)

    def at(self, offset: int, data: bytes) -> None:
        """Put ``data`` at an image byte."""
        self.parts[offset] = data
        self.size = max(self.size, offset + len(data))

    def directory(
        self,
        block: int,
        *records: bytes,
        parent: int = ROOT,
        use: bytes = b"",
        parent_use: bytes = b"",
    ) -> int:
        """A directory with "." and ".."; its size."""
        data = b""
        for _ in range(2):
            first = record(SELF, block, len(data), flags=DIRECTORY, use=use)
            second = record(PARENT, parent, SECTOR, flags=DIRECTORY, use=parent_use)
            data = packed(first, second, *records)
        self.put(block, data)
        return len(data)

    def root(self, *records: bytes, use: bytes = b"", size: int | None = None) -> None:
        """The primary descriptor's root directory; ``size`` overrides what the descriptor says."""
        real = self.directory(ROOT, *records, use=use)
        root = directory_record(SELF, ROOT, real if size is None else size)
        self.descriptors.append(descriptor(1, root, space=self.space, block_size=self.block_size))

    def rock_ridge(self, *records: bytes) -> None:
        """As ``root``, with Rock Ridge announced."""
        self.root(*records, use=ROOT_USE)

    def joliet(self, *records: bytes, escapes: bytes = JOLIET, label: bytes = b"") -> None:
        """The supplementary descriptor's root directory."""
        root = directory_record(SELF, JOLIET_ROOT, self.directory(JOLIET_ROOT, *records))
        self.descriptors.append(
            descriptor(
                2, root, space=self.space, block_size=self.block_size, escapes=escapes, label=label
            )
        )

    def data(self) -> bytes:
        """The image."""
        result = bytearray(self.size)
        for number, each in enumerate([*self.descriptors, terminator()]):
            result[(16 + number) * SECTOR : (17 + number) * SECTOR] = each
        for offset, part in self.parts.items():
            result[offset : offset + len(part)] = part
        return bytes(result)

    def open(self, **options: Hashable) -> Opened:
        """Open it with those ViewOptions."""
        return opened(self.data(), **options)

    def write(self, path: Path) -> Path:
        """Write it to a file."""
        path.write_bytes(self.data())
        return path


def many_folders(count: int) -> IsoImage:
    """``count`` folders with a file each."""
    image = IsoImage(blocks=200)
    image.root(*(directory_record(b"D%02d" % n, 40 + n) for n in range(count)))
    for n in range(count):
        image.directory(40 + n, record(b"F%02d;1" % n, 30, n))
    return image
