"""The tracks of a CD or a GD-ROM in a CHD file.

Frames of all tracks lie one after the other, each track filled up to a multiple of 4 frames. A
sector is at the start of its frame, whatever its size.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.containers.packed.chd.codecs import FRAME
from isomount.containers.packed.chd.metadata import Metadata
from isomount.errors import DamagedImageError
from isomount.sources import Source

_FILLED_TO = 4
_TRACKS_AT_MOST = 99
# Longer than any disc: bounds what a damaged number leads to.
_FRAMES_AT_MOST = 1 << 20
# Where the high-density area of a GD-ROM begins, with which track.
_HIGH_DENSITY, _FIRST_HIGH = 45000, 3
_GD_TAGS = (b"CHGD", b"CHGT")
_TEXT_TAGS = (b"CHT2", b"CHTR", *_GD_TAGS)
# The oldest form: the number of tracks, then as many of these. Type, type of the subchannel, bytes
# of a sector and of its subchannel, frames, frames that fill up.
_BINARY_TAG = b"CHCD"
_BINARY = "6I"
_FIELD = re.compile(rb"([A-Z]+):([A-Z0-9_/]+)")


class _Sectors(NamedTuple):
    """What a type of track says of its sectors: their mode, and the bytes of each."""

    mode: Mode
    size: int


# In the order of their numbers in the oldest form.
_TYPES = {
    b"MODE1": _Sectors(Mode.MODE1, 2048),
    b"MODE1_RAW": _Sectors(Mode.MODE1, 2352),
    b"MODE2": _Sectors(Mode.MODE2, 2336),
    b"MODE2_FORM1": _Sectors(Mode.MODE2, 2048),
    b"MODE2_FORM2": _Sectors(Mode.MODE2, 2324),
    b"MODE2_FORM_MIX": _Sectors(Mode.MODE2, 2336),
    b"MODE2_RAW": _Sectors(Mode.MODE2, 2352),
    b"AUDIO": _Sectors(Mode.AUDIO, 2352),
}
_BY_NUMBER = tuple(_TYPES.values())
# As some writers spell them.
_OTHER_NAMES = {
    b"MODE1/2048": b"MODE1",
    b"MODE1/2352": b"MODE1_RAW",
    b"MODE2/2336": b"MODE2",
    b"MODE2/2048": b"MODE2_FORM1",
    b"MODE2/2324": b"MODE2_FORM2",
    b"MODE2/2352": b"MODE2_RAW",
    b"CDI/2336": b"MODE2",
    b"CDI/2352": b"MODE2_RAW",
}


class Listed(NamedTuple):
    """A track as it is listed. Of ``frames``, ``pad`` at the end hold nothing, and ``stored``
    at the start are its pregap; ``pregap`` and ``postgap`` sectors are on the disc alone."""

    number: int
    sectors: _Sectors
    frames: int
    pad: int = 0
    stored: int = 0
    pregap: int = 0
    postgap: int = 0
    is_gd: bool = False


def read_tracks(name: str, entries: Iterable[Metadata]) -> list[Listed]:
    """The tracks that metadata list; none if it is no CD. Raises DamagedImageError."""
    tracks: list[Listed] = []
    for tag, data in entries:
        if tag in _TEXT_TAGS:
            tracks.append(_from_text(name, tag, data))
        elif tag == _BINARY_TAG:
            tracks += _from_binary(name, data)
        if len(tracks) > _TRACKS_AT_MOST:
            raise _damaged(name, f"it lists more than {_TRACKS_AT_MOST} tracks")
    return tracks


def disc_of(name: str, tracks: Iterable[Listed], content: Source) -> Disc:
    """The disc with ``tracks``, whose frames are in ``content``, which it closes.

    Raises DamagedImageError if there are no frames.
    """
    placed = list(_placed(tracks, content))
    runs = tuple(run for _, run in placed if run.sectors > 0)
    if not runs:
        raise _damaged(name, "its tracks have no sectors")
    kind = "CHD file"
    return Disc(kind, tuple(track for track, _ in placed), runs, files=(content,))


def _placed(tracks: Iterable[Listed], content: Source) -> Iterator[tuple[Track, Run]]:
    """Each track, and where it is: what is on the disc alone has addresses, but no frames."""
    there = content.size // FRAME
    lba = frame = 0
    for index, each in enumerate(tracks):
        if index == 0:  # LBA 0 is where the first track begins, behind any pregap
            lba = -each.stored
        else:
            lba += each.pregap
        is_high = each.is_gd and each.number >= _FIRST_HIGH
        if is_high:
            lba = max(lba, _HIGH_DENSITY)
        first = max(0, -lba)
        data = min(each.frames - each.pad, there - frame)
        yield (
            Track(
                number=each.number,
                mode=each.sectors.mode,
                start=lba + each.stored,
                length=each.frames - each.pad - each.stored,
                session=2 if is_high else 1,
                pregap=each.stored + each.pregap,
            ),
            Run(
                lba=lba + first,
                sectors=data - first,
                file=content,
                offset=(frame + first) * FRAME,
                size=each.sectors.size,
                stride=FRAME,
                mode=each.sectors.mode,
                is_big_endian=each.sectors.mode is Mode.AUDIO,
            ),
        )
        lba += each.frames + each.postgap
        frame += -(-each.frames // _FILLED_TO) * _FILLED_TO


def _from_text(name: str, tag: bytes, data: bytes) -> Listed:
    """TRACK:1 TYPE:MODE1_RAW SUBTYPE:NONE FRAMES:450 ..."""
    fields: dict[bytes, bytes] = dict(_FIELD.findall(data))
    kind: bytes = fields.get(b"TYPE", b"")
    sectors = _TYPES.get(_OTHER_NAMES.get(kind, kind))
    if sectors is None:
        raise _damaged(name, f"a track is of the type {kind!r}, which is not known")
    frames = _number(name, fields, b"FRAMES")
    pregap = _number(name, fields, b"PREGAP")
    is_stored = fields.get(b"PGTYPE", b"").startswith(b"V")
    listed = Listed(
        number=_number(name, fields, b"TRACK"),
        sectors=sectors,
        frames=frames,
        pad=_number(name, fields, b"PAD"),
        stored=pregap if is_stored else 0,
        pregap=0 if is_stored else pregap,
        postgap=_number(name, fields, b"POSTGAP"),
        is_gd=tag in _GD_TAGS,
    )
    if listed.pad + listed.stored > frames:
        raise _damaged(name, "the pregap of a track is longer than the track")
    return listed


def _number(name: str, fields: dict[bytes, bytes], key: bytes) -> int:
    """A number of a text, 0 if it is not there: older writers have fewer."""
    digits = fields.get(key, b"0")
    if not digits.isdigit() or len(digits) > 10 or int(digits) > _FRAMES_AT_MOST:
        raise _damaged(name, f"a track has the {key.decode().lower()} {digits[:20]!r}")
    return int(digits)


def _from_binary(name: str, data: bytes) -> Iterator[Listed]:
    """The oldest form, in the byte order of the machine that wrote it."""
    order = ">" if int.from_bytes(data[:4]) <= _TRACKS_AT_MOST else "<"
    entry = struct.Struct(order + _BINARY)
    count = struct.unpack(order + "I", data[:4])[0] if len(data) >= 4 else 0
    if count > _TRACKS_AT_MOST or 4 + count * entry.size > len(data):
        raise _damaged(name, "its list of tracks is cut off")
    for index in range(count):
        kind, _, _, _, frames, _ = entry.unpack_from(data, 4 + index * entry.size)
        if kind >= len(_BY_NUMBER) or frames > _FRAMES_AT_MOST:
            raise _damaged(name, f"track {index + 1} is of no known type")
        yield Listed(index + 1, _BY_NUMBER[kind], frames)


def _damaged(name: str, what: str) -> DamagedImageError:
    return DamagedImageError(f"{name}: the tracks of the CHD file are damaged: {what}")
