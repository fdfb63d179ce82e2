"""UDF: the file system of ECMA-167 as profiled by OSTA UDF 1.02 to 2.60."""

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedDataError, DamagedImageError
from isomount.formats.options import ViewOptions
from isomount.formats.udf.recognition import find_anchors, is_recognised
from isomount.formats.udf.view import UdfView
from isomount.formats.udf.volume import load

__all__ = ["UdfView", "find"]

_SECTOR_BYTES = 2048


def find(reader: Reader, options: ViewOptions, name: str, damage: Damage) -> UdfView | None:
    """The UDF volume of the image called ``name``; None if it has none.

    Reads the volume recognition sequence and the anchors, then the volume's descriptors and the
    ICB of its root. Raises DamagedImageError if there is a UDF volume that cannot be read.
    """
    start = (options.sbsector or 0) * _SECTOR_BYTES
    if not options.novrs and not is_recognised(reader, start):
        return None
    anchors = find_anchors(reader, options)
    if not anchors and options.novrs:
        return None
    reason = "no anchor volume descriptor is found (bs=, anchor= or lastblock= can name it)"
    failed: dict[int, str] = {}
    for anchor in anchors:
        try:
            found = UdfView(reader, load(reader, anchor, damage), options, damage)
        except DamagedDataError as error:
            failed[anchor.sector * anchor.block_size] = reason = str(error)
            continue
        for at, why in failed.items():
            damage.note(at, f"an anchor leads to no volume ({why}), another one is used")
        return found
    raise DamagedImageError(f"{name}: holds a UDF file system, but {reason}")
