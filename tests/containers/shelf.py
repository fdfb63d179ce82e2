"""Sheets and their data files in memory, and sectors to put into them."""

import errno
from collections.abc import Callable, Mapping, Sequence

from isomount.blocks import Store
from isomount.containers import Surroundings
from isomount.containers.discs.disc import Disc
from isomount.errors import ImageUnreadableError, MissingImageError
from isomount.sources import FileRange, Source

SYNC = b"\0" + b"\xff" * 10 + b"\0"

Unpack = Callable[[Source, Surroundings], Disc]


class MemorySource:
    """Bytes as a source."""

    block_size: int | None = None

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.size = len(data)
        self.is_closed = False
        self._data = data

    def measure(self) -> int:
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def read_resident(self, offset: int, length: int) -> bytes | None:
        return None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        return None

    def close(self) -> None:
        self.is_closed = True


class Shelf:
    """Files by their names, as a container's siblings. ``opened`` are all that were opened."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.opened: list[MemorySource] = []
        self.listings = 0

    def names(self) -> Sequence[str]:
        self.listings += 1
        return sorted(name for name in self._files if "/" not in name)

    def open(self, name: str) -> Source:
        if name not in self._files:
            raise MissingImageError(errno.ENOENT, name, "there is no such file")
        if self._files[name] == b"FIFO":
            raise ImageUnreadableError(f"{name}: is no regular file, so it is not opened")
        self.opened.append(MemorySource(name, self._files[name]))
        return self.opened[-1]


def disc(unpack: Unpack, name: str, sheet: str | bytes, files: Mapping[str, bytes]) -> Disc:
    """The disc of the sheet ``name`` beside ``files``."""
    data = sheet.encode() if isinstance(sheet, str) else sheet
    shelf = Shelf({name: data, **files})
    return unpack(MemorySource(name, data), Surroundings(shelf, Store()))


def sector(lba: int, data: bytes = b"", mode: int = 1) -> bytes:
    """A raw sector with its address, but without checksums."""
    minute, second, frame = (lba + 150) // 4500, (lba + 150) // 75 % 60, (lba + 150) % 75
    header = bytes.fromhex(f"{minute:02}{second:02}{frame:02}{mode:02}")
    subheader = bytes(8) if mode == 2 else b""
    return (SYNC + header + subheader + data).ljust(2352, b"\0")


def track(lba: int, sectors: int, mode: int = 1) -> bytes:
    """Raw sectors from ``lba`` on; each has its LBA as its data."""
    return b"".join(sector(each, b"%08d" % each, mode) for each in range(lba, lba + sectors))


def audio(sectors: int) -> bytes:
    """Samples that are never a sync."""
    return bytes(range(1, 197)) * 12 * sectors
