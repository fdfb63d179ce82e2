"""Sources whose bytes nothing else keeps: counting, standing still, failing."""

import errno
import random
import threading

from isomount.blocks.store import OVERHEAD
from isomount.sources import FileRange

BLOCK = 64
COUNT = 100
DATA = random.Random(3).randbytes(COUNT * BLOCK - 10)
# Enough for all of it, and for loads of many blocks.
AMPLE = 8 * COUNT * (BLOCK + OVERHEAD)
MINUTE = 60


class Remote:
    """A source that the kernel knows nothing of."""

    name = "remote"

    def __init__(self, data: bytes = DATA, block_size: int = BLOCK) -> None:
        self.data = data
        self.size = len(data)
        self.block_size = block_size
        self.loads: list[tuple[int, int]] = []
        self.is_closed = False

    def measure(self) -> int:
        self.size = max(self.size, len(self.data))
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        self.loads.append((offset, length))
        return self.data[offset : offset + length]

    def read_resident(self, offset: int, length: int) -> bytes | None:
        raise AssertionError("a source with a block size is not asked for what is in memory")

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        raise AssertionError("a source with a block size is not asked for what is in memory")

    def close(self) -> None:
        self.is_closed = True

    @property
    def blocks_loaded(self) -> list[range]:
        """The numbers of the blocks of each load; all loads are aligned."""
        assert all(offset % BLOCK == 0 for offset, _ in self.loads)
        return [
            range(offset // BLOCK, -(-(offset + length) // BLOCK)) for offset, length in self.loads
        ]


class Gated(Remote):
    """A source that stands still at some offsets until it is let go on."""

    def __init__(self, *offsets: int) -> None:
        super().__init__()
        self.offsets = offsets
        self.begun, self.go_on = threading.Event(), threading.Event()

    def read_at(self, offset: int, length: int) -> bytes:
        data = super().read_at(offset, length)
        if offset in self.offsets:
            self.begun.set()
            assert self.go_on.wait(MINUTE)
        return data


class Bad(Remote):
    """A source that cannot read some bytes."""

    def __init__(self, *places: int, error: Exception | None = None) -> None:
        super().__init__()
        self.places = places
        self.error = error or OSError(errno.EIO, "bad")

    def read_at(self, offset: int, length: int) -> bytes:
        data = super().read_at(offset, length)
        if any(offset <= place < offset + length for place in self.places):
            raise self.error
        return data


class Beside(Gated):
    """A source that may be read while nobody waits for it."""

    reads_at_once = 2

    def __init__(self, *offsets: int) -> None:
        super().__init__(*offsets)
        self.by: dict[int, str] = {}
        self.read = threading.Condition()

    def read_at(self, offset: int, length: int) -> bytes:
        data = super().read_at(offset, length)
        with self.read:
            self.by[offset] = threading.current_thread().name
            self.read.notify_all()
        return data

    def wait_for(self, offset: int) -> None:
        """Wait until the load that begins at ``offset`` was made."""
        with self.read:
            assert self.read.wait_for(lambda: offset in self.by, MINUTE)
