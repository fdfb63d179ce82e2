"""BlindWrite 5 to 7 (.b5t, .b6t): a table of contents; the sectors are in .b5i, .b6i and others.

Two lists tell of the disc: data blocks (which sectors are where in which file) and the sessions
with their tracks. Numbers have their lowest byte first. Tables of version 4 (.bwt) are refused.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from isomount.containers.base import Surroundings, closed_on_failure
from isomount.containers.discs.assembled import (
    assemble,
    catalog,
    flags,
    known_size,
    limited,
    texts,
)
from isomount.containers.discs.cdtext import Texts
from isomount.containers.discs.cursor import Cursor
from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.containers.discs.files import DataFiles
from isomount.containers.discs.msf import lba
from isomount.containers.discs.renamed import opened
from isomount.errors import DamagedImageError, NotAnImageError
from isomount.sources import Source

_SIGNATURE = b"BWT5 STREAM SIGN"
# Medium, sessions, whether there is a catalogue number, it; how long PMA, ATIP, CD-Text and the
# information about a CD are, then BCA, structures and information of a DVD.
_DISC = struct.Struct("<32xHH12xB13s18xHHHHI12xII")
# What is of the drive and the volume.
_IDENTIFIERS = 32 + 48 + 32
# How long a mode page, something unknown, data blocks, sessions and the timing are.
_LENGTHS = struct.Struct("<III8x")
_CD = (0x08, 0x09, 0x0A)
_BLOCK = struct.Struct("<II16xI12xiiI")
_BLOCKS_AT_MOST = 1000
_SESSION = struct.Struct("<HBxiiHH")
# Type, control, point; its address; pregap, first sector, sectors.
_TRACK = struct.Struct("<B9xBxB5xBBBxI16xii14x")
_NO_TRACK, _DVD_TRACK = 0, 6
# More of a track that is on a CD.
_CD_TRACK_MORE = 8
_MODES = {1: Mode.AUDIO, 2: Mode.MODE1, 6: Mode.MODE1}
_DVD_SECTOR = 2048
_NAME_AT_MOST = 2048


class _Block(NamedTuple):
    """Sectors side by side in the file ``name``."""

    lba: int
    sectors: int
    offset: int
    stride: int
    name: str


class _Head(NamedTuple):
    """What is before the two lists."""

    sessions: int
    number: str
    said: Texts
    is_cd: bool


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc that a .b5t or .b6t describes.

    Raises NotAnImageError for version 4, DamagedImageError or ImageUnreadableError.
    """
    if not file.read_at(0, len(_SIGNATURE)).startswith(_SIGNATURE):
        raise NotAnImageError(
            f"{file.name}: is the table of contents of a BlindWrite 4 image, which is not read; "
            "name the .bwi beside it instead, which holds the sectors"
        )
    cursor = Cursor(file, len(_SIGNATURE))
    head = _head(cursor)
    blocks = list(_blocks(file, cursor, head.is_cd))
    tracks = limited(file.name, _sessions(cursor, head.sessions))
    files = DataFiles(file, surroundings, [block.name for block in blocks])
    with closed_on_failure(files):
        runs = list(_runs(file, files, blocks, tracks))
        return assemble(
            "BlindWrite image (B5T, B6T)",
            file,
            tracks,
            runs,
            number=head.number,
            said=head.said,
            files=files.opened,
        )


def _head(cursor: Cursor) -> _Head:
    fields = cursor.unpack(_DISC)
    medium, sessions, has_number, number, pma, atip, text, about_cd, *about_dvd = fields
    bca, structures, about = about_dvd
    cursor.skip(_IDENTIFIERS)
    page, unknown, _ = cursor.unpack(_LENGTHS)
    cursor.skip(page + unknown + pma + atip)
    said = texts(cursor.read(text))
    is_cd = medium in _CD
    cursor.skip(bca + structures + (about_cd if is_cd else about))
    return _Head(sessions, catalog(number) if has_number else "", said, is_cd)


def _blocks(file: Source, cursor: Cursor, is_cd: bool) -> Iterator[_Block]:
    count = cursor.number(4)
    if count > _BLOCKS_AT_MOST:
        raise DamagedImageError(
            f"{file.name}: lists {count} blocks of data, so it is damaged; copy it again"
        )
    cursor.skip(cursor.number(4))  # the drive's path
    for _ in range(count):
        _, length, offset, first, sectors, size = cursor.unpack(_BLOCK)
        name = cursor.read(min(size, _NAME_AT_MOST)).decode("utf-16-le", "replace")
        cursor.skip(max(0, size - _NAME_AT_MOST) + 4)
        if sectors > 0:
            # More than 4 GiB of a DVD do not fit the length.
            stride = length // sectors if is_cd else _DVD_SECTOR
            yield _Block(first, sectors, offset, stride, name.partition("\0")[0])


def _sessions(cursor: Cursor, count: int) -> Iterator[Track]:
    for _ in range(count):
        session, entries, _, _, _, _ = cursor.unpack(_SESSION)
        for _ in range(entries):
            kind, control, point, minute, second, frame, pregap, first, sectors = cursor.unpack(
                _TRACK
            )
            if kind not in (_NO_TRACK, _DVD_TRACK):
                cursor.skip(_CD_TRACK_MORE)
            if kind == _NO_TRACK:
                continue
            # The sectors begin with the pregap; the address is that of INDEX 01.
            start = lba(minute, second, frame)
            if not first <= start <= first + sectors:
                start = first + pregap
            yield Track(
                number=point,
                mode=_MODES.get(kind, Mode.MODE2),
                start=start,
                length=max(0, first + sectors - start),
                session=session,
                pregap=pregap,
                flags=flags(control),
            )


def _runs(
    file: Source, files: DataFiles, blocks: Sequence[_Block], tracks: Sequence[Track]
) -> Iterator[Run]:
    """Each block, cut where the mode changes with the track."""
    tracks = sorted(tracks, key=lambda track: track.start - track.pregap)
    starts = [track.start - track.pregap for track in tracks]
    parts = opened(file, files, [block.name for block in blocks])
    for first, sectors, offset, stride, name in blocks:
        size = known_size(file.name, stride)
        data = parts[name]
        at, end = first, first + sectors
        while at < end and tracks:
            index = max(0, bisect_right(starts, at) - 1)
            following = starts[index + 1] if index + 1 < len(starts) else end
            until = min(end, following) if following > at else end
            place = offset + (at - first) * stride
            yield Run(at, until - at, data, place, size, stride, tracks[index].mode)
            at = until
