"""The contract of a source."""

from typing import Protocol


class FileRange:
    """Bytes of a file that may be handed on unread: ``length`` of them at ``offset``."""

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self._length = length

    def __len__(self) -> int:
        return self._length


class Source(Protocol):
    """Random access to the bytes of one image. Thread-safe.

    A source either leaves keeping its bytes to the kernel's page cache (or is memory itself), and
    then says which of them are there; or nothing keeps them, and it says by ``block_size`` in what
    blocks they are worth having: the block cache reads and keeps those, and asks for nothing else.
    """

    @property
    def name(self) -> str:
        """What to call the image in messages."""

    @property
    def size(self) -> int:
        """The number of bytes when the source was opened, or ``measure`` last told it."""

    @property
    def block_size(self) -> int | None:
        """The bytes that one read should bring, where nothing keeps what was read; else None.

        What it costs to begin a read is to be small against reading a block: 64 KiB to 1 MiB, or
        what a compressed image stores as one. A block is also what is lost if a byte cannot be
        read.
        """

    def measure(self) -> int:
        """The number of bytes now, which ``size`` is from then on. May wait.

        A file that is being written grows; a drive's disc turns out to be shorter than it said. A
        file that was cut off keeps its size, as what is missing of it is damage.
        """

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range; short only at the end.

        Raises OSError or DamagedDataError when it cannot be read.
        """

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """As ``read_at``, but None wherever that would have to wait. Never waits.

        For one thread alone: the next call may overwrite what this one returned. Not asked of a
        source with a block size.
        """

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """Where the bytes of that range stand, if all are there and in memory; None is no answer.

        Never waits. Not asked of a source with a block size.
        """

    def close(self) -> None:
        """Give the underlying file back."""
