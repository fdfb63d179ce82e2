"""The values of statfs for a UDF volume."""

import struct

from isomount.blocks import Reader
from isomount.formats.node import StatFs
from isomount.formats.udf.osta import NAME_MAX
from isomount.formats.udf.structures import (
    INTEGRITY_DESCRIPTOR,
    LOGICAL_VOLUME_INTEGRITY,
    SPACE_BITMAP,
    SPACE_BITMAP_LAYOUT,
    LogicalVolumeDescriptor,
    PartitionDescriptor,
)
from isomount.formats.udf.tags import Soundness, soundness

_TABLES_AT_BYTE = 80
_UNKNOWN = 0xFFFFFFFF
_COUNTS = struct.Struct("<32xII")
_INTEGRITY_AT_MOST = 1024
# The bitmap of 16 GiB of 2048-byte blocks; reading a larger one would delay mounting too much.
_BITMAP_AT_MOST = 1 << 20


def statistics(
    reader: Reader, volume: LogicalVolumeDescriptor, partitions: list[PartitionDescriptor | None]
) -> StatFs:
    """Sizes from the partition that holds the file set, counts from the integrity descriptor."""
    reference = volume.file_set_partition
    partition = partitions[reference] if reference < len(partitions) else None
    blocks = partition.length if partition else reader.size // volume.block_size
    free, files = _integrity(reader, volume, reference)
    if not free and partition is not None:
        free = _free_in_bitmap(reader, volume.block_size, partition)
    return StatFs(
        block_size=volume.block_size,
        blocks=blocks,
        blocks_free=free,
        files=files + free,
        files_free=free,
        name_max=NAME_MAX,
    )


def _integrity(reader: Reader, volume: LogicalVolumeDescriptor, reference: int) -> tuple[int, int]:
    """Free blocks of the partition, and files and directories (ECMA-167 3/10.10, UDF 2.2.6.4)."""
    data = _newest_integrity(reader, volume)
    if data is None:
        return 0, 0
    integrity = INTEGRITY_DESCRIPTOR.parse(data)
    at = _TABLES_AT_BYTE + 4 * reference
    free = int.from_bytes(data[at : at + 4], "little")
    if reference >= integrity.partition_count or free == _UNKNOWN:
        free = 0
    use = _TABLES_AT_BYTE + 8 * integrity.partition_count
    if use + _COUNTS.size > len(data) or integrity.implementation_use_length < _COUNTS.size:
        return free, 0
    files, directories = _COUNTS.unpack_from(data, use)
    return free, files + directories


def _newest_integrity(reader: Reader, volume: LogicalVolumeDescriptor) -> bytes | None:
    """The last descriptor of the integrity sequence."""
    size = volume.block_size
    sector, end = _sectors(volume.integrity_location, volume.integrity_length, size)
    newest: bytes | None = None
    for _ in range(_INTEGRITY_AT_MOST):
        if sector >= end:
            break
        data = reader.read(sector * size, size)
        grade = soundness(data, (LOGICAL_VOLUME_INTEGRITY,))
        if grade is Soundness.BAD or len(data) < size:
            break
        newest = data
        following = INTEGRITY_DESCRIPTOR.parse(data)
        sector += 1
        if following.next_length:
            sector, end = _sectors(following.next_location, following.next_length, size)
    return newest


def _sectors(location: int, length: int, size: int) -> tuple[int, int]:
    return location, location + length // size


def _free_in_bitmap(reader: Reader, block_size: int, partition: PartitionDescriptor) -> int:
    """The number of set bits in the unallocated space bitmap (4/14.12), 0 if there is none."""
    if not partition.bitmap_length:
        return 0
    offset = (partition.start + partition.bitmap_block) * block_size
    head = reader.read(offset, SPACE_BITMAP_LAYOUT.size)
    if len(head) < SPACE_BITMAP_LAYOUT.size or head[:2] != SPACE_BITMAP.to_bytes(2, "little"):
        return 0
    bitmap = SPACE_BITMAP_LAYOUT.parse(head)
    length = min(bitmap.byte_count, -(-bitmap.bit_count // 8))
    if length > _BITMAP_AT_MOST:
        return 0
    data = reader.read(offset + SPACE_BITMAP_LAYOUT.size, length)
    return int.from_bytes(data, "little").bit_count()
