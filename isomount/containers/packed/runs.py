"""Images that are stored as runs of any length: zeros, bytes as they are, and packed ones."""

import threading
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from isomount import codecs
from isomount.blocks import Store
from isomount.containers.decoded import DecodedSource
from isomount.containers.packed.chunks import CHUNK_AT_MOST, EXPANSION_AT_MOST
from isomount.errors import DamagedDataError
from isomount.sources import Source

# Kinds of runs that need no codec.
ZERO, STORED = 0, 1
# What is kept as one where runs do not lie on a grid of one size.
_KEPT_AS_ONE = 64 << 10
# A grid of less is not worth it; of more it is not kept by who keeps decoded blocks.
_GRID = range(4 << 10, (4 << 20) + 1)


class Run(NamedTuple):
    """``length`` bytes of the image from ``start`` on, made of ``stored`` bytes at ``offset``."""

    start: int
    length: int
    kind: int
    offset: int
    stored: int


class RunTable:
    """Runs by where they start, in little memory."""

    def __init__(self) -> None:
        self._columns = tuple(array("Q") for _ in Run._fields)

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, number: int) -> Run:
        return Run(*(column[number] for column in self._columns))

    def add(self, run: Run) -> None:
        """Add a run, of numbers that have 64 bits."""
        for column, value in zip(self._columns, run, strict=True):
            column.append(value)

    def sort(self) -> None:
        """Put the runs into order, unless they are."""
        starts = self._columns[0]
        order = sorted(range(len(starts)), key=starts.__getitem__)
        if order != list(range(len(starts))):
            self._columns = tuple(
                array("Q", [column[number] for number in order]) for column in self._columns
            )

    @property
    def end(self) -> int:
        """The end of the run that ends last."""
        return max(map(sum, zip(*self._columns[:2], strict=True)), default=0)

    def at(self, offset: int) -> int:
        """The number of the last run that starts at ``offset`` or before; -1 if none does."""
        return bisect_right(self._columns[0], offset) - 1

    def grid(self) -> int | None:
        """The length of the longest packed run, if all packed ones start at multiples of it."""
        starts, lengths, kinds = self._columns[:3]
        packed = [number for number, kind in enumerate(kinds) if kind not in (ZERO, STORED)]
        length = max((lengths[number] for number in packed), default=0)
        if length in _GRID and not any(starts[number] % length for number in packed):
            return length
        return None


class RunsSource(DecodedSource):
    """A source made of runs. What no run has is zeros; of runs that overlap the later start wins.

    ``unpackers`` are the codecs of packed runs by their kinds.
    """

    def __init__(
        self,
        file: Source,
        size: int,
        runs: RunTable,
        unpackers: Mapping[int, codecs.Codec],
        store: Store,
    ) -> None:
        runs.sort()
        grid = runs.grid()
        super().__init__(file, size, grid or _KEPT_AS_ONE)
        self._runs = runs
        self._unpackers = unpackers
        # On a grid whoever keeps blocks keeps runs; else they are kept here.
        self._store = None if grid else store
        self._lock = threading.Lock()

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, out of as many runs as it touches."""
        end = offset + max(0, min(length, self.size - offset))
        pieces: list[bytes] = []
        number = self._runs.at(offset)
        while offset < end:
            following = self._runs[number + 1].start if number + 1 < len(self._runs) else end
            run_end = offset
            if number >= 0:
                run = self._runs[number]
                run_end = min(run.start + run.length, following, end)
                if run_end > offset:
                    pieces.append(self._piece(number, run, offset - run.start, run_end - offset))
            gap = min(following, end) - max(run_end, offset)
            if gap > 0:
                pieces.append(bytes(gap))
            offset = max(offset, min(following, end))
            number += 1
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, number: int, run: Run, within: int, length: int) -> bytes:
        if run.kind == ZERO:
            return bytes(length)
        if run.kind == STORED:  # what is stored of less is filled up
            wanted = max(0, min(length, run.stored - within))
            return self._exactly(number, run.offset + within, wanted).ljust(length, b"\0")
        if self._store is None:
            return self._unpacked(number, run)[within : within + length]
        kept = self._store.get((self, number), partial(self._one, number, run))
        return kept[within : within + length]

    def _one(self, number: int, run: Run) -> bytes:
        with self._lock:  # one at a time, as they may be large
            return self._unpacked(number, run)

    def _unpacked(self, number: int, run: Run) -> bytes:
        unpack = self._unpackers.get(run.kind)
        if unpack is None:
            raise DamagedDataError(f"run {number} is damaged: its type {run.kind:#x} is not known")
        if max(run.length, run.stored // EXPANSION_AT_MOST) > CHUNK_AT_MOST:
            raise DamagedDataError(f"run {number} is damaged: it has {run.length} bytes, packed")
        data = unpack(self._exactly(number, run.offset, run.stored), run.length)
        if len(data) < run.length:
            raise DamagedDataError(f"run {number} is damaged: it is too short")
        return data

    def _exactly(self, number: int, offset: int, length: int) -> bytes:
        stored = self._file.read_at(offset, length) if length else b""
        if len(stored) < length:
            raise DamagedDataError(f"run {number} is cut off")
        return stored
