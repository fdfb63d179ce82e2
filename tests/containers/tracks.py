"""Tracks of a disc as bytes: volumes, sectors in each of their forms, and files in memory."""

import errno
import struct
from collections.abc import Mapping, Sequence

from isomount.blocks import Store
from isomount.containers import Surroundings
from isomount.containers.discs.disc import Disc
from isomount.containers.discs.source import DiscSource
from isomount.errors import MissingImageError
from isomount.sources import FileRange, Source

SYNC = b"\0" + b"\xff" * 10 + b"\0"
SECTOR = 2048


class MemoryFile:
    """Bytes as a source with a name."""

    block_size: int | None = None

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.size = len(data)
        self.is_open = True
        self._data = data

    def measure(self) -> int:
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        assert offset >= 0
        assert length >= 0
        return self._data[offset : offset + length]

    def read_resident(self, offset: int, length: int) -> bytes | None:
        return self.read_at(offset, length)

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        return None

    def close(self) -> None:
        self.is_open = False


class Files:
    """Files in memory as the siblings of a container."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.opened: list[MemoryFile] = []

    def names(self) -> Sequence[str]:
        return sorted(self._files)

    def open(self, name: str) -> Source:
        if name not in self._files:
            raise MissingImageError(errno.ENOENT, name, "there is no such file")
        self.opened.append(MemoryFile(name, self._files[name]))
        return self.opened[-1]


def data_of(disc: Disc) -> DiscSource:
    """The data tracks of ``disc`` as they are read."""
    return DiscSource(disc, "disc", surroundings().cached)


def surroundings(files: Mapping[str, bytes] | None = None) -> Surroundings:
    """Those of a container beside ``files``."""
    return Surroundings(Files(files or {}), Store())


def volume(start: int = 0, sectors: int = 24) -> bytes:
    """An ISO 9660 volume whose extents count from ``start``; most sectors tell their LBA."""
    blocks = [b"sector %d " % (start + n) * 80 for n in range(sectors)]
    root = struct.pack("<BBIIII", 34, 0, start + 20, 0, SECTOR, 0) + bytes(14)
    record = root[:25] + b"\2" + bytes(6) + b"\1\0"
    blocks[16] = b"\1CD001\1" + bytes(149) + record
    blocks[20] = record
    return b"".join(block[:SECTOR].ljust(SECTOR, b"\0") for block in blocks)


def header(lba: int, mode: int) -> bytes:
    """Sync and header of a raw sector (ECMA-130 14.2)."""
    minute, second, frame = (lba + 150) // 4500, (lba + 150) // 75 % 60, (lba + 150) % 75
    return SYNC + bytes(int(str(each), 16) for each in (minute, second, frame, mode))


def stored(
    image: bytes, size: int = 2352, mode: int = 1, lba: int = 0, subchannel: int = 0
) -> bytes:
    """The sectors of ``image`` with ``size`` bytes stored of each, without checksums."""
    subheader = bytes.fromhex("0000080000000800") if mode == 2 else b""
    sectors = []
    for at in range(0, len(image), SECTOR):
        data = subheader + image[at : at + SECTOR]
        whole = (header(lba + at // SECTOR, mode) + data).ljust(2352, b"\0")
        within = {2352: 0, 2336: 16, 2048: 16 + len(subheader)}[size]
        sectors.append(whole[within : within + size] + bytes(subchannel))
    return b"".join(sectors)


def audio(sectors: int, seed: int = 1) -> bytes:
    """Samples that look like nothing else."""
    return bytes((seed + n) % 251 for n in range(2352)) * sectors


def packs(texts: Mapping[int, str], kind: int = 0x80) -> bytes:
    """CD-Text of one kind, by tracks from 0 on."""
    joined = b"".join(texts[n].encode("latin-1") + b"\0" for n in sorted(texts))
    parts = [joined[at : at + 12].ljust(12, b"\0") for at in range(0, len(joined), 12)]
    found = b""
    for number, part in enumerate(parts):
        before = joined[: number * 12]
        position = min(15, len(before) - before.rfind(b"\0") - 1)
        found += bytes([kind, before.count(b"\0"), number, position]) + part + b"\0\0"
    return found
