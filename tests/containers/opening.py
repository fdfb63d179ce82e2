"""Opening containers from memory, and trying what is damaged."""

import random
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from isomount.blocks import Store
from isomount.blocks.aligned import AlignedBlocks
from isomount.containers.base import OtherKindError, Surroundings
from isomount.errors import IsomountError, MissingImageError
from isomount.sources import Source
from tests.formats.iso_builder import MemorySource

# What is read of a damaged image, at most.
_READ_AT_MOST = 1 << 20


class NamedSource(MemorySource):
    """A file in memory that has a name, and remembers that it was closed."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(data)
        self.name = name
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class MemorySiblings:
    """Files in memory beside each other."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.opened: list[NamedSource] = []

    def names(self) -> Sequence[str]:
        return sorted(self.files)

    def open(self, name: str) -> Source:
        if name not in self.files:
            raise MissingImageError(2, name)
        self.opened.append(NamedSource(name, self.files[name]))
        return self.opened[-1]


def unpacked(module: str, data: bytes | dict[str, bytes], name: str = "disc") -> Source:
    """What the module of a kind makes of ``data``, or of the file ``name`` among several."""
    files = data if isinstance(data, dict) else {name: data}
    return unpacked_among(module, MemorySiblings(files), name)


def unpacked_among(module: str, siblings: MemorySiblings, name: str) -> Source:
    kind = import_module(f"isomount.containers.{module}")
    file = NamedSource(name, siblings.files[name])
    siblings.opened.append(file)
    source: Source = kind.unpack(file, Surroundings(siblings, Store()))
    return source


def all_of(source: Source) -> bytes:
    """Every byte, as whoever keeps blocks of it reads them."""
    assert source.block_size is not None
    return AlignedBlocks(source, Store(), source.block_size).read_at(0, source.size)


def try_damaged(module: str, right: bytes, tries: int, seed: int, name: str = "disc") -> int:
    """Change bytes of ``right`` by chance: it is refused in words, or read as far as it goes.

    Returns how many were not refused.
    """
    chance = random.Random(seed)
    opened = 0
    for _ in range(tries):
        data = bytearray(right)
        for _ in range(chance.choice((1, 1, 2, 5))):
            # Headers, tables and trailers more often than what is packed.
            edge = chance.choice((64, 512, len(data)))
            at = chance.randrange(min(edge, len(data)))
            at = at if chance.random() < 0.5 else len(data) - 1 - at
            data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        if chance.random() < 0.1:
            del data[chance.randrange(len(data)) :]
        with suppress(IsomountError, OtherKindError, OSError):
            source = unpacked(module, {name: bytes(data)}, name)
            opened += 1
            for at in range(0, min(source.size, _READ_AT_MOST), 8192):
                with suppress(IsomountError, OSError):
                    assert len(source.read_at(at, 8192)) <= 8192
            with suppress(IsomountError, OSError):
                source.read_at(max(0, source.size - 4096), 4096)
            source.close()
    return opened
