"""The identifiers and dates of a UDF volume, from its primary and logical volume descriptors."""

from typing import NamedTuple

from isomount.blocks import Reader
from isomount.errors import DamagedDataError
from isomount.formats.identity import Identity
from isomount.formats.options import ViewOptions
from isomount.formats.udf import osta
from isomount.formats.udf.recognition import Anchor, find_anchors
from isomount.formats.udf.sequence import descriptors_of
from isomount.formats.udf.structures import (
    LOGICAL_VOLUME,
    LOGICAL_VOLUME_DESCRIPTOR,
    PARTITION,
    PARTITION_DESCRIPTOR,
    PRIMARY_VOLUME,
    Structure,
)
from isomount.formats.udf.times import nanoseconds


class PrimaryVolumeDescriptor(NamedTuple):
    """Primary volume descriptor (ECMA-167 3/10.1)."""

    identifier: bytes
    volume_set: bytes
    application: bytes
    recorded: bytes
    implementation: bytes


PRIMARY_VOLUME_DESCRIPTOR = Structure(
    PrimaryVolumeDescriptor._make, "16x8x32s16x128s128x16xx23s8x12sx23s8x"
)
# The implementation identifier in the logical volume descriptor (3/10.6), without its flags byte.
_IMPLEMENTATION = slice(273, 296)


def identities(reader: Reader, options: ViewOptions) -> list[Identity]:
    """The identifiers of the volume that ``options`` select; an empty list without a UDF volume."""
    for anchor in find_anchors(reader, options):
        try:
            found = _identity(reader, anchor)
        except DamagedDataError:
            continue  # another anchor may be intact
        if found is not None:
            return [found]
    return []


def _identity(reader: Reader, anchor: Anchor) -> Identity | None:
    primary: PrimaryVolumeDescriptor | None = None
    label = implementation = ""
    size = 0
    pointer = anchor.pointer
    for extent in (
        (pointer.main_location, pointer.main_length),
        (pointer.reserve_location, pointer.reserve_length),
    ):
        for found in descriptors_of(reader, anchor.block_size, *extent):
            if found.identifier == PRIMARY_VOLUME:
                primary = PRIMARY_VOLUME_DESCRIPTOR.parse(found.data)
            elif found.identifier == LOGICAL_VOLUME:
                label = osta.label(LOGICAL_VOLUME_DESCRIPTOR.parse(found.data).identifier)
                implementation = _entity(found.data[_IMPLEMENTATION])
            elif found.identifier == PARTITION:
                partition = PARTITION_DESCRIPTOR.parse(found.data)
                size = max(size, (partition.start + partition.length) * anchor.block_size)
        if primary is not None:
            break
    if primary is None:
        return None
    return Identity(
        structure="UDF",
        label=label,
        size=size,
        volume_set=osta.label(primary.volume_set),
        system=implementation,
        preparer=_entity(primary.implementation),
        application=_entity(primary.application),
        created_ns=nanoseconds(primary.recorded) or None,
    )


def _entity(identifier: bytes) -> str:
    """The name in an entity identifier (ECMA-167 1/7.4)."""
    return identifier.partition(b"\0")[0].decode("latin-1").strip()
