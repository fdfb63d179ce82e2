"""A source that is far away, with what travelled kept on the disk."""

import hashlib
from collections.abc import Iterable, Iterator
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

    def pieces(self, offset: int, length: int) -> Iterable[bytes]:
        """As ``read_at``, in pieces of the block size."""


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
        skipped = offset % self.block_size
        data = b"".join(self.pieces(offset - skipped, skipped + max(0, length)))
        return data[skipped : skipped + length]

    def pieces(self, offset: int, length: int) -> Iterator[bytes]:
        """The blocks that this range, which begins with one, lies in. Raises as ``read_at``."""
        stop = min(offset + length, self.size)
        numbers = range(offset // self.block_size, -(-stop // self.block_size))
        blocks = self._segments.get(numbers)
        at = 0
        while at < len(blocks):
            missing = at
            while missing < len(blocks) and blocks[missing] is None:
                missing += 1
            if missing > at:
                yield from self._fetched(numbers[at:missing])
                at = missing
            elif (block := blocks[at]) is not None:
                yield block
                at += 1

    def _fetched(self, numbers: range) -> Iterator[bytes]:
        """Blocks from afar, which are kept before the last one is given: who takes it may go."""
        length = min(len(numbers) * self.block_size, self.size - numbers.start * self.block_size)
        blocks = list(self._source.pieces(numbers.start * self.block_size, length))
        yield from blocks[:-1]
        self._segments.put(numbers, blocks)
        yield from blocks[-1:]

    def read_resident(self, offset: int, length: int) -> None:
        """Always None: whether the disk has it is not known without asking."""

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """None: there is no file with just these bytes."""
        return None

    def close(self) -> None:
        """Close the source. What is kept stays."""
        self._source.close()
