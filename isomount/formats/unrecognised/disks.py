"""Disks with partitions, none of which holds an image."""

from isomount.blocks import Reader
from isomount.formats.disc.hfs import hfs_volumes
from isomount.formats.disc.partitions import Table, read_partitions

_SHOWN_AT_MOST = 4


def whole_disk(reader: Reader) -> str | None:
    """What is on a disk that has a partition table."""
    found = read_partitions(reader)
    if not found:
        return None
    volumes = hfs_volumes(reader)
    if volumes:
        volume = volumes[0]
        return (
            f"is a disc of a Mac: {volume.words}, which isomount does not read; "
            "unpack it with: 7z x {name}"
        )
    kinds = ", ".join(dict.fromkeys(each.kind or each.type_id for each in found[:_SHOWN_AT_MOST]))
    tables = {each.table for each in found}
    if Table.APPLE in tables:
        return f"is a disc of a Mac (Apple partition map: {kinds}); unpack it with: 7z x {{name}}"
    table = Table.GPT if Table.GPT in tables else Table.MBR
    return (
        f"is a disk with partitions ({table.value}: {kinds}), and no disc image in them; "
        "attach it with: udisksctl loop-setup -r -f {name}"
    )
