"""Recognising UDF: the volume recognition sequence, the sector size and the anchors."""

from collections.abc import Iterator
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.formats.options import ViewOptions
from isomount.formats.udf.structures import ANCHOR, ANCHOR_POINTER, TAG, AnchorPointer
from isomount.formats.udf.tags import Soundness, soundness

# Most likely first.
SECTOR_SIZES = (2048, 512, 4096, 1024, 8192, 16384, 32768)
_RECOGNITION_START = 32768
_STRUCTURE_SIZE = 2048
_STRUCTURES_AT_MOST = 128
_NSR = (b"NSR02", b"NSR03")
# Other identifiers allowed in the sequence; any other one ends it.
_OTHERS = (b"BEA01", b"CD001", b"CDW02", b"BOOT2", b"TEA01")
_ANCHOR_SECTORS = (256, 512)
# How many sectors may follow the last one of the volume: run-out and padding.
_TRAILING = (0, 1, 2, 150, 152)
_SECTOR_BYTES = 2048


class Anchor(NamedTuple):
    """An anchor volume descriptor pointer that was found in sector ``sector``."""

    block_size: int
    sector: int
    last_sector: int
    pointer: AnchorPointer


def is_recognised(reader: Reader, start: int) -> bool:
    """Whether the volume recognition sequence of the session at byte ``start`` names NSR.

    A structure lies in each sector, or in each 2048 bytes where sectors are smaller (ECMA-167
    2/8.4, 3/9.1).
    """
    for step in (_STRUCTURE_SIZE, 4096, 8192, 16384, 32768):
        for number in range(_STRUCTURES_AT_MOST):
            identifier = reader.read(start + _RECOGNITION_START + number * step, 6)[1:]
            if identifier in _NSR:
                return True
            if identifier not in _OTHERS:
                break
    return False


def find_anchors(reader: Reader, options: ViewOptions) -> list[Anchor]:
    """The anchors that may lead to the volume asked for, the best one first, no two of one volume.

    Without a sector in ``options`` that is the last session's: its descriptors lie farthest on.
    """
    start = (options.sbsector or 0) * _SECTOR_BYTES
    found: dict[AnchorPointer, Anchor] = {}
    for size in _sizes(options):
        found |= {anchor.pointer: anchor for anchor in _anchors(reader, options, size, start)}
        if found:
            break  # the tag confirmed the size; to look where others lead would be far to read
    if options.sbsector is not None:
        return list(found.values())
    return sorted(
        found.values(),
        key=lambda anchor: anchor.pointer.main_location * anchor.block_size,
        reverse=True,
    )


def _sizes(options: ViewOptions) -> tuple[int, ...]:
    if options.bs is None:
        return SECTOR_SIZES
    return (options.bs,) if options.bs in SECTOR_SIZES else ()


def _anchors(reader: Reader, options: ViewOptions, size: int, start: int) -> Iterator[Anchor]:
    """The anchors with that sector size where they may be (ECMA-167 3/8.4.2.1, UDF 2.2.3)."""
    last = reader.size // size - 1 if options.lastblock is None else options.lastblock
    first = start // size
    if options.anchor is not None:
        sectors = [options.anchor]
    else:
        sectors = [first + sector for sector in _ANCHOR_SECTORS]
        if not start:
            for end in (last - gap for gap in _TRAILING):
                sectors += [end, end - 256]
    for sector in sectors:
        anchor = _anchor_at(reader, size, sector, last)
        if anchor is not None:
            yield anchor


def _anchor_at(reader: Reader, size: int, sector: int, last: int) -> Anchor | None:
    """The anchor in that sector. The tag location in it confirms the sector size."""
    if sector <= 0:
        return None
    data = reader.read(sector * size, 512)
    if len(data) < 512 or TAG.parse(data).location != sector:
        return None
    if soundness(data, (ANCHOR,)) is Soundness.BAD:
        return None
    return Anchor(size, sector, last, ANCHOR_POINTER.parse(data))


def session_anchors(reader: Reader, session: int) -> list[Anchor]:
    """The anchors of the session that starts at that 2048-byte sector, if they are its own."""
    last = reader.size // _SECTOR_BYTES - 1
    found = (
        _anchor_at(reader, _SECTOR_BYTES, session + sector, last) for sector in _ANCHOR_SECTORS
    )
    return [anchor for anchor in found if anchor is not None]


def anchor_displacement(reader: Reader) -> int:
    """How many sectors too near to the image's start the anchor at sector 256 stands; else 0.

    That is so where a later session was stored without what comes before it on the disc. An anchor
    that is in its place counted in sectors of another size, as the last one of a small volume of
    512-byte sectors can be, is not displaced.
    """
    for sector in _ANCHOR_SECTORS:
        start = sector * _SECTOR_BYTES
        data = reader.read(start, 512)
        if soundness(data, (ANCHOR,)) is Soundness.SOUND:
            location = TAG.parse(data).location
            if any(location * size == start for size in SECTOR_SIZES):
                return 0
            return max(0, location - sector)
    return 0
