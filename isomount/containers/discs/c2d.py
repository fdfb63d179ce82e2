"""WinOnCD and Roxio (.c2d): a header, blocks that tell of the tracks, and their sectors.

Numbers have their lowest byte first. Compressed tracks are refused: how they are made is unknown.
"""

import struct
from collections.abc import Iterator
from shlex import quote
from typing import NamedTuple

from isomount.containers.base import Surroundings
from isomount.containers.discs.assembled import (
    assemble,
    catalog,
    isrc,
    known_size,
    limited,
    texts,
)
from isomount.containers.discs.cursor import Cursor
from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.errors import DamagedImageError, NotAnImageError
from isomount.sources import Source

# After the signature: size; whether there is a catalogue number, it; blocks, size of the CD-Text,
# where the blocks are.
_HEADER = struct.Struct("<32xHH13sxHII")
# Size; first and last sector, place, sector size, recording code; flags, session, track, index,
# mode, whether it is compressed.
_BLOCK = struct.Struct("<4xiiQI12sBBBBBBxx")
# A track with 99 indexes has as many blocks.
_BLOCKS_AT_MOST = 99 * 100
_AUDIO = (0, 0xFF)
_PRE_EMPHASIS = 2


class _Block(NamedTuple):
    first: int
    last: int
    offset: int
    stride: int
    isrc: bytes
    flags: int
    session: int
    track: int
    part: int  # the number of its INDEX
    mode: int
    is_compressed: int


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc in a WinOnCD image.

    Raises NotAnImageError if it is compressed, or DamagedImageError.
    """
    cursor = Cursor(file)
    size, has_number, number, count, text, at = cursor.unpack(_HEADER)
    if count > _BLOCKS_AT_MOST:
        raise DamagedImageError(
            f"{file.name}: is a WinOnCD image that lists {count} parts of tracks, so it is "
            "damaged; copy it again"
        )
    groups = limited(file.name, _tracks(file, at, count))
    return assemble(
        "WinOnCD image (C2D)",
        file,
        [_track(group) for group in groups],
        [run for group in groups for run in _runs(file, group)],
        number=catalog(number) if has_number else "",
        said=texts(Cursor(file, size).read(text)),
    )


def _tracks(file: Source, at: int, count: int) -> Iterator[list[_Block]]:
    """The blocks of each track: INDEX 00 if it is stored, INDEX 01 and the further ones."""
    cursor = Cursor(file, at)
    group: list[_Block] = []
    for _ in range(count):
        block = _Block(*cursor.unpack(_BLOCK))
        if block.is_compressed:
            raise NotAnImageError(
                f"{file.name}: is a compressed WinOnCD image (.c2d), a form that nobody has "
                f"described; WinOnCD opens it (CDEmu only others: cdemu load 0 {quote(file.name)})"
            )
        if group and (block.session, block.track) != (group[0].session, group[0].track):
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _main(group: list[_Block]) -> _Block:
    """INDEX 01, which tells of the track."""
    return next((block for block in group if block.part == 1), group[0])


def _mode(block: _Block) -> Mode:
    if block.mode in _AUDIO:
        return Mode.AUDIO
    return Mode.MODE1 if block.mode == 1 else Mode.MODE2


def _track(group: list[_Block]) -> Track:
    main = _main(group)
    return Track(
        number=main.track,
        mode=_mode(main),
        start=main.first,
        length=max(0, group[-1].last + 1 - main.first),
        session=main.session,
        pregap=max(0, main.first - group[0].first),
        indexes=tuple(block.first for block in group if block.part > 1),
        isrc=isrc(main.isrc),
        flags=frozenset({"PRE"} if main.flags & _PRE_EMPHASIS else ()),
    )


def _runs(file: Source, group: list[_Block]) -> Iterator[Run]:
    """What is stored of a track: further indexes have no place of their own."""
    main = _main(group)
    size, mode = known_size(file.name, main.stride), _mode(main)
    first = group[0]
    if first.part == 0 and first.stride == main.stride:
        sectors = max(0, main.first - first.first)
        yield Run(first.first, sectors, file, first.offset, size, main.stride, mode)
    sectors = max(0, group[-1].last + 1 - main.first)
    yield Run(main.first, sectors, file, main.offset, size, main.stride, mode)
