"""What is on a CD: its tracks, and where their sectors are stored.

Addresses are logical block addresses (LBA): sector 0 is the one at 00:02:00 (ECMA-130 annex A).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from isomount.sources import Source

# A second of a CD has this many sectors; its address begins 2 seconds before LBA 0.
SECTORS_A_SECOND = 75


class Mode(enum.Enum):
    """What the sectors of a track hold (ECMA-130 14.2, audio: IEC 60908)."""

    AUDIO = "audio"
    MODE1 = "mode 1"
    MODE2 = "mode 2"


class Run(NamedTuple):
    """``sectors`` sectors from ``lba`` on, stored one after the other in ``file``.

    The first begins at byte ``offset``; ``size`` bytes are stored of each (2048, 2056, 2324, 2332,
    2336 or 2352), and ``stride`` bytes lie from one to the next: more than ``size`` where the
    subchannel follows each. ``mode`` is what the sheet says; the bytes of a 2352-byte sector may
    know better. ``is_big_endian`` is about the samples of audio.
    """

    lba: int
    sectors: int
    file: Source
    offset: int
    size: int
    stride: int
    mode: Mode
    is_big_endian: bool = False

    @property
    def end(self) -> int:
        """The LBA after the last sector."""
        return self.lba + self.sectors


@dataclass(frozen=True, slots=True)
class Track:
    """A track. ``number`` counts from 1 over the whole disc, ``session`` from 1 too.

    ``start`` is the LBA of its INDEX 01, ``length`` its sectors from there on. ``pregap`` sectors
    before ``start`` are its INDEX 00, whether they are stored or not; ``indexes`` are the LBAs of
    INDEX 02 and on. ``flags`` are words of a cue sheet (DCP, 4CH, PRE, SCMS). ``texts`` are CD-Text
    by their names there (TITLE, PERFORMER, ...).
    """

    number: int
    mode: Mode
    start: int
    length: int
    session: int = 1
    pregap: int = 0
    indexes: tuple[int, ...] = ()
    isrc: str = ""
    flags: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def time(self) -> str:
        """Its length as minutes, seconds and frames (of which a second has 75)."""
        seconds, frames = divmod(self.length, SECTORS_A_SECOND)
        return f"{seconds // 60:02}:{seconds % 60:02}:{frames:02}"


@dataclass(frozen=True, slots=True)
class Disc:
    """A disc as a sheet describes it; ``kind`` is the sheet's ("CUE sheet").

    ``runs`` are where sectors are stored, ascending and without overlap. A gap between them is not
    stored: silence, or the space between two sessions. ``catalog`` is the media catalogue number,
    ``texts`` are CD-Text of the whole disc. ``files`` are all sources to close with the disc.
    """

    kind: str
    tracks: tuple[Track, ...]
    runs: tuple[Run, ...]
    catalog: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Source, ...] = ()

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return max((track.session for track in self.tracks), default=1)

    @property
    def end(self) -> int:
        """The LBA after the last stored sector."""
        return max((run.end for run in self.runs), default=0)

    def close(self) -> None:
        """Close every file."""
        for file in self.files:
            file.close()
