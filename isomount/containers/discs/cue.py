"""CUE sheets (.cue): the tracks of a disc in one file or several.

A sheet counts in sectors, whatever their sizes; where one is in a file follows from all before it.
"""

from isomount.containers.base import OtherKindError, Surroundings, closed_on_failure
from isomount.containers.discs.audio import Samples, samples, sectors_of
from isomount.containers.discs.cue_sheet import CueFile, CueSheet, CueTrack, Point, parse
from isomount.containers.discs.disc import Disc, Mode, Track
from isomount.containers.discs.files import AUDIO_ENDINGS, DATA_ENDINGS, DataFiles
from isomount.containers.discs.plan import Piece, Plan, disc_of
from isomount.containers.discs.stored import RAW, Stored, as_stored
from isomount.containers.discs.text import read_sheet
from isomount.errors import DamagedImageError, MissingImageError
from isomount.sources import Source


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc that a CUE sheet describes.

    Raises OtherKindError, DamagedImageError, NotAnImageError or ImageUnreadableError.
    """
    sheet = parse(file.name, read_sheet(file, surroundings.siblings))
    if not sheet.files:
        raise OtherKindError
    if not sheet.tracks:
        raise DamagedImageError(f"{file.name}: has no TRACK after its FILE; write it anew")
    files = DataFiles(file, surroundings, [each.name for each in sheet.files])
    with closed_on_failure(files):
        plans = _Layout(sheet, files).plans()
        return disc_of("CUE sheet", file, plans, files, sheet.catalog, sheet.texts)


class _Filled:
    """A data file while tracks are laid into it one after the other.

    ``source`` is None where there is nothing to read: encoded audio, or a file that is missing.
    """

    def __init__(self, source: Source | None, held: Samples | None, word: str) -> None:
        self.source = source
        self.sectors = 0  # those before ``offset``
        self.offset = 0
        self.end = source.size if source is not None else 0
        self.is_big_endian = word == "MOTOROLA"
        # How many sectors there are if nothing is read from here; None if that is not known.
        self.unread: int | None = None
        if held is not None:
            self._narrow(held)

    def _narrow(self, held: Samples) -> None:
        if held.offset is None:
            self.source = None
            self.unread = None if held.length is None else sectors_of(held.length)
            return
        self.offset, self.end = held.offset, held.offset + (held.length or 0)
        self.is_big_endian = held.is_big_endian

    def take(self, until: int | None, track: CueTrack) -> Piece:
        """The sectors up to the one ``until``, or all that are left, as a piece of ``track``."""
        stored = self._stored(track)
        left = max(0, -(-(self.end - self.offset) // stored.stride))
        if self.source is None:
            left = max(0, (self.unread or 0) - self.sectors)
        count = left if until is None else until - self.sectors
        piece = Piece(count, self.source, self.offset, stored, self.is_big_endian)
        self.sectors += count
        self.offset += count * stored.stride
        return piece

    def _stored(self, track: CueTrack) -> Stored:
        if self.source is None or track.mode is Mode.AUDIO:
            return track.stored
        return as_stored(self.source, self.offset, track.stored)

    @property
    def is_measured(self) -> bool:
        """Whether it is known how many sectors there are."""
        return self.source is not None or self.unread is not None


class _Layout:
    """Lays the tracks of ``sheet`` into their files."""

    def __init__(self, sheet: CueSheet, files: DataFiles) -> None:
        self._sheet = sheet
        self._files = files
        self._filled: dict[int, _Filled] = {}

    def plans(self) -> list[Plan]:
        """Each track as it is stored. Raises MissingImageError and others."""
        plans = []
        for number, track in enumerate(self._sheet.tracks):
            following = self._sheet.tracks[number + 1 : number + 2]
            plans.append(self._plan(track, following[0].points[0] if following else None))
        return plans

    def _plan(self, track: CueTrack, end: Point | None) -> Plan:
        """``end`` is the first point of the next track."""
        before = [Piece(track.pregap)] if track.pregap else []
        pieces: list[Piece] = []
        at: dict[int, int] = {}  # sectors from the track's beginning to each INDEX
        files = {track.points[0].file}
        for point, following in zip(track.points, [*track.points[1:], end], strict=True):
            if self._file(point.file, track).sectors < point.sectors:
                # What lies before the first INDEX of a file: a pregap without a name.
                pieces.append(self._file(point.file, track).take(point.sectors, track))
            at[point.number] = sum(piece.sectors for piece in (*before, *pieces))
            pieces += self._until(point, following, track)
            files.add(point.file)
        start = at.get(1, next(iter(at.values())))
        indexes = tuple(at[number] - start for number in sorted(at) if number > 1)
        return Plan(
            _track(track, start, indexes),
            (*before, *pieces, Piece(track.postgap)),
            track.gap,
            track.session,
            track.start,
            all(self._filled[each].is_measured for each in files),
        )

    def _until(self, point: Point, end: Point | None, track: CueTrack) -> list[Piece]:
        """What is from ``point`` to ``end``, or to the end of its file if that is in another."""
        if end is not None and end.file == point.file:
            return [self._file(point.file, track).take(end.sectors, track)]
        return [self._file(point.file, track).take(None, track)]

    def _file(self, number: int, track: CueTrack) -> _Filled:
        """The file of that number, where ``track`` is the first to need it."""
        if number not in self._filled:
            self._filled[number] = self._opened(self._sheet.files[number], number)
        return self._filled[number]

    def _opened(self, file: CueFile, number: int) -> _Filled:
        users = [track for track in self._sheet.tracks if _is_in(track, number)]
        if any(track.mode is not Mode.AUDIO for track in users):
            return _Filled(self._files.open(file.name, DATA_ENDINGS), None, file.word)
        try:
            source = self._files.open(file.name, AUDIO_ENDINGS)
        except MissingImageError:
            if self._is_needed(number):
                raise
            return _Filled(None, None, file.word)
        return _Filled(source, samples(source, file.word), file.word)

    def _is_needed(self, number: int) -> bool:
        """Whether data behind the audio file ``number`` has no other address than its length."""
        return any(
            track.mode is not Mode.AUDIO and track.start is None and track.stored.size != RAW
            for track in self._sheet.tracks
            if track.points[0].file > number
        )


def _is_in(track: CueTrack, file: int) -> bool:
    return any(point.file == file for point in track.points)


def _track(track: CueTrack, pregap: int, indexes: tuple[int, ...]) -> Track:
    """What is known of a track before its place is."""
    return Track(
        track.number,
        track.mode,
        start=0,
        length=0,
        pregap=pregap,
        indexes=indexes,
        isrc=track.isrc,
        flags=track.flags,
        texts=track.texts,
    )
