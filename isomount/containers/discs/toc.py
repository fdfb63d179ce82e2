"""TOC files of cdrdao (.toc): tracks made of parts of files, silence and zeros."""

from collections.abc import Iterator, Sequence

from isomount.containers.base import OtherKindError, Surroundings, closed_on_failure
from isomount.containers.discs.audio import samples
from isomount.containers.discs.disc import Disc, Mode, Track
from isomount.containers.discs.files import AUDIO_ENDINGS, DATA_ENDINGS, DataFiles
from isomount.containers.discs.plan import Piece, Plan, disc_of
from isomount.containers.discs.stored import as_stored
from isomount.containers.discs.text import read_sheet
from isomount.containers.discs.toc_sheet import Amount, Stretch, TocSheet, TocTrack, parse
from isomount.errors import MissingImageError
from isomount.sources import Source


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc that a TOC file describes.

    Raises OtherKindError, DamagedImageError, NotAnImageError or ImageUnreadableError.
    """
    lines = read_sheet(file, surroundings.siblings)
    if not any("TRACK" in line for line in lines):
        raise OtherKindError  # TeX has its tables of contents in files called .toc
    sheet = parse(file.name, lines)
    stretches = [stretch for track in sheet.tracks for stretch in track.stretches]
    named = [stretch.name for stretch in stretches if stretch.name is not None]
    files = DataFiles(file, surroundings, named)
    with closed_on_failure(files):
        plans = list(planned(sheet, files))
        return disc_of("TOC file", file, plans, files, sheet.catalog, sheet.texts)


def planned(sheet: TocSheet, files: DataFiles) -> Iterator[Plan]:
    """Each track as it is stored. Raises MissingImageError and others."""
    for number, track in enumerate(sheet.tracks):
        if track.mode is Mode.AUDIO:
            behind = any(each.mode is not Mode.AUDIO for each in sheet.tracks[number:])
            audio = _Audio(files, behind)
            pieces, is_measured = audio.pieces(track), audio.is_measured
        else:
            pieces, is_measured = [_data(each, track, files) for each in track.stretches], True
        yield Plan(_track(track, number + 1), tuple(pieces), is_measured=is_measured)


def _track(track: TocTrack, number: int) -> Track:
    """What is known of a track before its place is."""
    return Track(
        number,
        track.mode,
        start=0,
        length=0,
        pregap=track.start.in_sectors(track.stored.stride),
        indexes=tuple(track.indexes),
        isrc=track.isrc,
        flags=frozenset(track.flags),
        texts=track.texts,
    )


def _data(stretch: Stretch, track: TocTrack, files: DataFiles) -> Piece:
    """A part of a data track, which begins with a whole sector."""
    if stretch.name is None:
        return Piece((stretch.length or Amount()).in_sectors(track.stored.stride))
    source = files.open(stretch.name, DATA_ENDINGS)
    at = stretch.base + stretch.start.in_bytes(track.stored.stride)
    stored = as_stored(source, at, track.stored)
    at = stretch.base + stretch.start.in_bytes(stored.stride)
    if stretch.length is None:
        return Piece(max(0, -(-(source.size - at) // stored.stride)), source, at, stored)
    return Piece(stretch.length.in_sectors(stored.stride), source, at, stored)


class _Audio:
    """Lays the parts of an audio track, which begin at any sample, into sectors."""

    def __init__(self, files: DataFiles, is_followed: bool) -> None:
        """``is_followed`` by data, whose address depends on the length."""
        self._files = files
        self._is_followed = is_followed
        self.is_measured = True
        self._pieces: list[Piece] = []
        self._laid = 0  # sectors of all pieces

    def pieces(self, track: TocTrack) -> Sequence[Piece]:
        """The track in whole sectors. One that is made of several parts is not stored anywhere."""
        at, size = 0, track.stored.stride
        for stretch in track.stretches:
            source, offset, length, is_big = self._part(stretch, size)
            first, end = -(-at // size), (at + length) // size
            if source is not None and end > first:
                self._fill(first)
                start = offset + first * size - at
                self._add(Piece(end - first, source, start, track.stored, is_big))
            at += length
        self._fill(-(-at // size))
        return self._pieces

    def _fill(self, until: int) -> None:
        """Up to that sector with what is not stored."""
        if until > self._laid:
            self._add(Piece(until - self._laid))

    def _add(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self._laid += piece.sectors

    def _part(self, stretch: Stretch, size: int) -> tuple[Source | None, int, int, bool]:
        """File, byte offset and length of samples, and whether they are big-endian."""
        length = stretch.length.in_bytes(size) if stretch.length is not None else None
        if stretch.name is None:
            return None, 0, length or 0, False
        source = self._opened(stretch.name, length)
        start = stretch.start.in_bytes(size)
        held = samples(source) if source is not None else None
        if source is None or (held is not None and held.offset is None):
            whole = held.length if held is not None else None
            self.is_measured = self.is_measured and (whole or length) is not None
            return None, 0, length if length is not None else max(0, (whole or 0) - start), False
        offset, end, is_big = stretch.base, source.size, True
        if held is not None and held.offset is not None:
            offset, is_big = offset + held.offset, held.is_big_endian
            end = held.offset + (held.length or 0)
        left = max(0, end - offset - start)
        is_big = is_big != stretch.is_swapped
        return source, offset + start, left if length is None else length, is_big

    def _opened(self, name: str, length: int | None) -> Source | None:
        """None if it is missing and not needed for where data is."""
        try:
            return self._files.open(name, AUDIO_ENDINGS)
        except MissingImageError:
            if length is None and self._is_followed:
                raise
            return None
