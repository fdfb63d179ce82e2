"""From the tracks that a sheet lists to their places on the disc.

A sheet counts sectors in files. Where it leaves out what lies between sessions, or a pregap, the
address in the header of a track's first raw sector tells.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.containers.discs.files import DataFiles
from isomount.containers.discs.msf import LEAD
from isomount.containers.discs.stored import RAW, Stored, address
from isomount.errors import DamagedImageError
from isomount.sources import Source

# Sectors from the end of the first session, or of a later one, to the first track of the next:
# lead-out, lead-in and pregap.
_AFTER_FIRST, _AFTER_LATER = 6750 + 4500 + 150, 2250 + 4500 + 150
# A pregap stored with its track is not between the two.
_SESSION_GAP = _AFTER_LATER - LEAD
# Where a header is looked for, in sectors from the track's start: some writers leave the first ones
# empty.
_HEADERS = (0, 16)


class Piece(NamedTuple):
    """``sectors`` sectors of a track side by side. No ``file``: they are stored nowhere."""

    sectors: int
    file: Source | None = None
    offset: int = 0
    stored: Stored = Stored(RAW, RAW)
    is_big_endian: bool = False


class Plan(NamedTuple):
    """A track whose place is sought.

    ``track`` has all that is known by now; its indexes count from INDEX 01. ``pieces`` begin with
    its pregap. ``gap`` sectors before them belong to no track. ``session`` and ``start`` (the LBA
    of INDEX 01) are None if the sheet does not say. ``is_measured`` is False if it is not known how
    long the track is.
    """

    track: Track
    pieces: tuple[Piece, ...]
    gap: int = 0
    session: int | None = None
    start: int | None = None
    is_measured: bool = True

    @property
    def sectors(self) -> int:
        """With its pregap."""
        return sum(piece.sectors for piece in self.pieces)

    def address(self) -> int | None:
        """The LBA of INDEX 01 by the headers of its sectors."""
        if self.track.mode is Mode.AUDIO:
            return None
        for sector in _HEADERS:
            found = self._address(self.track.pregap + sector)
            if found is not None:
                return found - sector
        return None

    def _address(self, sector: int) -> int | None:
        for piece in self.pieces:
            if sector < piece.sectors:
                if piece.file is None or piece.stored.size != RAW:
                    return None
                return address(piece.file, piece.offset + sector * piece.stored.stride)
            sector -= piece.sectors
        return None


def disc_of(
    kind: str,
    sheet: Source,
    plans: Sequence[Plan],
    files: DataFiles,
    catalog: str = "",
    texts: Mapping[str, str] | None = None,
) -> Disc:
    """The disc with the tracks of ``plans``, which closes ``files`` and ``sheet``.

    Raises DamagedImageError if there are data tracks, but no sector of them is stored.
    """
    tracks, runs = placed(plans)
    if not any(run.mode is not Mode.AUDIO for run in runs):
        _refuse_empty(sheet.name, plans)
    return Disc(kind, tracks, runs, catalog, texts or {}, (*files.opened, sheet))


def placed(plans: Iterable[Plan]) -> tuple[tuple[Track, ...], tuple[Run, ...]]:
    """The tracks at their places, and where what is stored of them is."""
    tracks: list[Track] = []
    runs: list[Run] = []
    end, is_measured = 0, True
    for plan in plans:
        before = tracks[-1].session if tracks else None
        start = _start(plan, end, before)
        pregap = plan.track.pregap
        jump = start - pregap - end if tracks else 0
        is_next = before is not None and is_measured and jump >= _SESSION_GAP
        session = plan.session or (before or 1) + is_next
        end = start - pregap + plan.sectors
        tracks.append(
            replace(
                plan.track,
                start=start,
                length=end - start,
                session=session,
                pregap=_whole_pregap(pregap, jump, session - (before or session)),
                indexes=tuple(start + index for index in plan.track.indexes),
            )
        )
        runs += _runs(plan, start - pregap)
        is_measured = is_measured and plan.is_measured
    return tuple(tracks), tuple(_apart(runs))


def _start(plan: Plan, end: int, before: int | None) -> int:
    """The LBA of INDEX 01, where the track before, of session ``before``, ends at ``end``."""
    if plan.start is not None:
        return plan.start
    counted = end + plan.gap + plan.track.pregap
    if plan.session and before and plan.session != before and not plan.gap:
        counted = end + (_AFTER_FIRST if before == 1 else _AFTER_LATER)
    known = plan.address()
    if known is not None and known >= (0 if before is None else counted):
        return known
    # The two seconds before LBA 0, which some writers store and others mention.
    is_lead = before is None and counted == LEAD and plan.track.mode is not Mode.AUDIO
    return 0 if is_lead else counted


def _whole_pregap(pregap: int, jump: int, sessions: int) -> int:
    """With what of it is not stored, ``sessions`` after the one of the track before."""
    if sessions:
        return max(pregap, LEAD)
    return pregap + jump if 0 < jump < _SESSION_GAP else pregap


def _runs(plan: Plan, lba: int) -> Iterator[Run]:
    """What is stored of a track that begins at ``lba``, from LBA 0 on."""
    for piece in plan.pieces:
        if piece.file is not None:
            size, stride = piece.stored
            # A file that was cut off holds less than its sheet says.
            held = max(0, -(-(piece.file.size - piece.offset) // stride))
            cut = max(0, -lba)
            count = min(piece.sectors, held) - cut
            if count > 0:
                offset = piece.offset + cut * stride
                mode, is_big = plan.track.mode, piece.is_big_endian
                yield Run(lba + cut, count, piece.file, offset, size, stride, mode, is_big)
        lba += piece.sectors


def _apart(runs: Iterable[Run]) -> Iterator[Run]:
    """In ascending order without overlap, joined where they go on in the same file."""
    last: Run | None = None
    for run in sorted(runs, key=lambda run: run.lba):
        if last is not None and _goes_on(last, run):
            last = last._replace(sectors=last.sectors + run.sectors)
            continue
        if last is not None and last.lba < run.lba:
            yield last._replace(sectors=min(last.sectors, run.lba - last.lba))
        last = run
    if last is not None:
        yield last


def _goes_on(run: Run, following: Run) -> bool:
    ends = (run.end, run.offset + run.sectors * run.stride)
    alike = run._replace(lba=0, sectors=0, offset=0) == following._replace(
        lba=0, sectors=0, offset=0
    )
    return alike and ends == (following.lba, following.offset)


def _refuse_empty(sheet: str, plans: Sequence[Plan]) -> None:
    """Raise DamagedImageError if there is a data track, of which nothing is stored."""
    data = [plan for plan in plans if plan.track.mode is not Mode.AUDIO]
    for plan in data:
        for piece in plan.pieces:
            if piece.file is not None:
                raise DamagedImageError(
                    f"{sheet}: track {plan.track.number} would begin at byte {piece.offset} of "
                    f"{piece.file.name}, which is {piece.file.size} bytes long; copy that again"
                )
    if data:
        raise DamagedImageError(
            f"{sheet}: names no file for track {data[0].track.number}, which has data; add it there"
        )
