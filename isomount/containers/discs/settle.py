"""A disc as its bytes say that it is: what a sheet leaves out or has wrong is put right."""

import dataclasses
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from isomount.containers.discs.disc import Disc, Mode, Run, Track
from isomount.containers.discs.layout import is_data, judged, lba_of, mode_of, read
from isomount.containers.discs.sectors import DESCRIPTOR, SECTOR, Layout
from isomount.sources import Source

# The shortest space between two sessions: lead-out, lead-in and pregap, after which a new one
# begins (a first session's lead-out is longer).
BETWEEN_SESSIONS = 6900 - 150
# Of a primary volume descriptor (ECMA-119 8.4): what it begins with, and the root's extent.
_PRIMARY, _ROOT_EXTENT = b"\1CD001", slice(158, 162)


class DataRun(NamedTuple):
    """``sectors`` sectors of data from ``lba`` on, stored from byte ``offset`` of ``file``."""

    lba: int
    sectors: int
    file: Source
    offset: int
    layout: Layout
    mode: Mode

    @property
    def end(self) -> int:
        """The LBA after the last sector."""
        return self.lba + self.sectors

    def place(self, lba: int) -> int:
        """The byte of the file at which the sector ``lba`` begins."""
        return self.offset + (lba - self.lba) * self.layout.stride


class Settled(NamedTuple):
    """A disc with everything put right, and its data."""

    disc: Disc
    data: list[DataRun]


def settle(disc: Disc, cached: Callable[[Source], Source]) -> Settled:
    """``disc`` by its bytes. ``cached`` makes of a file one to read from again and again."""
    files = {id(run.file): cached(run.file) for run in disc.runs}
    said = [run._replace(file=files[id(run.file)]) for run in disc.runs]
    if all(run.mode is Mode.AUDIO for run in said):  # that may be wrong: see before refusing
        said = [run._replace(mode=Mode.MODE1) if is_data(run) else run for run in said]
    runs = [_stored(run, said) for run in said]
    moves = _moves(runs)
    moved = [_moved(run, move) for run, move in zip(runs, moves, strict=True)]
    tracks = _tracks(disc, said, moved)
    return Settled(
        dataclasses.replace(disc, runs=tuple(map(_described, moved)), tracks=tracks),
        [run for run in moved if isinstance(run, DataRun) and run.sectors > 0],
    )


def _stored(run: Run, all_runs: Sequence[Run]) -> Run | DataRun:
    """A run of data as it is stored, as far as its file reaches; of audio as it is."""
    if run.mode is Mode.AUDIO:
        return run
    layout = judged(run)
    count = run.sectors
    if layout.stride != run.stride:  # the sheet counted its sectors by a wrong size
        later = (each.offset for each in all_runs if each.file is run.file)
        end = min((offset for offset in later if offset > run.offset), default=run.file.size)
        count = (end - run.offset) // layout.stride
    there = (run.file.size - run.offset - layout.used) // layout.stride + 1
    count = max(0, min(count, there)) if run.offset >= 0 else 0
    return DataRun(run.lba, count, run.file, run.offset, layout, mode_of(layout, run.mode))


def _moves(runs: Sequence[Run | DataRun]) -> list[int]:
    """By how many sectors each run stands elsewhere than its sheet says.

    What comes after a run whose sheet left a gap out has moved with it.
    """
    moves: list[int] = []
    move = 0
    for run in runs:
        if isinstance(run, DataRun) and run.sectors:
            move = _true_lba(run, move) - run.lba
        moves.append(move)
    placed = [_moved(run, move) for run, move in zip(runs, moves, strict=True)]
    if all(one.end <= other.lba for one, other in pairwise(placed)):
        return moves
    return [0] * len(runs)  # they would lie over each other: headers that make no sense


def _true_lba(run: DataRun, move: int) -> int:
    """Where ``run`` begins: by its sheet, with ``move`` of what comes before, or by its header."""
    said = run.lba + move
    found = lba_of(run.file, run.offset, run.layout)
    if found is None or found == said:
        return said
    if _leads_to_root(run, found):
        return found
    # Sheets leave gaps out. That a header is too small is a sign of a tool that made it up.
    return said if found < said or _leads_to_root(run, said) else found


def _leads_to_root(run: DataRun, lba: int) -> bool:
    """Whether the volume in ``run`` has its root in place if the first sector is ``lba``."""
    for start in {0, -lba} if lba < 0 else {0}:
        descriptor = _data(run, start + DESCRIPTOR)
        if not descriptor.startswith(_PRIMARY):
            continue
        root = int.from_bytes(descriptor[_ROOT_EXTENT], "little")
        # A directory begins with its own record, which has its extent (ECMA-119 9.1.3).
        if root and _data(run, root - lba)[2:6] == descriptor[_ROOT_EXTENT]:
            return True
    return False


def _data(run: DataRun, index: int) -> bytes:
    """The user data of the sector of that number of ``run``; nothing if it is not there."""
    if not 0 <= index < run.sectors:
        return b""
    return read(run.file, run.offset + index * run.layout.stride + run.layout.data_at, SECTOR)


def _moved(run: Run | DataRun, move: int) -> Run | DataRun:
    if isinstance(run, DataRun):
        return run._replace(lba=run.lba + move)
    return run._replace(lba=run.lba + move)


def _described(run: Run | DataRun) -> Run:
    """The run for a Disc."""
    if isinstance(run, Run):
        return run
    layout = run.layout
    return Run(run.lba, run.sectors, run.file, run.offset, layout.size, layout.stride, run.mode)


def _tracks(disc: Disc, said: Sequence[Run], moved: Sequence[Run | DataRun]) -> tuple[Track, ...]:
    """The tracks as their runs are: at their place, and of their mode.

    A gap between sessions that the sheet does not know of begins a new one.
    """
    tracks: list[Track] = []
    session = before = 0
    for track in disc.tracks:
        # The run in which it begins, or the last one before it.
        at = max((at for at, run in enumerate(said) if run.lba <= track.start), default=None)
        move = 0 if at is None else moved[at].lba - said[at].lba
        if disc.sessions == 1 and move - before >= BETWEEN_SESSIONS and tracks:
            session += 1
        before = move
        is_stored = at is not None and track.start < said[at].end
        tracks.append(
            dataclasses.replace(
                track,
                mode=moved[at].mode if at is not None and is_stored else track.mode,
                start=track.start + move,
                indexes=tuple(index + move for index in track.indexes),
                session=track.session + session,
            )
        )
    return tuple(tracks)
