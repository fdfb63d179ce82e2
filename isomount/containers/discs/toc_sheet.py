"""What a cdrdao TOC file says (cdrdao(1), "TOC-FILE SYNTAX")."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from isomount.containers.discs import msf
from isomount.containers.discs.audio import SAMPLE
from isomount.containers.discs.disc import Mode
from isomount.containers.discs.stored import RAW, Stored
from isomount.containers.discs.toc_tokens import Token, tokens
from isomount.errors import DamagedImageError, NotAnImageError

_TRACKS_AT_MOST = 99
# Tracks are of one part, with a pregap of two; more than this is made to keep a reader busy.
_STRETCHES_AT_MOST = 2000
_MODES = {
    "AUDIO": (Mode.AUDIO, RAW),
    "MODE1": (Mode.MODE1, 2048),
    "MODE1_RAW": (Mode.MODE1, RAW),
    "MODE2": (Mode.MODE2, 2336),
    "MODE2_FORM1": (Mode.MODE2, 2048),
    "MODE2_FORM2": (Mode.MODE2, 2324),
    "MODE2_FORM_MIX": (Mode.MODE2, 2336),
    "MODE2_RAW": (Mode.MODE2, RAW),
}
_SUBCHANNELS = {"RW": 96, "RW_RAW": 96}
_TYPES = ("CD_DA", "CD_ROM", "CD_ROM_XA", "CD_I")
# Each word for a flag, and the flag's name in CUE sheets; None: it is the opposite of one.
_FLAGS = {
    "COPY": "DCP",
    "PRE_EMPHASIS": "PRE",
    "FOUR_CHANNEL_AUDIO": "4CH",
    "TWO_CHANNEL_AUDIO": None,
}
# Longer than any number that means anything here.
_DIGITS_AT_MOST = 15


class Amount(NamedTuple):
    """A length or a place: whole sectors, and bytes besides."""

    sectors: int = 0
    rest: int = 0

    def in_bytes(self, stride: int) -> int:
        """Where a sector takes ``stride`` bytes."""
        return self.sectors * stride + self.rest

    def in_sectors(self, stride: int) -> int:
        """The sectors of ``stride`` bytes that it fills, the last maybe in part."""
        return self.sectors - (-self.rest // stride)


NOTHING = Amount()


class Stretch(NamedTuple):
    """A part of a track: of a file from byte ``base`` plus ``start`` on, or nothing stored.

    ``length`` is None up to the file's end, and never where ``name`` is None.
    """

    name: str | None
    length: Amount | None
    base: int = 0
    start: Amount = NOTHING
    is_swapped: bool = False


@dataclass(slots=True)
class TocTrack:
    """A TRACK. ``start`` is that of INDEX 01 within it, ``indexes`` count from there.

    ``laid`` is how long all stretches are whose length is said.
    """

    mode: Mode
    stored: Stored
    stretches: list[Stretch] = field(default_factory=list)
    laid: Amount = NOTHING
    start: Amount = NOTHING
    indexes: list[int] = field(default_factory=list)
    isrc: str = ""
    flags: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def sector(self) -> int:
        """The bytes from one sector to the next, as the sheet has them."""
        return self.stored.stride


@dataclass(slots=True)
class TocSheet:
    """A whole TOC file."""

    tracks: list[TocTrack] = field(default_factory=list)
    catalog: str = ""
    texts: dict[str, str] = field(default_factory=dict)


def parse(name: str, lines: Sequence[str]) -> TocSheet:
    """The sheet ``name``. Raises DamagedImageError with line and word, NotAnImageError."""
    parser = _Parser(name, tokens(name, lines))
    while parser.token.kind != "end":
        parser.statement()
    return parser.sheet


class _Parser:
    """Reads statement by statement. ``token`` is the next one."""

    def __init__(self, name: str, source: Iterable[Token]) -> None:
        self.sheet = TocSheet()
        self._stretches = 0  # of all tracks
        self._name = name
        self._tokens = iter(source)
        self.token = next(self._tokens)
        self._statements: dict[str, Callable[[], None]] = {
            **dict.fromkeys(_TYPES, lambda: None),
            "CATALOG": self._catalog,
            "CD_TEXT": self._cd_text,
            "TRACK": self._track,
            "NO": self._no,
            "ISRC": self._isrc,
            "FILE": self._file,
            "AUDIOFILE": self._file,
            "DATAFILE": self._datafile,
            "FIFO": self._fifo,
            "SILENCE": self._empty,
            "ZERO": self._empty,
            "PREGAP": self._pregap,
            "START": self._start,
            "END": self._end,
            "INDEX": self._index,
        }

    def statement(self) -> None:
        """The next statement."""
        token = self._next()
        if token.kind == "word" and token.text in _FLAGS:
            self._flag(token.text)
        elif token.kind == "word" and token.text in self._statements:
            self._statements[token.text]()
        else:
            raise self._wrong(token, "is no statement of a TOC file")

    def _next(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.token = next(self._tokens)
        return token

    def _accept(self, *kinds: str) -> Token | None:
        return self._next() if self.token.kind in kinds else None

    def _expect(self, what: str, *kinds: str) -> Token:
        token = self._accept(*kinds)
        if token is None:
            raise self._wrong(self.token, f"stands where {what} belongs")
        return token

    def _sign(self, sign: str) -> bool:
        return self.token == ("sign", sign, self.token.line) and bool(self._next())

    def _catalog(self) -> None:
        token = self._accept("text", "number")
        self.sheet.catalog = token.text if token else ""

    def _isrc(self) -> None:
        token = self._accept("text", "word")
        self._current().isrc = token.text if token else ""

    def _cd_text(self) -> None:
        """The texts of the first language that has them; binary items are passed over."""
        texts = self.sheet.tracks[-1].texts if self.sheet.tracks else self.sheet.texts
        opened = self.token
        depth = 0
        while True:
            token = self._next()
            if token.kind == "end":
                raise self._wrong(opened, "is never closed")
            depth += (token.text == "{") - (token.text == "}") if token.kind == "sign" else 0
            if depth == 0:
                return
            if token.kind == "word" and self.token.kind == "text":
                said = self._next().text
                if said:
                    texts.setdefault(token.text, said)

    def _track(self) -> None:
        token = self._expect("a mode", "word")
        if token.text not in _MODES:
            raise self._wrong(token, "is no mode of a track")
        if len(self.sheet.tracks) == _TRACKS_AT_MOST:
            raise self._wrong(token, "begins more tracks than a disc can have")
        mode, size = _MODES[token.text]
        beside = 0
        if self.token.text in _SUBCHANNELS:
            beside = _SUBCHANNELS[self._next().text]
        self.sheet.tracks.append(TocTrack(mode, Stored(size, size + beside)))

    def _flag(self, word: str) -> None:
        flag = _FLAGS[word]
        if flag:
            self._current().flags.add(flag)

    def _no(self) -> None:
        token = self._expect("a flag", "word")
        self._current().flags.discard(_FLAGS.get(token.text) or "")

    def _file(self) -> None:
        name, swap = self._file_name(), self._swap()
        base = self._base()
        start = self._amount() or NOTHING
        self._add(Stretch(name, self._amount() or None, base, start, swap))

    def _datafile(self) -> None:
        name = self._file_name()
        base = self._base()
        self._add(Stretch(name, self._amount() or None, base))

    def _fifo(self) -> None:
        raise NotAnImageError(
            f"{self._name}: line {self.token.line}: takes a track from a FIFO, which cannot be "
            "read in any order; save that to a file and name it"
        )

    def _file_name(self) -> str:
        if self.token.text == "-":
            raise NotAnImageError(
                f"{self._name}: line {self.token.line}: takes a track from standard input, which "
                "cannot be read in any order; save that to a file and name it"
            )
        name = self._expect("a file's name in quotes", "text").text
        if name == "-":
            raise NotAnImageError(
                f'{self._name}: line {self.token.line}: takes a track from "-", standard input; '
                "save that to a file and name it"
            )
        return name

    def _swap(self) -> bool:
        return self.token.text == "SWAP" and bool(self._next())

    def _base(self) -> int:
        if not self._sign("#"):
            return 0
        return self._number(self._expect("a number of bytes", "number"))

    def _empty(self) -> None:
        """SILENCE or ZERO, the latter maybe of sectors of another mode."""
        while self.token.text in _MODES or self.token.text in _SUBCHANNELS:
            self._next()
        length = self._amount()
        if length is None:
            raise self._wrong(self.token, "stands where a length belongs")
        self._add(Stretch(None, length))

    def _pregap(self) -> None:
        length = self._amount()
        if length is None:
            raise self._wrong(self.token, "stands where a length belongs")
        self._add(Stretch(None, length))
        self._current().start = length

    def _start(self) -> None:
        """Where INDEX 01 is: there, or where the track has got to."""
        track = self._current()
        there = self._amount()
        track.start = track.laid if there is None else there

    def _end(self) -> None:
        """Where a postgap begins, which is in the track all the same."""
        self._amount()

    def _index(self) -> None:
        there = self._amount()
        if there is None:
            raise self._wrong(self.token, "stands where a time belongs")
        track = self._current()
        track.indexes.append(there.in_sectors(track.sector))

    def _amount(self) -> Amount | None:
        """A time, or a number: samples in an audio track, else bytes."""
        token = self._accept("time", "number")
        if token is None:
            return None
        if token.kind == "number":
            unit = SAMPLE if self._current().mode is Mode.AUDIO else 1
            return Amount(0, self._number(token) * unit)
        sectors = msf.sectors(token.text)
        if sectors is None:
            raise self._wrong(token, "is no time (mm:ss:ff, 60 seconds, 75 frames)")
        return Amount(sectors)

    def _number(self, token: Token) -> int:
        if len(token.text) > _DIGITS_AT_MOST or not token.text.isascii():
            raise self._wrong(token, "is no number that makes sense here")
        return int(token.text)

    def _add(self, stretch: Stretch) -> None:
        length = stretch.length
        if stretch.name is not None and length is not None and not any(length):
            stretch = stretch._replace(length=None)  # 0 means all that is left
        self._stretches += 1
        if self._stretches > _STRETCHES_AT_MOST:
            raise self._wrong(self.token, "is beyond what a disc can be made of")
        track = self._current()
        track.stretches.append(stretch)
        if stretch.length is not None:
            sectors, rest = stretch.length
            track.laid = Amount(track.laid.sectors + sectors, track.laid.rest + rest)

    def _current(self) -> TocTrack:
        if not self.sheet.tracks:
            raise self._wrong(self.token, "comes before any TRACK")
        return self.sheet.tracks[-1]

    def _wrong(self, token: Token, what: str) -> DamagedImageError:
        return DamagedImageError(
            f'{self._name}: line {token.line}: "{token.text}" {what}; correct it there'
        )
