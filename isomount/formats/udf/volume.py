"""The logical volume: from an anchor to the root directory (ECMA-167 3/8.4, 4/8.3)."""

from typing import NamedTuple

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedDataError
from isomount.formats.node import StatFs
from isomount.formats.udf import osta
from isomount.formats.udf.mapped import metadata_partition, virtual_partition
from isomount.formats.udf.recognition import Anchor
from isomount.formats.udf.sequence import prevailing
from isomount.formats.udf.space import (
    MissingPartition,
    PartitionMap,
    PhysicalPartition,
    Space,
    SparablePartition,
)
from isomount.formats.udf.statistics import statistics
from isomount.formats.udf.structures import (
    FILE_SET,
    FILE_SET_DESCRIPTOR,
    METADATA_MAP,
    PHYSICAL_MAP,
    SPARABLE_MAP,
    SPARING_TABLE,
    TYPED_MAP,
    FileSetDescriptor,
    LogicalVolumeDescriptor,
    PartitionDescriptor,
)
from isomount.formats.udf.tags import Soundness, soundness

_MAPS_AT_BYTE = 440
_VIRTUAL, _SPARABLE, _METADATA = (
    b"*UDF Virtual Partition",
    b"*UDF Sparable Partition",
    b"*UDF Metadata Partition",
)
_SPARING_TABLE_IDENTIFIER = b"*UDF Sparing Table"
# Values from here on mark spare packets that are available or defective (UDF 2.2.12).
_NOT_IN_USE = 0xFFFFFFF0
_FILE_SETS_AT_MOST = 64
_LOOKED_UP_AT_MOST = 4
_NO_MIRROR = 0xFFFFFFFF


class LogicalVolume(NamedTuple):
    """The logical volume: its space of blocks, its root directory and its label.

    ``root`` is the partition reference number and the logical block of the root's ICB.
    """

    space: Space
    root: tuple[int, int]
    label: str
    revision: int
    statfs: StatFs


class _Map(NamedTuple):
    """One partition map: ``kind`` is empty for type 1."""

    kind: bytes
    number: int
    data: bytes


def load(reader: Reader, anchor: Anchor, damage: Damage) -> LogicalVolume:
    """Load the volume that ``anchor`` points to. Raises DamagedDataError with the reason."""
    descriptors = prevailing(reader, anchor, damage)
    volume, data = descriptors.volume
    size = volume.block_size
    if size not in (512, 1024, 2048, 4096, 8192, 16384, 32768):
        raise DamagedDataError(f"its logical blocks of {size} bytes are none that UDF has")
    space = Space(size, damage)
    maps = _maps(volume, data)
    partitions = descriptors.partitions
    _add_partitions(reader, space, maps, partitions, anchor.last_sector)
    file_set = _file_set(reader, space, volume)
    return LogicalVolume(
        space,
        (file_set.root_partition, file_set.root_block),
        osta.label(volume.identifier),
        volume.revision,
        statistics(reader, volume, [partitions.get(each.number) for each in maps]),
    )


def _maps(volume: LogicalVolumeDescriptor, data: bytes) -> list[_Map]:
    """The partition maps, up to the first invalid one (3/10.6.13, 3/10.7)."""
    maps: list[_Map] = []
    at = _MAPS_AT_BYTE
    end = min(len(data), at + volume.map_table_length)
    while len(maps) < volume.map_count and at + 2 <= end:
        kind, length = data[at], data[at + 1]
        piece = data[at : at + length]
        if length < PHYSICAL_MAP.size or at + length > end:
            break
        if kind == 2 and length >= METADATA_MAP.size:
            typed = TYPED_MAP.parse(piece)
            maps.append(_Map(typed.identifier.rstrip(b"\0"), typed.number, piece))
        else:
            maps.append(_Map(b"", PHYSICAL_MAP.parse(piece).number, piece))
        at += length
    if not maps:
        raise DamagedDataError("its logical volume descriptor names no partition")
    return maps


def _add_partitions(
    reader: Reader,
    space: Space,
    maps: list[_Map],
    descriptors: dict[int, PartitionDescriptor],
    last_sector: int,
) -> None:
    """Fill ``space``: first partitions in place, then those mapped by a file.

    The files that map the latter can only be in the former, so that no partition is located
    through itself.
    """
    places = Space(space.block_size, space.damage)
    for each in maps:
        places.partitions.append(_in_place(reader, places, each, descriptors.get(each.number)))
    looked_up = 0
    for index, each in enumerate(maps):
        partition = places.partitions[index]
        if each.kind in (_VIRTUAL, _METADATA):
            looked_up += 1
            partition = _looked_up(reader, places, maps, each, last_sector)
        if looked_up > _LOOKED_UP_AT_MOST:
            raise DamagedDataError("it names more virtual and metadata partitions than can be")
        space.partitions.append(partition)


def _in_place(
    reader: Reader, space: Space, each: _Map, descriptor: PartitionDescriptor | None
) -> PartitionMap:
    if each.kind in (_VIRTUAL, _METADATA):
        return MissingPartition("a partition that is looked up through itself")
    if descriptor is None:
        return MissingPartition(f"there is no descriptor of partition {each.number}")
    if each.kind == _SPARABLE:
        sparable = SPARABLE_MAP.parse(each.data)
        replaced = _sparing(reader, space, each.data)
        length = max(1, sparable.packet_length)
        return SparablePartition(space.block_size, descriptor.start, length, replaced)
    return PhysicalPartition(space.block_size, descriptor.start)


def _below(maps: list[_Map], each: _Map) -> int:
    """The reference number of the partition that contains a virtual or metadata partition."""
    for index, other in enumerate(maps):
        if other.number == each.number and other.kind in (b"", _SPARABLE):
            return index
    raise DamagedDataError(f"no partition map holds partition {each.number} itself")


def _looked_up(
    reader: Reader, places: Space, maps: list[_Map], each: _Map, last_sector: int
) -> PartitionMap:
    try:
        reference = _below(maps, each)
        if each.kind == _VIRTUAL:
            return virtual_partition(reader, places, reference, last_sector)
        metadata = METADATA_MAP.parse(each.data)
        mirror = metadata.main if metadata.mirror == _NO_MIRROR else metadata.mirror
        return metadata_partition(reader, places, reference, metadata.main, mirror)
    except DamagedDataError as error:
        return MissingPartition(str(error))


def _sparing(reader: Reader, space: Space, data: bytes) -> dict[int, int]:
    """Which packets are replaced by which: the newest of the tables that are sound (UDF 2.2.12)."""
    sparable = SPARABLE_MAP.parse(data)
    best: tuple[int, bytes] | None = None
    for location in sparable[3 : 3 + min(sparable.table_count, 4)]:
        offset = location * space.block_size
        block = reader.read(offset, space.block_size)
        table = SPARING_TABLE.parse(block) if len(block) >= SPARING_TABLE.size else None
        if table is None or not table.identifier.startswith(_SPARING_TABLE_IDENTIFIER):
            space.damage.note(offset, "sparing table damaged")
        elif best is None or table.sequence_number > best[0]:
            body = reader.read(offset + SPARING_TABLE.size, 8 * table.entry_count)
            best = table.sequence_number, body
    replaced: dict[int, int] = {}
    body = best[1] if best else b""
    for at in range(0, len(body) - 7, 8):
        packet = int.from_bytes(body[at : at + 4], "little")
        if packet < _NOT_IN_USE:
            replaced[packet] = int.from_bytes(body[at + 4 : at + 8], "little")
    return replaced


def _file_set(reader: Reader, space: Space, volume: LogicalVolumeDescriptor) -> FileSetDescriptor:
    """The prevailing file set descriptor: the newest of the sequence (4/8.3.1, UDF 2.3.2)."""
    best: FileSetDescriptor | None = None
    partition, block = volume.file_set_partition, volume.file_set_block
    count = max(1, (volume.file_set_length & (1 << 30) - 1) // space.block_size)
    for _ in range(_FILE_SETS_AT_MOST):
        data = _file_set_block(reader, space, partition, block)
        if data is None:
            break
        found = FILE_SET_DESCRIPTOR.parse(data)
        if best is None or found.number > best.number:
            best = found
        block, count = block + 1, count - 1
        if found.next_length & (1 << 30) - 1:
            partition, block = found.next_partition, found.next_block
            count = max(1, (found.next_length & (1 << 30) - 1) // space.block_size)
        if count <= 0:
            break
    if best is None:
        space.locate(reader, partition, block)
        raise DamagedDataError("its file set descriptor is damaged")
    return best


def _file_set_block(reader: Reader, space: Space, partition: int, block: int) -> bytes | None:
    """The block, or its mirror, if it holds a file set descriptor."""
    for mirror in (False, True):
        try:
            offset, _ = space.locate(reader, partition, block, mirror)
        except DamagedDataError:
            continue
        data = reader.read(offset, space.block_size)
        if soundness(data, (FILE_SET,)) is not Soundness.BAD and len(data) == space.block_size:
            if mirror:
                space.damage.note(offset, "file set descriptor damaged, its mirror is used")
            return data
    return None
