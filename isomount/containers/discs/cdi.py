"""DiscJuggler (.cdi): the sectors of all tracks one after the other, then a list of the tracks.

The file ends with the list's version and place. Versions differ in which fields there are; what is
between those that are known here is skipped. Numbers have their lowest byte first. Pregaps are
stored.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.discs.assembled import assemble, catalog, flags, isrc, limited, texts
from isomount.containers.discs.cdtext import Texts
from isomount.containers.discs.cursor import Cursor
from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.containers.discs.msf import LEAD
from isomount.containers.discs.placing import proven
from isomount.containers.recognise import is_plain
from isomount.errors import DamagedImageError
from isomount.sources import Source

_TRAILER = struct.Struct("<II")
_V2, _V3, _V4 = 0x80000004, 0x80000005, 0x80000006
_VERSIONS = {_V2: "2", _V3: "3", _V4: "3.5 or 4"}
# What begins every track and the disc's own part.
_MARK = bytes.fromhex("000001000000ffffffff") * 2
# Where this follows a name, 8 bytes of DiscJuggler 4 follow it.
_HAS_CAPACITY = 0x80000000
# Where this follows a track, 78 bytes follow it.
_HAS_MORE = 0xFFFFFFFF
_CD_TEXT_FIELDS = 18
_TEXTS_AT_MOST = 8
_INDEXES = range(2, 101)
_SESSIONS_AT_MOST = 99
_MODES = {0: Mode.AUDIO, 1: Mode.MODE1, 2: Mode.MODE2}
# What is stored of a sector, and with its subchannel, by the size's code.
_SIZES = {0: (2048, 2048), 1: (2336, 2336), 2: (2352, 2352), 3: (2352, 2368), 4: (2352, 2448)}
# Mode, session, number; LBA, sectors with the pregap; size code, control, recording code and
# whether it is one.
_TRACK = struct.Struct("<I4xII II16xII9x12sI")


class _Laid(NamedTuple):
    """A track with what is stored of it."""

    track: Track
    run: Run


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc in a DiscJuggler image.

    Raises OtherKindError or DamagedImageError.
    """
    trailer = file.read_at(max(0, file.size - _TRAILER.size), _TRAILER.size)
    if len(trailer) < _TRAILER.size:
        raise OtherKindError
    version, place = _TRAILER.unpack(trailer)
    end = file.size - _TRAILER.size
    at = file.size - place if version == _V4 else place
    if version not in _VERSIONS or not 0 <= at < end:
        raise OtherKindError  # four bytes alone are there by chance
    tracks = _Tracks(file, Cursor(file, at, end), version)
    try:
        laid = limited(file.name, tracks.sessions())
    except DamagedImageError as error:
        if is_plain(file):
            raise OtherKindError from None
        raise DamagedImageError(
            f"{file.name}: is a DiscJuggler image of version {_VERSIONS[version]} whose list of "
            f"tracks at byte {at} is damaged or of an unknown form; CDEmu may open it"
        ) from error
    number, said = tracks.disc()
    return assemble(
        "DiscJuggler image (CDI)",
        file,
        [each.track for each in laid],
        [each.run for each in laid],
        number=number,
        said=said,
    )


class _Tracks:
    """The list of tracks, read in its order."""

    def __init__(self, file: Source, cursor: Cursor, version: int) -> None:
        self._file = file
        self._cursor = cursor
        self._version = version
        self._offset = 0  # where the next track is stored

    def sessions(self) -> Iterator[_Laid]:
        """The tracks of all sessions. Raises DamagedImageError."""
        number = 0
        sessions = self._cursor.number(2)
        if not 0 < sessions <= _SESSIONS_AT_MOST:
            raise DamagedImageError("the number of sessions is impossible")
        for session in range(1, sessions + 1):
            for _ in range(self._cursor.number(2)):
                number += 1
                yield self._track(number, session)
            self._cursor.skip(12 if self._version == _V2 else 13)

    def disc(self) -> tuple[str, Texts]:
        """The catalogue number and the CD-Text, behind all sessions; nothing if not found there."""
        number = ""
        said: Texts = {}
        with suppress(DamagedImageError):
            cursor = self._cursor
            cursor.skip(2)  # a session without tracks
            if self._head() and self._version == _V4:
                cursor.skip(4)
                cursor.skip(cursor.number(1))  # the volume's name
                cursor.skip(9)
                field = cursor.read(13)
                number = catalog(field) if cursor.number(4) else ""
                said = texts(cursor.read(cursor.number(4)))
        return number, said

    def _head(self) -> bool:
        """Skip what begins each part. Returns whether it has the fields of DiscJuggler 4."""
        cursor = self._cursor
        if cursor.number(4):
            cursor.skip(8)
        if cursor.read(len(_MARK)) != _MARK:
            raise DamagedImageError("the mark of a track is missing")
        cursor.skip(4)
        cursor.skip(cursor.number(1))  # the name of a file, in any encoding
        cursor.skip(19)
        if cursor.number(4) != _HAS_CAPACITY:
            return False
        cursor.skip(8)
        return True

    def _track(self, number: int, session: int) -> _Laid:
        cursor = self._cursor
        self._head()
        indexes = cursor.number(2)
        lengths = [cursor.number(4) for _ in range(indexes if indexes in _INDEXES else 2)]
        self._skip_texts(cursor.number(4))
        cursor.skip(2)
        mode, _, _, said, total, size, control, code, has_code = cursor.unpack(_TRACK)
        if self._version != _V2:
            cursor.skip(5)
            if cursor.number(4) == _HAS_MORE:
                cursor.skip(78)
        if mode not in _MODES or size not in _SIZES:
            raise DamagedImageError("the mode of a track is unknown")
        stored, stride = _SIZES[size]
        pregap = min(lengths[0], total)
        at = self._offset + pregap * stride
        run = Run(said, total - pregap, self._file, at, stored, stride, _MODES[mode])
        self._offset += total * stride
        # LBAs here count from two seconds before LBA 0, and from the pregap.
        start = proven((said + pregap - LEAD, said, said + pregap), run)
        track = Track(
            number=number,
            mode=run.mode,
            start=start,
            length=run.sectors,
            session=session,
            pregap=pregap,
            indexes=tuple(_after(start, lengths[1:-1])),
            isrc=isrc(code) if has_code else "",
            flags=flags(control),
        )
        return _Laid(track, _with_pregap(run._replace(lba=start), pregap))

    def _skip_texts(self, count: int) -> None:
        """CD-Text of a track, which the disc's own part has as well."""
        for _ in range(count * _CD_TEXT_FIELDS if count <= _TEXTS_AT_MOST else 0):
            self._cursor.skip(self._cursor.number(1))


def _after(start: int, lengths: list[int]) -> Iterator[int]:
    """The LBAs of INDEX 02 and on, by how long the indexes before are."""
    for length in lengths:
        start += length
        yield start


def _with_pregap(run: Run, pregap: int) -> Run:
    """``run`` with the pregap that is stored before it."""
    offset = run.offset - pregap * run.stride
    return run._replace(lba=run.lba - pregap, sectors=run.sectors + pregap, offset=offset)
