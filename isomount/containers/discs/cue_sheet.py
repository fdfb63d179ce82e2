"""What a CUE sheet says (CDRWIN's format, with what other programs write in its remarks)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from isomount.containers.discs import msf
from isomount.containers.discs.disc import Mode
from isomount.containers.discs.stored import RAW, Stored
from isomount.errors import DamagedImageError

TRACKS_AT_MOST = 99
# Where the high-density area of a GD-ROM begins, as an LBA.
HIGH_DENSITY = 45000
# What is stored of a sector by the number in a track's mode: with 96 or 16 bytes of subchannel
# behind 2352.
_SIZES = {
    **{size: Stored(size, size) for size in (2048, 2056, 2324, 2332, 2336, RAW)},
    RAW + 16: Stored(RAW, RAW + 16),
    RAW + 96: Stored(RAW, RAW + 96),
}
_MODES = {"MODE1": Mode.MODE1, "MODE2": Mode.MODE2, "CDI": Mode.MODE2}
# Lengths of lead-outs, of the first session and of later ones: other programs write where it is.
_LEAD_OUTS = (6750, 2250)
_TEXTS = ("TITLE", "PERFORMER", "SONGWRITER", "COMPOSER", "ARRANGER", "MESSAGE")
_FILE_WORDS = (
    *("BINARY", "MOTOROLA", "WAVE", "AIFF", "MP3"),
    *("FLAC", "APE", "OGG", "WAVPACK", "AAC", "AUDIO"),
)
# Each opening quote, and what ends it, as word processors have them.
_QUOTES = {
    '"': '"\u201d\u201c',
    "'": "'\u2019",
    "`": "`'\u2019",
    "\u201c": '\u201d\u201c"',
    "\u201d": '\u201d"',
    "\u201e": '\u201c\u201d"',
    "\u2018": "\u2019'",
    "\u2019": "\u2019'",
    "\u00ab": "\u00bb",
}


class CueFile(NamedTuple):
    """A FILE command: the name as it is written, and the word for its kind."""

    name: str
    word: str
    line: int


class Point(NamedTuple):
    """An INDEX: ``sectors`` from the beginning of file ``file``, both counted from 0."""

    file: int
    sectors: int
    number: int
    line: int


@dataclass(slots=True)
class CueTrack:
    """A TRACK. Pregap, postgap and the gap before it, which no file has, are in sectors."""

    number: int
    mode: Mode
    stored: Stored
    file: int
    line: int
    points: list[Point] = field(default_factory=list)
    pregap: int = 0
    postgap: int = 0
    gap: int = 0
    session: int | None = None
    start: int | None = None
    isrc: str = ""
    flags: frozenset[str] = frozenset()
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class CueSheet:
    """A whole sheet."""

    files: list[CueFile] = field(default_factory=list)
    tracks: list[CueTrack] = field(default_factory=list)
    catalog: str = ""
    texts: dict[str, str] = field(default_factory=dict)


def parse(name: str, lines: list[str]) -> CueSheet:
    """The sheet ``name``. What no program writes is passed over, if it is no known command.

    Raises DamagedImageError with line and word.
    """
    parser = _Parser(name)
    for number, line in enumerate(lines, 1):
        parser.read(number, line)
    parser.finish_track()
    return parser.sheet


class _Parser:
    """Reads line by line."""

    def __init__(self, name: str) -> None:
        self.sheet = CueSheet()
        self._name = name
        self._line = 0
        self._session: int | None = None
        self._gap = 0  # before the next track, as remarks say
        self._start: int | None = None
        self._commands: dict[str, Callable[[str], None]] = {
            "FILE": self._file,
            "TRACK": self._track,
            "INDEX": self._index,
            "PREGAP": self._pregap,
            "POSTGAP": self._postgap,
            "FLAGS": self._flags,
            "ISRC": self._isrc,
            "CATALOG": self._catalog,
            "REM": self._remark,
        }

    def read(self, number: int, line: str) -> None:
        """The next line."""
        self._line = number
        word, _, rest = line.strip().lstrip("\ufeff").replace("\t", " ").partition(" ")
        word = word.upper()
        if word in _TEXTS:
            self._texts()[word] = _unquoted(rest)
        elif word in self._commands:
            self._commands[word](rest.strip())

    def finish_track(self) -> None:
        """A track without INDEX begins with its file, if it is the first there."""
        if not self.sheet.tracks or self.sheet.tracks[-1].points:
            return
        track = self.sheet.tracks[-1]
        if any(point.file == track.file for each in self.sheet.tracks for point in each.points):
            raise self._wrong(f"track {track.number} has no INDEX", track.line)
        track.points.append(Point(track.file, 0, 1, track.line))

    def _file(self, rest: str) -> None:
        name, word = _name_and_word(rest)
        if not name:
            raise self._wrong("FILE without a name")
        self.sheet.files.append(CueFile(name, word, self._line))

    def _track(self, rest: str) -> None:
        self.finish_track()
        number, _, mode = (part.strip() for part in rest.partition(" "))
        if not self.sheet.files:
            raise self._wrong("TRACK before any FILE")
        if not (number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= TRACKS_AT_MOST):
            raise self._wrong(f'"{number}" is no number of a track')
        if len(self.sheet.tracks) == TRACKS_AT_MOST:
            raise self._wrong("more tracks than a disc can have")
        kind, stored = self._mode(mode)
        track = CueTrack(int(number), kind, stored, len(self.sheet.files) - 1, self._line)
        track.session, track.start = self._session, self._start
        track.gap, self._gap, self._start = self._gap, 0, None
        self.sheet.tracks.append(track)

    def _mode(self, said: str) -> tuple[Mode, Stored]:
        word = (said.split() or [""])[0].upper()
        if word in ("AUDIO", "CDG"):
            return Mode.AUDIO, _SIZES[RAW if word == "AUDIO" else RAW + 96]
        mode, _, size = word.partition("/")
        if mode not in _MODES or not re.fullmatch("[0-9]{4}", size) or int(size) not in _SIZES:
            raise self._wrong(f'"{said}" is no mode of a track')
        return _MODES[mode], _SIZES[int(size)]

    def _index(self, rest: str) -> None:
        number, _, time = rest.partition(" ")
        if not re.fullmatch("[0-9]{1,2}", number):
            raise self._wrong(f'"{number}" is no number of an INDEX')
        track = self._current("INDEX")
        point = Point(len(self.sheet.files) - 1, self._time(time), int(number), self._line)
        last = self._last_point(point)
        if last and last.file == point.file and last.sectors > point.sectors:
            raise self._wrong(
                f'INDEX {number} at "{time.strip()}" is before the one in line {last.line}'
            )
        if track.points and track.points[-1].number >= point.number:
            raise self._wrong(f"INDEX {number} after INDEX {track.points[-1].number:02}")
        track.points.append(point)

    def _last_point(self, point: Point) -> Point | None:
        """The one before ``point``, of this track or the last one.

        Rippers have mistaken a second's noise for an INDEX 02 beyond the end of its track: that is
        forgotten.
        """
        for track in reversed(self.sheet.tracks[-2:]):
            while _is_stray(track.points, point):
                track.points.pop()
            if track.points:
                return track.points[-1]
        return None

    def _pregap(self, rest: str) -> None:
        self._current("PREGAP").pregap = self._time(rest)

    def _postgap(self, rest: str) -> None:
        self._current("POSTGAP").postgap = self._time(rest)

    def _flags(self, rest: str) -> None:
        self._current("FLAGS").flags = frozenset(rest.upper().split()) & _FLAGS

    def _isrc(self, rest: str) -> None:
        self._current("ISRC").isrc = _unquoted(rest)

    def _catalog(self, rest: str) -> None:
        self.sheet.catalog = _unquoted(rest)

    def _remark(self, rest: str) -> None:
        """Sessions and areas, as Redump and others write them. Whatever else a remark may say."""
        words = rest.upper().split()
        said, argument = words[:1], (words[1:2] or [""])[0]
        time = msf.sectors(argument)
        if said == ["SESSION"] and re.fullmatch("[0-9]{1,2}", argument):
            self._session = max(1, int(argument))
        elif said in (["LEAD-IN"], ["PREGAP"]) or (said == ["LEAD-OUT"] and time in _LEAD_OUTS):
            self._gap += time or 0
        elif words[:2] == ["SINGLE-DENSITY", "AREA"]:
            self._session = 1
        elif words[:2] == ["HIGH-DENSITY", "AREA"]:
            self._session, self._start = 2 if self.sheet.tracks else 1, HIGH_DENSITY

    def _texts(self) -> dict[str, str]:
        return self.sheet.tracks[-1].texts if self.sheet.tracks else self.sheet.texts

    def _current(self, command: str) -> CueTrack:
        if not self.sheet.tracks:
            raise self._wrong(f"{command} before any TRACK")
        return self.sheet.tracks[-1]

    def _time(self, said: str) -> int:
        sectors = msf.sectors(said.strip())
        if sectors is None:
            raise self._wrong(f'"{said.strip()}" is no time (mm:ss:ff, 60 seconds, 75 frames)')
        return sectors

    def _wrong(self, what: str, line: int | None = None) -> DamagedImageError:
        return DamagedImageError(
            f"{self._name}: line {line or self._line}: {what}; correct it there"
        )


_FLAGS = frozenset(("DCP", "4CH", "PRE", "SCMS"))


def _is_stray(points: list[Point], point: Point) -> bool:
    last = points[-1] if len(points) > 1 else None
    return (
        last is not None
        and last.number > 1 >= point.number
        and (last.file, last.sectors) > (point.file, point.sectors)
    )


def _name_and_word(rest: str) -> tuple[str, str]:
    """The operands of FILE: a name, in quotes of any kind or without, and a word."""
    closing = _QUOTES.get(rest[:1], "")
    end = max((rest.rfind(quote) for quote in closing), default=0)
    if end > 0:
        return rest[1:end], (rest[end + 1 :].split() or ["BINARY"])[0].upper()
    name, _, word = rest.rpartition(" ")
    if name.strip() and word.upper() in _FILE_WORDS:
        return _bare(name), word.upper()
    return _bare(rest), "BINARY"


def _bare(name: str) -> str:
    """Without a quote at one end only."""
    return name.strip().strip('"')


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
