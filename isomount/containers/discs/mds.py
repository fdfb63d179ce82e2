"""Alcohol 120% (.mds and .mdf): a table of contents, and the sectors in a file or several.

Version 1 alone is readable: version 2, and .mdx which holds both, are encrypted always. All numbers
have their lowest byte first. A track's pregap is not stored.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote

from isomount.containers.base import Surroundings, closed_on_failure
from isomount.containers.discs.assembled import assemble, flags, known_size, limited
from isomount.containers.discs.cursor import Cursor
from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.containers.discs.files import DataFiles
from isomount.containers.discs.joined import JoinedSource
from isomount.containers.discs.renamed import opened
from isomount.errors import DamagedImageError, NotAnImageError
from isomount.sources import Source

# After the signature: version, medium, sessions; where the blocks of the sessions are.
_HEADER = struct.Struct("<16xBxHH58xI4x")
_VERSION = 1
# Media of this number and above are DVDs.
_DVD = 0x10
# First and last LBA, number; blocks in all; where the blocks of the tracks are.
_SESSION = struct.Struct("<iiHBxHH4xI")
# Mode, subchannel, control; point; extra block, sector size; LBA, place in the file, files, where
# these are.
_TRACK = struct.Struct("<BxBxB7xIH18xiQII24x")
_EXTRA = struct.Struct("<II")
_FILE = struct.Struct("<II8x")
# The low bits of a track's mode.
_MODES = {1: Mode.AUDIO, 2: Mode.MODE1}
_SESSIONS_AT_MOST = 99
_POINTS = range(1, 100)
_FILES_AT_MOST = 200
_NAME_AT_MOST = 255
_USUAL_NAME = "*.mdf"


@dataclass(frozen=True)
class _Listed:
    """A track as it is listed, with the names of its files."""

    track: Track
    offset: int
    stride: int
    names: tuple[str, ...] = (_USUAL_NAME,)


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc that an .mds describes.

    Raises NotAnImageError if it is encrypted, DamagedImageError or ImageUnreadableError.
    """
    if file.read_at(16, 1) == b"\2":
        raise NotAnImageError(
            f"{file.name}: is an encrypted image of Daemon Tools (.mdx, .mds 2); "
            f"CDEmu opens it with: cdemu load 0 {quote(file.name)}"
        )
    version, medium, sessions, at = Cursor(file).unpack(_HEADER)
    if version != _VERSION or not 0 < sessions <= _SESSIONS_AT_MOST:
        raise DamagedImageError(
            f"{file.name}: is an Alcohol image of version {version} with {sessions} sessions, "
            "which is unknown or damaged; copy it again"
        )
    listed = limited(file.name, _tracks(file, at, sessions, medium >= _DVD))
    names = [name for each in listed for name in each.names]
    files = DataFiles(file, surroundings, names)
    with closed_on_failure(files):
        runs = list(_runs(file, files, listed))
        tracks = [each.track for each in listed]
        return assemble("Alcohol image (MDS)", file, tracks, runs, files=files.opened)


def _tracks(file: Source, at: int, sessions: int, is_dvd: bool) -> Iterator[_Listed]:
    """The tracks of all sessions."""
    cursor = Cursor(file, at)
    for number in range(1, sessions + 1):
        first, last, _, blocks, _, _, place = cursor.unpack(_SESSION)
        tracks = Cursor(file, place)
        for _ in range(blocks):
            fields = tracks.unpack(_TRACK)
            if fields[2] in _POINTS:
                yield _listed(file, fields, number, last - first if not is_dvd else None)


def _listed(file: Source, fields: Sequence[int], session: int, sectors: int | None) -> _Listed:
    """A track by its block; ``sectors`` are those of its session, None on a DVD."""
    mode, control, point, extra, stride, start, offset, files, place = fields
    pregap, length = 0, extra
    if sectors is not None:
        pregap, length = Cursor(file, extra).unpack(_EXTRA) if extra else (0, sectors)
    track = Track(
        number=point,
        mode=_MODES.get(mode & 7, Mode.MODE2),
        start=start,
        length=length,
        session=session,
        pregap=pregap,
        flags=flags(control),
    )
    listed = _Listed(track, offset, stride)
    if not files or not place:
        return listed
    if files > _FILES_AT_MOST:
        raise DamagedImageError(
            f"{file.name}: lists {files} files for track {point}, so it is damaged; copy it again"
        )
    blocks = Cursor(file, place)
    names = tuple(_name(file, *blocks.unpack(_FILE)) for _ in range(files))
    return _Listed(track, offset, stride, names)


def _name(file: Source, at: int, is_wide: int) -> str:
    """The name at byte ``at``, which ends with NUL, of one or two bytes a character."""
    if not at:
        return _USUAL_NAME
    width = 2 if is_wide else 1
    length = min(_NAME_AT_MOST * width, max(0, file.size - at))
    data = Cursor(file, at).read(length)
    if is_wide:
        return data.decode("utf-16-le", "replace").partition("\0")[0]
    name = data.partition(b"\0")[0]
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp1252", "replace")


def _runs(file: Source, files: DataFiles, listed: Sequence[_Listed]) -> Iterator[Run]:
    parts = opened(file, files, [name for each in listed for name in each.names])
    wholes: dict[tuple[str, ...], Source] = {}
    for track, offset, stride, names in ((x.track, x.offset, x.stride, x.names) for x in listed):
        size = known_size(file.name, stride)
        if names not in wholes:
            whole = [parts[name] for name in names]
            wholes[names] = whole[0] if len(whole) == 1 else JoinedSource(whole)
        yield Run(track.start, track.length, wholes[names], offset, size, stride, track.mode)
