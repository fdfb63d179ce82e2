"""Nero (.nrg): sectors, then chunks that tell of them, then where the first chunk is.

Version 1 has 32-bit places and ends with "NERO", version 2 has 64-bit places and ends with "NER5".
All numbers but the length in a DAO chunk have their highest byte first. Of a disc written at once
(DAO) pregaps are stored, that of the first track included; of one written track by track (TAO) they
are not.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.discs.assembled import (
    IS_DATA,
    assemble,
    catalog,
    flags,
    isrc,
    limited,
    size_in,
    texts,
)
from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.containers.discs.msf import LEAD, lba
from isomount.containers.discs.placing import proven
from isomount.containers.recognise import is_plain
from isomount.errors import DamagedImageError
from isomount.sources import Source

_CHUNK = struct.Struct(">4sI")
_END = b"END!"
_CHUNKS_AT_MOST = 1024
# Of those that are read, all together: 99 tracks with 99 indexes each take 80 KB.
_READ_AT_MOST = 1 << 18
_READ = (b"CUEX", b"CUES", b"DAOX", b"DAOI", b"ETN2", b"ETNF", b"CDTX")
# Control and address, track, index (both in two decimal digits), LBA or minute, second, frame.
_CUE = struct.Struct(">BBBxi")
_CUE_V1 = struct.Struct(">BBBxxBBB")
_LEAD_OUT = 0xAA
# Length, catalogue number, type of the table of contents, first and last track.
_DAO_HEADER = struct.Struct(">4x14s2xBB")
# Recording code, sector size, mode; where the pregap, the track and what follows begin.
_DAO = struct.Struct(">12sHB3xQQQ")
_DAO_V1 = struct.Struct(">12sHB3xIII")
# Place, length, mode, LBA.
_ETN = struct.Struct(">QQII8x")
_ETN_V1 = struct.Struct(">IIII4x")

_MODES = {
    0: (Mode.MODE1, 2048),
    2: (Mode.MODE2, 2048),
    3: (Mode.MODE2, 2336),
    5: (Mode.MODE1, 2352),
    6: (Mode.MODE2, 2352),
    7: (Mode.AUDIO, 2352),
    0x0F: (Mode.MODE1, 2448),
    0x10: (Mode.AUDIO, 2448),
    0x11: (Mode.MODE2, 2448),
}


class _Chunk(NamedTuple):
    name: bytes
    body: bytes


class _Point(NamedTuple):
    """An entry of a cue chunk."""

    control: int
    lba: int


# By track and index.
_Points = dict[int, dict[int, _Point]]


class _Laid(NamedTuple):
    """A track with what is stored of it."""

    track: Track
    run: Run


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc in a Nero image.

    Raises OtherKindError or DamagedImageError.
    """
    chunks = list(_chunks(file))
    try:
        laid = limited(file.name, _sessions(chunks, file))
        numbers = (each.body for each in chunks if each.name in (b"DAOX", b"DAOI"))
        found = filter(None, (catalog(body[4:17]) for body in numbers))
        return assemble(
            "Nero image (NRG)",
            file,
            [each.track for each in laid],
            [each.run for each in laid],
            number=next(found, ""),
            said=texts(b"".join(each.body for each in chunks if each.name == b"CDTX")),
        )
    except DamagedImageError:
        if is_plain(file):  # the tracks are lost, the image is not
            raise OtherKindError from None
        raise


def _chunks(file: Source) -> Iterator[_Chunk]:
    """All chunks, as far as they lead."""
    at, end = _first(file)
    left = _READ_AT_MOST
    for _ in range(_CHUNKS_AT_MOST):
        head = file.read_at(at, _CHUNK.size) if at + _CHUNK.size <= end else b""
        if len(head) < _CHUNK.size:
            return
        name, length = _CHUNK.unpack(head)
        at += _CHUNK.size
        if name == _END or length > end - at:
            return
        if name in _READ and length <= left:
            yield _Chunk(name, file.read_at(at, length))
            left -= length
        at += length


def _first(file: Source) -> tuple[int, int]:
    """Where the chunks begin and end."""
    tail = file.read_at(max(0, file.size - 12), 12)
    if tail.startswith(b"NER5") and len(tail) == 12:
        at, end = int.from_bytes(tail[4:], "big"), file.size - 12
    elif tail[-8:-4] == b"NERO":
        at, end = int.from_bytes(tail[-4:], "big"), file.size - 8
    else:
        raise OtherKindError
    if at + _CHUNK.size > end:
        if is_plain(file):
            raise OtherKindError
        raise DamagedImageError(
            f"{file.name}: is a Nero image whose list of tracks should be at byte {at} and is not; "
            "it is cut off or damaged; copy it again"
        )
    return at, end


def _sessions(chunks: Sequence[_Chunk], file: Source) -> Iterator[_Laid]:
    """The tracks of all sessions: each has a chunk for TAO, or one for DAO behind one of cues."""
    session, number, end = 0, 0, -LEAD
    points: _Points = {}
    for name, body in chunks:
        if name in (b"CUEX", b"CUES"):
            points = _points(body, _CUE_V1 if name == b"CUES" else _CUE)
            continue
        if name in (b"DAOX", b"DAOI"):
            layout = _DAO_V1 if name == b"DAOI" else _DAO
            tracks = _at_once(file, body, layout, points, end)
        elif name in (b"ETN2", b"ETNF"):
            layout = _ETN_V1 if name == b"ETNF" else _ETN
            tracks = _by_track(file, body, layout, number + 1, end)
        else:
            continue
        session += 1
        for track, run in tracks:
            yield _Laid(replace(track, session=session), run)
            number, end = track.number, run.end


def _points(body: bytes, layout: struct.Struct) -> _Points:
    points: _Points = {}
    for control, track, index, *place in _entries(body, layout):
        if track != _LEAD_OUT:
            at = place[0] if len(place) == 1 else lba(*place)
            points.setdefault(_decimal(track), {})[_decimal(index)] = _Point(control >> 4, at)
    return points


def _entries(body: bytes, layout: struct.Struct) -> Iterator[tuple[Any, ...]]:
    """The entries of a chunk; a part of one at its end is none."""
    return layout.iter_unpack(body[: len(body) // layout.size * layout.size])


def _decimal(byte: int) -> int:
    return (byte >> 4) * 10 + (byte & 15)


def _at_once(
    file: Source, body: bytes, layout: struct.Struct, points: _Points, end: int
) -> Iterator[_Laid]:
    """The tracks of a session written at once, where the one before ended at ``end``."""
    header, body = body[: _DAO_HEADER.size], body[_DAO_HEADER.size :]
    first = _DAO_HEADER.unpack(header)[1] if len(header) == _DAO_HEADER.size else 1
    for number, entry in enumerate(_entries(body, layout), first or 1):
        code, said, mode_code, pregap_at, at, end_at = entry
        own = points.get(number, {})
        known = own.get(1)
        control = known.control if known else 0
        mode, stride = _mode(mode_code, said, control)
        if not pregap_at <= at <= end_at:
            raise DamagedImageError(
                f"{file.name}: is a Nero image in which track {number} ends before it begins: "
                "it is damaged; copy it again"
            )
        before, length = (at - pregap_at) // stride, (end_at - at) // stride
        start = known.lba if known else end + before
        end = start + length
        track = Track(
            number=number,
            mode=mode,
            start=start,
            length=length,
            pregap=max(0, start - own[0].lba) if 0 in own else before,
            indexes=tuple(sorted(point.lba for index, point in own.items() if index > 1)),
            isrc=isrc(code),
            flags=flags(control),
        )
        size, offset = size_in(stride) or stride, at - before * stride
        yield _Laid(track, Run(start - before, before + length, file, offset, size, stride, mode))


def _by_track(
    file: Source, body: bytes, layout: struct.Struct, first: int, end: int
) -> Iterator[_Laid]:
    """The tracks of a session written track by track, from the number ``first`` on."""
    for number, entry in enumerate(_entries(body, layout), first):
        offset, length, mode_code, said = entry
        mode, stride = _mode(mode_code)
        size = size_in(stride) or stride
        run = Run(said, length // stride, file, offset, size, stride, mode)
        start = _place(said, end, run)
        pregap = LEAD if number == first else max(0, min(LEAD, start - end))
        end = start + run.sectors
        track = Track(number, mode, start, run.sectors, pregap=pregap)
        yield _Laid(track, run._replace(lba=start))


def _place(said: int, end: int, run: Run) -> int:
    """Where a track begins after ``end``: as is said of it, unless that is not after it."""
    # Some writers count from the pregap, or from two seconds before the disc's LBA 0.
    likely = [start for start in (said, said + LEAD, said - LEAD) if start >= end]
    return proven([*likely, end + LEAD], run)


def _mode(code: int, said: int = 0, control: int = 0) -> tuple[Mode, int]:
    """A track's mode, and how many bytes a sector has, unless a possible number of them is said."""
    stride = said if size_in(said) else 0
    if code in _MODES:
        mode, usual = _MODES[code]
        return mode, stride or usual
    return (Mode.MODE1 if control & IS_DATA else Mode.AUDIO), stride or 2352
