"""The logical blocks of a volume: its partitions, and where their blocks are in the image."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Protocol

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedDataError

# The length of a run that is limited only by the end of the image.
UNBOUNDED = 1 << 62


class PartitionMap(Protocol):
    """The blocks of one partition map (ECMA-167 3/10.7)."""

    @property
    def is_mirrored(self) -> bool:
        """Whether there are two copies of each block."""

    def locate(self, reader: Reader, block: int, mirror: bool = False) -> tuple[int, int]:
        """The image byte where ``block`` starts, and how many bytes are contiguous from there.

        ``mirror`` selects the second copy if the partition has two. Raises DamagedDataError if the
        block has no location.
        """

    def mirror_of(self, reader: Reader, offset: int) -> int | None:
        """The image byte of the second copy of the block at ``offset``, None without one."""


class PhysicalPartition:
    """Contiguous blocks of the volume (ECMA-167 3/10.7.2). The recorded length is not enforced."""

    is_mirrored = False

    def __init__(self, block_size: int, start: int) -> None:
        self._block_size = block_size
        self._start = start

    def locate(self, reader: Reader, block: int, mirror: bool = False) -> tuple[int, int]:
        """Counted from the partition's start."""
        return (self._start + block) * self._block_size, UNBOUNDED

    def mirror_of(self, reader: Reader, offset: int) -> int | None:
        """There is one copy."""
        return None


class SparablePartition:
    """A physical partition whose defective packets are replaced by others (UDF 2.2.9).

    ``replaced`` maps the first block of a packet to the sector of the packet used instead.
    """

    is_mirrored = False

    def __init__(
        self, block_size: int, start: int, packet_length: int, replaced: Mapping[int, int]
    ) -> None:
        self._block_size = block_size
        self._start = start
        self._packet_length = packet_length
        self._replaced = replaced
        self._order = sorted(replaced)

    def locate(self, reader: Reader, block: int, mirror: bool = False) -> tuple[int, int]:
        """In the spare packet, or in place up to the next replaced packet."""
        within = block % self._packet_length
        packet = block - within
        spare = self._replaced.get(packet)
        if spare is not None:
            run = self._packet_length - within
            return (spare + within) * self._block_size, run * self._block_size
        index = bisect_right(self._order, block)
        run = self._order[index] - block if index < len(self._order) else UNBOUNDED
        return (self._start + block) * self._block_size, run * self._block_size

    def mirror_of(self, reader: Reader, offset: int) -> int | None:
        """There is one copy."""
        return None


class MissingPartition:
    """A partition that cannot be located: only its own blocks are unreadable."""

    is_mirrored = False

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def locate(self, reader: Reader, block: int, mirror: bool = False) -> tuple[int, int]:
        """Always raises DamagedDataError."""
        raise DamagedDataError(self._reason)

    def mirror_of(self, reader: Reader, offset: int) -> int | None:
        """Always None."""
        return None


class Space:
    """The partitions of a logical volume in the order of their maps."""

    def __init__(self, block_size: int, damage: Damage) -> None:
        self.block_size = block_size
        self.damage = damage
        self.partitions: list[PartitionMap] = []

    def locate(
        self, reader: Reader, partition: int, block: int, mirror: bool = False
    ) -> tuple[int, int]:
        """As PartitionMap.locate, in the partition with that reference number."""
        if partition >= len(self.partitions):
            raise DamagedDataError(f"there is no partition with the reference number {partition}")
        return self.partitions[partition].locate(reader, block, mirror)

    def mirror_of(self, reader: Reader, partition: int, offset: int) -> int | None:
        """As PartitionMap.mirror_of."""
        return self.partitions[partition].mirror_of(reader, offset)
