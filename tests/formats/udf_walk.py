"""Opens and walks a UDF volume without a tree or a mount."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from isomount.blocks import BlockCache
from isomount.damage import Damage
from isomount.errors import DamagedDataError
from isomount.formats.node import Node
from isomount.formats.options import ViewOptions
from isomount.formats.udf import UdfView, find
from isomount.sources import LocalSource


class Opened(NamedTuple):
    view: UdfView
    reader: BlockCache
    damage: Damage

    def names(self, ino: int | None = None) -> list[bytes]:
        where = self.view.root if ino is None else ino
        return [entry.name for entry in self.view.entries(self.reader, where)]

    def nodes(self) -> dict[bytes, Node]:
        """The root's entries."""
        return {e.name: e.node for e in self.view.entries(self.reader, self.view.root)}

    def data(self, name: bytes) -> bytes:
        """All bytes of the file of that name in the root."""
        return read_whole(self.reader, self.nodes()[name])

    def walk(self, at_most: int = 100_000) -> dict[bytes, Node]:
        """Every path below the root; the root is ``.``; the first of two equal paths counts."""
        found = {b".": self.view.node(self.reader, self.view.root)}
        folders = [(self.view.root, b"")]
        while folders and len(found) < at_most:
            ino, prefix = folders.pop()
            for entry in self.view.entries(self.reader, ino):
                path = prefix + entry.name
                if path in found:
                    continue
                found[path] = entry.node
                if entry.node.is_directory and entry.node.fault is None:
                    folders.append((entry.node.ino, path + b"/"))
        return found


@contextmanager
def opened(path: Path, **options: Any) -> Iterator[Opened]:
    """The UDF volume of the image at ``path``, which must have one."""
    reader = BlockCache(LocalSource(path))
    damage = Damage()
    try:
        view = find(reader, ViewOptions(**options), path.name, damage)
        assert view is not None, "not recognised as UDF"
        yield Opened(view, reader, damage)
    finally:
        reader.close()


def read_whole(reader: BlockCache, node: Node, piece: int = 1 << 20) -> bytes:
    """All bytes of a file, asked for ``piece`` at a time."""
    assert node.content is not None
    data = bytearray()
    while len(data) < node.size:
        got = node.content.read(reader, len(data), min(piece, node.size - len(data)))
        assert got
        data += got
    return bytes(data)


def digest(reader: BlockCache, node: Node) -> str | None:
    """SHA-256 of a file, None where part of it cannot be read."""
    assert node.content is not None
    result, at = hashlib.sha256(), 0
    try:
        while at < node.size:
            data = node.content.read(reader, at, 1 << 20)
            assert data
            result.update(data)
            at += len(data)
    except DamagedDataError:
        return None
    return result.hexdigest()


def overwrite(image: Path, offset: int, data: bytes) -> None:
    """Replace the bytes of ``image`` from ``offset`` on."""
    with image.open("r+b") as file:
        file.seek(offset)
        file.write(data)
