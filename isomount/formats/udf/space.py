"""The logical blocks of a volume: its partitions by number, and where their blocks are."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Protocol

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedDataError

# What a partition says of a run that ends only with the image.
UNBOUNDED = 1 << 62


class PartitionMap(Protocol):
    """The blocks of one partition map (ECMA-167 3/10.7)."""

    @property
    def is_mirrored(self) -> bool:
        """Whether there are two copies of each block."""

    def locate(self, reader: Reader, block: int, mirror: bool = False) -> tuple[int, int]:
        """The image byte where ``block`` starts, and how many bytes go on from there in one run.

        ``mirror`` asks for the other copy where the partition keeps two. Raises DamagedDataError
        for a block that is nowhere.
        """

    def mirror_of(self, reader: Reader, offset: int) -> int | None:
        """Where the other copy of the block at image byte ``offset`` is, None without one."""


class PhysicalPartition:
    """Blocks in one run of the volume (ECMA-167 3/10.7.2). Its length is not held against them."""

    is_mirrored = False

    def __init__(self, block_size: int, start: int) -> None:
        self._block_size = block_size
        self._start = start

    def locate(self, reader: Reader, block: int, mirror: bool = False) -> tuple[int, int]:
        """Straight on from the partition's start."""
        return (self._start + block) * self._block_size, UNBOUNDED

    def mirror_of(self, reader: Reader, offset: int) -> int | None:
        """There is one copy."""
        return None


class SparablePartition:
    """A physical partition whose defective packets are replaced by others (UDF 2.2.9).

    ``replaced`` gives, by the first block of a packet, the sector of the packet used instead.
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
        """In the spare packet, or in place up to the next packet that is replaced."""
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
    """A partition map that leads nowhere: its blocks are damage, those of the others are not."""

    is_mirrored = False

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def locate(self, reader: Reader, block: int, mirror: bool = False) -> tuple[int, int]:
        """Nowhere."""
        raise DamagedDataError(self._reason)

    def mirror_of(self, reader: Reader, offset: int) -> int | None:
        """Nowhere either."""
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
