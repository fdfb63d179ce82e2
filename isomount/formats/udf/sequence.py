"""Volume descriptor sequences and the prevailing descriptor of each kind (ECMA-167 3/8.4)."""

from collections.abc import Iterator
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.damage import Damage, Unheard
from isomount.errors import DamagedDataError
from isomount.formats.udf.recognition import Anchor
from isomount.formats.udf.structures import (
    ANCHOR,
    LOGICAL_VOLUME,
    LOGICAL_VOLUME_DESCRIPTOR,
    PARTITION,
    PARTITION_DESCRIPTOR,
    PRIMARY_VOLUME,
    TERMINATING,
    VOLUME_POINTER,
    VOLUME_POINTER_LAYOUT,
    LogicalVolumeDescriptor,
    PartitionDescriptor,
)
from isomount.formats.udf.tags import Soundness, soundness

_KNOWN = range(PRIMARY_VOLUME, TERMINATING + 1)
# Valid sequences have only a few; these limits bound the cost of invalid ones.
_DESCRIPTORS_AT_MOST = 4096
_EXTENTS_AT_MOST = 64


class Found(NamedTuple):
    """One volume descriptor: its block, its image byte and how far it can be trusted."""

    identifier: int
    data: bytes
    offset: int
    grade: Soundness


class Prevailing:
    """The prevailing descriptors: the logical volume's, and those of partitions by number."""

    def __init__(self) -> None:
        self._volume: Found | None = None
        self._partitions: dict[int, Found] = {}

    def add(self, found: Found) -> None:
        """Use ``found`` unless a sounder one is held, or an equally sound and newer one."""
        if found.identifier == LOGICAL_VOLUME:
            if self._volume is None or _rank(found) > _rank(self._volume):
                self._volume = found
        elif found.identifier == PARTITION:
            number = PARTITION_DESCRIPTOR.parse(found.data).number
            held = self._partitions.get(number)
            if held is None or _rank(found) > _rank(held):
                self._partitions[number] = found

    def missing_from(self, other: "Prevailing") -> list[Found]:
        """The descriptors of ``other`` that are missing here, or less sound here."""
        held = [(self._volume, other._volume)] if other._volume else []
        held += [(self._partitions.get(key), value) for key, value in other._partitions.items()]
        return [theirs for own, theirs in held if own is None or own.grade < theirs.grade]

    @property
    def is_sound(self) -> bool:
        """Whether all descriptors are sound, so that the reserve sequence is not needed."""
        everything = [self._volume, *self._partitions.values()]
        return bool(self._partitions) and all(
            found is not None and found.grade is Soundness.SOUND for found in everything
        )

    @property
    def volume(self) -> tuple[LogicalVolumeDescriptor, bytes]:
        """The logical volume descriptor, parsed and as bytes. Raises DamagedDataError."""
        if self._volume is None:
            raise DamagedDataError("no logical volume descriptor is left of it")
        return LOGICAL_VOLUME_DESCRIPTOR.parse(self._volume.data), self._volume.data

    @property
    def partitions(self) -> dict[int, PartitionDescriptor]:
        """The partition descriptors by partition number."""
        return {
            number: PARTITION_DESCRIPTOR.parse(found.data)
            for number, found in self._partitions.items()
        }


def _rank(found: Found) -> tuple[int, int]:
    sequence_number = int.from_bytes(found.data[16:20], "little")
    return found.grade, sequence_number


def prevailing(reader: Reader, anchor: Anchor, damage: Damage) -> Prevailing:
    """The prevailing descriptors of the main sequence, completed from the reserve sequence."""
    pointer = anchor.pointer
    main = _collect(reader, anchor, pointer.main_location, pointer.main_length)
    if main.is_sound:
        return main
    reserve = _collect(reader, anchor, pointer.reserve_location, pointer.reserve_length)
    for found in main.missing_from(reserve):
        damage.note(
            pointer.main_location * anchor.block_size,
            f"volume descriptor {found.identifier} damaged or missing, "
            f"the reserve at byte {found.offset} is used",
        )
        main.add(found)
    return main


def partitions_end(reader: Reader, anchor: Anchor) -> int:
    """The image byte where the last partition of the volume ends, as its descriptors say."""
    found = prevailing(reader, anchor, Unheard()).partitions.values()
    return max((each.start + each.length for each in found), default=0) * anchor.block_size


def _collect(reader: Reader, anchor: Anchor, location: int, length: int) -> Prevailing:
    result = Prevailing()
    for found in descriptors_of(reader, anchor.block_size, location, length):
        result.add(found)
    return result


def descriptors_of(reader: Reader, size: int, location: int, length: int) -> Iterator[Found]:
    """The descriptors of a sequence, across the extents that its pointers link (3/8.4.2)."""
    budget = _DESCRIPTORS_AT_MOST
    for _ in range(_EXTENTS_AT_MOST):
        following: tuple[int, int] | None = None
        for sector in range(location, location + min(length // size, budget)):
            budget -= 1
            data = reader.read(sector * size, size)
            identifier = int.from_bytes(data[:2], "little")
            if identifier in (0, TERMINATING) or len(data) < size:
                return
            grade = soundness(data, _KNOWN)
            if grade is Soundness.BAD or identifier == ANCHOR:
                continue
            if identifier == VOLUME_POINTER:
                pointer = VOLUME_POINTER_LAYOUT.parse(data)
                following = pointer.location, pointer.length
                break
            yield Found(identifier, data, sector * size, grade)
        if following is None:
            return
        location, length = following
