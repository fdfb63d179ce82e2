"""The contract of a source."""

from typing import Protocol, runtime_checkable


class FileRange:
    """``length`` bytes at ``offset`` of an open file, which can be spliced without reading them."""

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self._length = length

    def __len__(self) -> int:
        return self._length


class Source(Protocol):
    """Random access to the bytes of one image. Thread-safe.

    There are two kinds. If the kernel's page cache holds what was read (or the source is in
    memory), ``block_size`` is None and the source reports which bytes are resident. Otherwise
    ``block_size`` is a number, and the block cache reads and keeps aligned blocks of that size.
    """

    @property
    def name(self) -> str:
        """The image's name in messages."""

    @property
    def size(self) -> int:
        """The number of bytes when the source was opened, or ``measure`` last told it."""

    @property
    def block_size(self) -> int | None:
        """The bytes to read at once if nothing else caches them; None if the page cache does.

        Large enough that the overhead of a read is small compared with reading a block: 64 KiB to
        1 MiB, or the block size of a compressed image. If one byte cannot be read, the whole block
        is unreadable.
        """

    def measure(self) -> int:
        """The number of bytes now, which ``size`` is from then on. May wait.

        A file that is being written grows; a drive's disc turns out to be shorter than it said. A
        file that was cut off keeps its size, as what is missing of it is damage.
        """

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range; shorter only at the end of the image.

        Raises OSError or DamagedDataError if it cannot be read.
        """

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """As ``read_at``, but returns None instead of blocking.

        For use by a single thread: the next call may overwrite the returned memory. Not called if
        the source has a block size.
        """

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """The file range that holds those bytes if all are known to be in memory, else None.

        Never blocks. Not called if the source has a block size.
        """

    def close(self) -> None:
        """Release the underlying file."""


def reads_at_once(source: Source) -> int:
    """How many reads of ``source`` may pay to be under way at a time, with nobody waiting for them.

    A source says so by an attribute of this name. Without one it is 0: the source is to be read
    while somebody waits for it, and at no other time, as what it reads may be used by its owner.
    """
    said: int = getattr(source, "reads_at_once", 0)
    return said


@runtime_checkable
class EndLearnt(Protocol):
    """A source that may have to be decoded from its beginning to know where it ends."""

    @property
    def is_end_known(self) -> bool:
        """Whether ``size`` is sure, and reading the end needs no long wait."""


def is_end_near(source: object) -> bool:
    """Whether the end of ``source``, or of a reader of one, is read as fast as its beginning."""
    return not isinstance(source, EndLearnt) or source.is_end_known
