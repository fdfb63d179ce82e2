"""CloneCD (.ccd with .img and .sub): the disc's own table of contents as an INI file.

The .img has 2352 bytes of each sector, one session after the other without the space between them.
The .sub, which has the subchannels, is never needed.
"""

import re
from collections.abc import Iterator, Mapping
from posixpath import basename, splitext
from typing import NamedTuple

from isomount.containers.base import OtherKindError, Surroundings, closed_on_failure
from isomount.containers.discs import cdtext, msf
from isomount.containers.discs.assembled import IS_DATA, flags
from isomount.containers.discs.disc import Disc, Mode, Track
from isomount.containers.discs.files import DataFiles
from isomount.containers.discs.plan import Piece, Plan, disc_of
from isomount.containers.discs.stored import RAW, address
from isomount.containers.discs.text import read_sheet
from isomount.errors import DamagedImageError
from isomount.sources import Source

_SECTION = re.compile(r"\[\s*([^\]]*?)\s*\]")
_LEAD_OUT = 0xA2
_TRACKS = range(1, 100)
# No sector of a disc is beyond: 100 minutes, either way.
_SECTORS = range(-450000, 450000)

Section = Mapping[str, str]


class _Entry(NamedTuple):
    """An entry of the table of contents: a track's start or a session's lead-out."""

    session: int
    point: int
    control: int
    lba: int


class _Session(NamedTuple):
    """The tracks of a session in their order, and the LBA of its lead-out if it is known."""

    number: int
    tracks: tuple[_Entry, ...]
    end: int | None


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc that a CloneCD sheet describes.

    Raises OtherKindError, DamagedImageError, NotAnImageError or ImageUnreadableError.
    """
    sheet = sections(read_sheet(file, surroundings.siblings))
    if "CLONECD" not in sheet:
        raise OtherKindError
    sessions = list(_sessions(file.name, sheet))
    name = splitext(basename(file.name))[0] + ".img"
    files = DataFiles(file, surroundings, [name])
    with closed_on_failure(files):
        said = cdtext.texts(_packs(sheet.get("CDTEXT", {})))
        plans = list(_plans(sessions, files.open(name), sheet, said))
        catalog = sheet.get("DISC", {}).get("CATALOG", "")
        return disc_of("CloneCD sheet", file, plans, files, catalog, said.get(0, {}))


def sections(lines: list[str]) -> dict[str, dict[str, str]]:
    """The sections of an INI file by their names, and their values by theirs, in upper case."""
    found: dict[str, dict[str, str]] = {}
    values: dict[str, str] = {}
    for line in lines:
        line = line.strip(" \t\ufeff")
        section = _SECTION.match(line)
        if section is not None:
            values = found.setdefault(" ".join(section[1].upper().split()), {})
        elif "=" in line:
            key, _, value = line.partition("=")
            values.setdefault(" ".join(key.upper().split()), value.strip())
    return found


def _sessions(name: str, sheet: Mapping[str, Section]) -> Iterator[_Session]:
    """The sessions of the table of contents, or by the list of tracks where that is missing."""
    entries = [
        _entry(name, title, values)
        for title, values in sheet.items()
        if title.startswith("ENTRY ") and _is_position(values)
    ]
    if not any(entry.point in _TRACKS for entry in entries):
        entries = list(_listed(name, sheet))
    tracks = sorted((each for each in entries if each.point in _TRACKS), key=lambda each: each.lba)
    if not 1 <= len(tracks) <= len(_TRACKS):
        raise DamagedImageError(
            f"{name}: lists {len(tracks) or 'no'} tracks, and a disc has 1 to {len(_TRACKS)}; "
            "copy it again, or read the disc again"
        )
    ends = {each.session: each.lba for each in entries if each.point == _LEAD_OUT}
    for number in sorted({track.session for track in tracks}):
        own = tuple(track for track in tracks if track.session == number)
        yield _Session(number, own, ends.get(number))


def _is_position(values: Section) -> bool:
    """Whether an entry is about a place: mode 1 of Q (ECMA-130 22.3.2)."""
    return values.get("ADR", "1").lower() in ("1", "0x1", "0x01")


def _entry(name: str, title: str, values: Section) -> _Entry:
    read = _Numbers(name, title, values)
    parts = [read.number(key, 0) for key in ("PMIN", "PSEC", "PFRAME")]
    lba = read.number("PLBA", msf.lba(*parts))
    if lba not in _SECTORS:
        raise DamagedImageError(f"{name}: [{title}] begins at sector {lba}, which no disc has")
    session = max(1, read.number("SESSION", 1))
    return _Entry(session, read.number("POINT", 0), read.number("CONTROL", IS_DATA), lba)


def _listed(name: str, sheet: Mapping[str, Section]) -> Iterator[_Entry]:
    for title, values in sheet.items():
        number = title.removeprefix("TRACK ")
        if title.startswith("TRACK ") and number.isdecimal() and int(number[:3]) in _TRACKS:
            read = _Numbers(name, title, values)
            control = IS_DATA if read.number("MODE", 1) else 0
            lba = read.number("INDEX 1", 0)
            if lba in _SECTORS:
                yield _Entry(1, int(number), control, lba)


class _Numbers(NamedTuple):
    """The values of a section as numbers."""

    name: str
    title: str
    values: Section

    def number(self, key: str, default: int) -> int:
        """A decimal or hexadecimal number. Raises DamagedImageError if it is none."""
        text = self.values.get(key, "")
        if not text:
            return default
        try:
            return int(text[:20], 0 if text.lower().lstrip("-").startswith("0x") else 10)
        except ValueError:
            raise DamagedImageError(
                f'{self.name}: [{self.title}]: {key.title()}="{text[:20]}" is no number; '
                "correct it there"
            ) from None


def _plans(
    sessions: list[_Session], image: Source, sheet: Mapping[str, Section], said: cdtext.Texts
) -> Iterator[Plan]:
    """Each track as it is in the .img."""
    at = 0  # the sector of the .img where the session's first track is
    for place, session in enumerate(sessions):
        first = session.tracks[0]
        if place == 0:
            at = max(0, first.lba)
        elif first.control & IS_DATA:
            at = _found(image, at, first.lba)
        begins = [_begin(track, sheet) for track in session.tracks]
        if place:
            begins[0] = first.lba  # what is before it is the space between sessions
        end = session.end if session.end is not None else _last(session, image, at)
        for track, begin, until in zip(session.tracks, begins, [*begins[1:], end], strict=True):
            own = sheet.get(f"TRACK {track.point}", {})
            piece = Piece(max(0, until - begin), image, max(0, at + begin - first.lba) * RAW)
            known = _track(track, begin, own, said.get(track.point, {}))
            yield Plan(known, (piece,), session=session.number, start=track.lba)
        at += max(0, end - first.lba)


def _begin(track: _Entry, sheet: Mapping[str, Section]) -> int:
    """Where a track begins with its pregap."""
    text = sheet.get(f"TRACK {track.point}", {}).get("INDEX 0", "")
    return min(int(text), track.lba) if re.fullmatch("[0-9]{1,6}", text) else track.lba


def _last(session: _Session, image: Source, at: int) -> int:
    """Where a session without lead-out ends: with the .img."""
    return session.tracks[0].lba + max(0, -(-image.size // RAW) - at)


def _found(image: Source, at: int, lba: int) -> int:
    """The sector of the .img that is ``lba``: usually ``at``, but some store the pregap, or all."""
    for sector in (at, at + msf.LEAD, lba):
        if address(image, sector * RAW) == lba:
            return sector
    return at


def _track(entry: _Entry, begin: int, own: Section, texts: Mapping[str, str]) -> Track:
    """What is known of a track before its place is."""
    return Track(
        entry.point,
        _mode(entry, own),
        start=0,
        length=0,
        pregap=entry.lba - begin,
        indexes=tuple(_indexes(entry, own)),
        isrc=own.get("ISRC", ""),
        flags=flags(entry.control),
        texts=texts,
    )


def _mode(entry: _Entry, own: Section) -> Mode:
    """By the control field, as MODE is often wrong; in which mode of data, by the bytes later."""
    if not entry.control & IS_DATA:
        return Mode.AUDIO
    return Mode.MODE2 if own.get("MODE", "").strip() == "2" else Mode.MODE1


def _indexes(entry: _Entry, own: Section) -> Iterator[int]:
    """INDEX 2 and on, counted from INDEX 1."""
    for number in range(2, 100):
        text = own.get(f"INDEX {number}", "")
        if not re.fullmatch("[0-9]{1,6}", text):
            return
        yield max(0, int(text) - entry.lba)


def _packs(values: Section) -> Iterator[bytes]:
    """The packs of CD-Text, which are in hexadecimal."""
    for key, text in values.items():
        if key.startswith("ENTRY "):
            try:
                yield bytes.fromhex(text[:60])
            except ValueError:
                return
