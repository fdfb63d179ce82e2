"""The descriptors of ECMA-167 and UDF: the fields and the binary layout of each.

All numbers are little-endian. Layouts skip unused fields. Clauses are those of the third edition
of ECMA-167 unless they say UDF.
"""

import struct
from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from isomount.errors import DamagedDataError

T = TypeVar("T")

PRIMARY_VOLUME = 1
ANCHOR = 2
VOLUME_POINTER = 3
PARTITION = 5
LOGICAL_VOLUME = 6
TERMINATING = 8
LOGICAL_VOLUME_INTEGRITY = 9
FILE_SET = 256
FILE_IDENTIFIER = 257
ALLOCATION_EXTENT = 258
INDIRECT_ENTRY = 259
FILE_ENTRY = 261
EXTENDED_ATTRIBUTE_HEADER = 262
SPACE_BITMAP = 264
EXTENDED_FILE_ENTRY = 266


class Structure(Generic[T]):
    """The binary layout of one descriptor: a struct format without byte order."""

    def __init__(self, make: Callable[[Iterable[Any]], T], layout: str) -> None:
        self._make = make
        self._struct = struct.Struct("<" + layout)
        self.size = self._struct.size

    def parse(self, data: bytes, offset: int = 0) -> T:
        """The descriptor at ``offset`` of ``data``. Raises DamagedDataError if it is truncated."""
        try:
            return self._make(self._struct.unpack_from(data, offset))
        except struct.error:
            raise DamagedDataError("a UDF descriptor is cut short") from None


class Tag(NamedTuple):
    """Descriptor tag (3/7.2): the start of all descriptors except those of volume recognition."""

    identifier: int
    version: int
    checksum: int
    crc: int
    crc_length: int
    location: int


TAG = Structure(Tag._make, "HHBx2xHHI")


class ExtentAd(NamedTuple):
    """Extent of the volume space (3/7.1): length in bytes and first sector."""

    length: int
    location: int


EXTENT_AD = Structure(ExtentAd._make, "II")


class LongAd(NamedTuple):
    """Long allocation descriptor (4/14.14.2); the two high bits of ``length`` are its type."""

    length: int
    block: int
    partition: int


LONG_AD = Structure(LongAd._make, "IIH6x")


class AnchorPointer(NamedTuple):
    """Anchor volume descriptor pointer (3/10.2): where the two descriptor sequences are."""

    main_length: int
    main_location: int
    reserve_length: int
    reserve_location: int


ANCHOR_POINTER = Structure(AnchorPointer._make, "16xIIII")


class VolumePointer(NamedTuple):
    """Volume descriptor pointer (3/10.3): where the sequence continues."""

    sequence_number: int
    length: int
    location: int


VOLUME_POINTER_LAYOUT = Structure(VolumePointer._make, "16xIII")


class PartitionDescriptor(NamedTuple):
    """Partition descriptor (3/10.5) with the partition header of 4/14.3 in its contents use."""

    sequence_number: int
    number: int
    table_length: int
    table_block: int
    bitmap_length: int
    bitmap_block: int
    start: int
    length: int


PARTITION_DESCRIPTOR = Structure(PartitionDescriptor._make, "16xI2xH32xIIII116xII")


class LogicalVolumeDescriptor(NamedTuple):
    """Logical volume descriptor (3/10.6); the partition maps follow it at byte 440."""

    sequence_number: int
    identifier: bytes
    block_size: int
    domain: bytes
    revision: int
    file_set_length: int
    file_set_block: int
    file_set_partition: int
    map_table_length: int
    map_count: int
    integrity_length: int
    integrity_location: int


LOGICAL_VOLUME_DESCRIPTOR = Structure(
    LogicalVolumeDescriptor._make, "16xI64x128sIx23sH6xIIH6xII32x128xII"
)


class PhysicalMap(NamedTuple):
    """Partition map of type 1 (3/10.7.2)."""

    number: int


PHYSICAL_MAP = Structure(PhysicalMap._make, "4xH")


class TypedMap(NamedTuple):
    """Partition map of type 2 (3/10.7.3, UDF 2.2.8 to 2.2.10): its identifier tells the kind."""

    identifier: bytes
    number: int


TYPED_MAP = Structure(TypedMap._make, "5x23s8x2xH")


class SparableMap(NamedTuple):
    """The further fields of a sparable partition map (UDF 2.2.9); table locations are sectors."""

    packet_length: int
    table_count: int
    table_size: int
    table_0: int
    table_1: int
    table_2: int
    table_3: int


SPARABLE_MAP = Structure(SparableMap._make, "40xHBxIIIII")


class MetadataMap(NamedTuple):
    """The further fields of a metadata partition map (UDF 2.2.10), in blocks of the partition."""

    main: int
    mirror: int
    flags: int


METADATA_MAP = Structure(MetadataMap._make, "40xII4x4x2xB5x")


class SparingTable(NamedTuple):
    """Sparing table (UDF 2.2.12); its entries, two 32-bit numbers each, follow at byte 56."""

    identifier: bytes
    entry_count: int
    sequence_number: int


SPARING_TABLE = Structure(SparingTable._make, "16xx23s8xH2xI")


class IntegrityDescriptor(NamedTuple):
    """Logical volume integrity descriptor (3/10.10); its two tables follow at byte 80."""

    next_length: int
    next_location: int
    partition_count: int
    implementation_use_length: int


INTEGRITY_DESCRIPTOR = Structure(IntegrityDescriptor._make, "16x12x4xII32xII")


class FileSetDescriptor(NamedTuple):
    """File set descriptor (4/14.1)."""

    number: int
    root_length: int
    root_block: int
    root_partition: int
    next_length: int
    next_block: int
    next_partition: int


FILE_SET_DESCRIPTOR = Structure(FileSetDescriptor._make, "16x28xI352xIIH6x32xIIH6x")


class FileEntry(NamedTuple):
    """File entry and extended file entry (4/14.9, 4/14.17), with the ICB tag of 4/14.6."""

    strategy: int
    file_type: int
    flags: int
    uid: int
    gid: int
    permissions: int
    link_count: int
    information_length: int
    access_time: bytes
    modification_time: bytes
    attribute_time: bytes
    attribute_icb: bytes
    stream_icb: bytes
    attributes_length: int
    descriptors_length: int


# Only the extended file entry has a stream directory ICB.
FILE_ENTRY_LAYOUT = Structure(FileEntry._make, "16x4xH5xB6xHIIIH6xQ8x12s12s12s4x16s0s32x8xII")
EXTENDED_FILE_ENTRY_LAYOUT = Structure(
    FileEntry._make, "16x4xH5xB6xHIIIH6xQ8x8x12s12s12x12s8x16s16s32x8xII"
)


class AllocationExtent(NamedTuple):
    """Allocation extent descriptor (4/14.5); its allocation descriptors follow at byte 24."""

    descriptors_length: int


ALLOCATION_EXTENT_LAYOUT = Structure(AllocationExtent._make, "16x4xI")


class IndirectEntry(NamedTuple):
    """Indirect entry (4/14.7): where the ICB continues."""

    length: int
    block: int
    partition: int


INDIRECT_ENTRY_LAYOUT = Structure(IndirectEntry._make, "16x20xIIH6x")


class SpaceBitmap(NamedTuple):
    """Space bitmap descriptor (4/14.12); the bitmap follows at byte 24, a set bit is free."""

    bit_count: int
    byte_count: int


SPACE_BITMAP_LAYOUT = Structure(SpaceBitmap._make, "16xII")


class AttributeHeader(NamedTuple):
    """The header of an extended attribute (4/14.10.2); ``length`` includes the header."""

    type: int
    subtype: int
    length: int


ATTRIBUTE_HEADER = Structure(AttributeHeader._make, "IB3xI")


class VirtualTable(NamedTuple):
    """Header of the virtual allocation table of UDF 2.00 and later (UDF 2.2.11)."""

    header_length: int


VIRTUAL_TABLE = Structure(VirtualTable._make, "H")
