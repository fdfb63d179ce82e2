"""A source that is far away, with what travelled kept on the disk."""

import hashlib
from typing import Protocol

from isomount.sources.base import FileRange, Source, reads_at_once
from isomount.sources.keeping import Keeping
from isomount.sources.remote.segments import Segments


class Versioned(Source, Protocol):
    """A source that is far away, of which one version is read."""

    @property
    def version(self) -> str:
        """What tells this version of it from every other; "" if that is not known for sure."""

    @property
    def block_size(self) -> int:
        """The bytes to fetch at least."""


def kept(source: Versioned, keeping: Keeping) -> Source:
    """``source``, of which blocks are kept as ``keeping`` says, if they can be known again."""
    place = keeping.place
    if place is None or not source.version or not source.size:
        return source
    key = hashlib.sha256(f"{source.version}\0{source.block_size}".encode("utf-8", "replace"))
    segments = Segments(
        place,
        key.hexdigest()[:40],
        source.name,
        source.block_size,
        source.size,
        keeping.limit,
    )
    return KeptSource(source, segments)


class KeptSource:
    """Blocks out of ``segments``, and what is missing there out of ``source``. Thread-safe."""

    def __init__(self, source: Versioned, segments: Segments) -> None:
        self.name, self.size = source.name, source.size
        self.block_size = source.block_size
        self.reads_at_once = reads_at_once(source)
        self.modified = source.version
        self._source, self._segments = source, segments

    def measure(self) -> int:
        """The size, which stays what it is."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Those bytes. Raises OSError for what is neither kept nor to be had."""
        stop = min(offset + length, self.size)
        if stop <= offset:
            return b""
        first = offset // self.block_size
        numbers = range(first, -(-stop // self.block_size))
        blocks = self._segments.get(numbers)
        start = 0
        while start < len(blocks):
            end = start
            while end < len(blocks) and blocks[end] is None:
                end += 1
            if end > start:
                blocks[start:end] = self._fetched(numbers[start:end])
            start = end + 1
        data = b"".join(block for block in blocks if block is not None)
        skipped = offset - first * self.block_size
        return (
            data if not skipped and len(data) == stop - offset else data[skipped:][: stop - offset]
        )

    def _fetched(self, numbers: range) -> list[bytes]:
        data = self._source.read_at(numbers.start * self.block_size, len(numbers) * self.block_size)
        blocks = []
        for index, number in enumerate(numbers):
            block = data[index * self.block_size : (index + 1) * self.block_size]
            self._segments.put(number, block)
            blocks.append(block)
        return blocks

    def read_resident(self, offset: int, length: int) -> None:
        """Always None: whether the disk has it is not known without asking."""

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """None: there is no file with just these bytes."""
        return None

    def close(self) -> None:
        """Close the source. What is kept stays."""
        self._source.close()
