"""GDI (.gdi): the tracks of a GD-ROM, one file each.

The first line is how many there are; each further one is number, LBA, control, sector size, file
name and the byte that it begins at there. No pregap is stored.
"""

import re
from itertools import pairwise
from typing import NamedTuple

from isomount.containers.base import OtherKindError, Surroundings, closed_on_failure
from isomount.containers.discs.cue_sheet import HIGH_DENSITY, TRACKS_AT_MOST
from isomount.containers.discs.disc import Disc, Mode, Track
from isomount.containers.discs.files import AUDIO_ENDINGS, DATA_ENDINGS, DataFiles
from isomount.containers.discs.plan import Piece, Plan, disc_of
from isomount.containers.discs.stored import RAW, Stored, as_stored
from isomount.containers.discs.text import read_sheet
from isomount.errors import DamagedImageError, MissingImageError
from isomount.sources import Source

_LINE = re.compile(
    r"(\d{1,2})\s+(\d{1,7})\s+(\d{1,2})\s+(\d{1,4})\s+(.+?)(?:\s+(\d{1,15}))?", re.ASCII
)
_SIZES = {size: Stored(size, size) for size in (2048, 2324, 2336, RAW)} | {
    RAW + 96: Stored(RAW, RAW + 96)
}
# The bit of the control field (ECMA-130 22.3.1) that only data tracks have.
_DATA = 4


class _Line(NamedTuple):
    """A track as it is listed, in line ``line``."""

    line: int
    number: int
    lba: int
    is_data: bool
    stored: Stored
    name: str
    offset: int


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc that a GDI file lists.

    Raises OtherKindError, DamagedImageError or ImageUnreadableError.
    """
    listed = parse(file.name, read_sheet(file, surroundings.siblings))
    files = DataFiles(file, surroundings, [each.name for each in listed])
    with closed_on_failure(files):
        plans = [_plan(each, files) for each in listed]
        return disc_of("GDI file", file, plans, files)


def parse(name: str, lines: list[str]) -> list[_Line]:
    """The tracks that the sheet ``name`` lists.

    Raises OtherKindError if it does not begin with a number, DamagedImageError with the line.
    """
    said = [
        (number, line.strip()) for number, line in enumerate(lines, 1) if line.strip(" \t\ufeff")
    ]
    count = said[0][1].lstrip("\ufeff") if said else ""
    if not re.fullmatch("[0-9]{1,2}", count):
        raise OtherKindError
    listed = [_parse_line(name, number, line) for number, line in said[1 : int(count) + 1]]
    if not listed or len(listed) < int(count):
        raise DamagedImageError(
            f"{name}: lists {len(listed)} tracks, but says that they are {int(count)}; "
            "it was cut off: copy it again"
        )
    for track, following in pairwise(listed):
        if following.lba <= track.lba:
            raise DamagedImageError(
                f"{name}: line {following.line}: sector {following.lba} is not after {track.lba}, "
                "where the track before begins; correct it there"
            )
    return listed


def _parse_line(name: str, number: int, line: str) -> _Line:
    found = _LINE.fullmatch(line)
    if found is None:
        raise DamagedImageError(
            f'{name}: line {number}: "{line[:60]}" is no track (number, sector, control, sector '
            "size, file, offset); correct it there"
        )
    track, lba, control, size = (int(each) for each in found.groups()[:4])
    if size not in _SIZES or not 1 <= track <= TRACKS_AT_MOST:
        wrong = f"{size} bytes a sector" if size not in _SIZES else f"track number {track}"
        raise DamagedImageError(f"{name}: line {number}: no disc has {wrong}; correct it there")
    file = found[5].strip('"')
    return _Line(number, track, lba, bool(control & _DATA), _SIZES[size], file, int(found[6] or 0))


def _plan(line: _Line, files: DataFiles) -> Plan:
    mode = Mode.MODE1 if line.is_data else Mode.AUDIO
    session = 2 if line.lba >= HIGH_DENSITY else 1
    track = Track(line.number, mode, start=0, length=0)
    try:
        source = files.open(line.name, DATA_ENDINGS if line.is_data else AUDIO_ENDINGS)
    except MissingImageError:
        if line.is_data:
            raise
        return Plan(track, (), session=session, start=line.lba, is_measured=False)
    stored = as_stored(source, line.offset, line.stored) if line.is_data else line.stored
    count = max(0, -(-(source.size - line.offset) // stored.stride))
    piece = Piece(count, source, line.offset, stored)
    return Plan(track, (piece,), session=session, start=line.lba)
