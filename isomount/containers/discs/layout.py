"""How sectors are really stored somewhere in a file: what a sheet says, unless the bytes disprove
it."""

from itertools import product

from isomount.containers.discs.disc import Mode, Run
from isomount.containers.discs.sectors import (
    DATA_AT,
    DESCRIPTOR,
    HEADED,
    IDENTIFIERS,
    LEAD,
    RAW,
    RAW_DATA_AT,
    SECTOR,
    SUBCHANNELS,
    SYNC,
    Layout,
    header,
)
from isomount.errors import IsomountError
from isomount.sources import Source

# Everything that is found: raw sectors by their sync, others by a volume descriptor in its place.
_SIZES = (
    (2048, 0),
    (2056, DATA_AT[2056]),
    (2332, DATA_AT[2332]),
    (2336, DATA_AT[2336]),
    *((RAW, at) for at in RAW_DATA_AT.values()),
)
_LAYOUTS = tuple(
    Layout(size, size + subchannel, at) for subchannel, (size, at) in product(SUBCHANNELS, _SIZES)
)
# Where a sector may stand that shows how all are stored. The first may be empty, as may those of
# the pregap; what a volume begins with is licence data on some discs.
_SHOWING = (0, DESCRIPTOR, LEAD, LEAD + DESCRIPTOR)


def read(file: Source, offset: int, length: int) -> bytes:
    """That range; nothing if it cannot be read: what is wrong shows when it is needed."""
    if offset < 0 or offset >= file.size:
        return b""
    try:
        return file.read_at(offset, length)
    except (IsomountError, OSError):
        return b""


def stated(run: Run) -> Layout:
    """How the sectors of ``run`` are stored by what its sheet says."""
    data_at = RAW_DATA_AT.get(run.mode, HEADED) if run.size == RAW else DATA_AT.get(run.size, 0)
    return Layout(run.size, max(run.stride, run.size, SECTOR), data_at)


def judged(run: Run) -> Layout:
    """How the sectors of ``run`` are stored, by their bytes where these tell."""
    said = stated(run)
    if said.size != RAW and _has_descriptor(run.file, run.offset, said):
        return said
    raw = raw_at(run.file, run.offset)
    if raw is None and said.size == RAW:
        raw = _by_sync(run.file, run.offset, said.stride)
    return raw or described(run.file, run.offset) or said


def raw_at(file: Source, offset: int) -> Layout | None:
    """How raw sectors are stored that begin at byte ``offset``, by two syncs; None if none do."""
    if read(file, offset, len(SYNC)) != SYNC:
        return None
    for subchannel in SUBCHANNELS:
        stride = RAW + subchannel
        if read(file, offset + stride, len(SYNC)) == SYNC:
            return _by_sync(file, offset, stride)
    return None


def described(file: Source, offset: int) -> Layout | None:
    """How sectors from byte ``offset`` on are stored, by a volume descriptor among them."""
    return next((each for each in _LAYOUTS if _has_descriptor(file, offset, each)), None)


def _by_sync(file: Source, offset: int, stride: int) -> Layout | None:
    """The layout of raw sectors, by the mode in the header of one of them."""
    for number in _SHOWING:
        found = header(read(file, offset + number * stride, HEADED))
        if found is not None and found.mode is not None:
            return Layout(RAW, stride, RAW_DATA_AT[found.mode])
    return None


def is_data(run: Run) -> bool:
    """Whether the sectors of a run that its sheet calls audio are data all the same."""
    return (
        raw_at(run.file, run.offset) is not None
        and header(read(run.file, run.offset, HEADED)) is not None
    )


def lba_of(file: Source, offset: int, layout: Layout) -> int | None:
    """The LBA of the sector at byte ``offset``, by the header of one of those that begin there.

    None where they have none.
    """
    if layout.size != RAW:
        return None
    for number in _SHOWING:
        found = header(read(file, offset + number * layout.stride, HEADED))
        if found is not None:
            return found.lba - number
    return None


def _has_descriptor(file: Source, offset: int, layout: Layout) -> bool:
    """Whether there is the first volume descriptor of a session, the pregap counted or not."""
    within = offset + layout.data_at + 1
    return any(
        read(file, within + number * layout.stride, len(identifier)) == identifier
        for number in (DESCRIPTOR, LEAD + DESCRIPTOR)
        for identifier in IDENTIFIERS
    )


def mode_of(layout: Layout, otherwise: Mode) -> Mode:
    """The mode of sectors stored so; ``otherwise`` where that does not tell."""
    if layout.size == RAW:
        return Mode.MODE1 if layout.data_at == RAW_DATA_AT[Mode.MODE1] else Mode.MODE2
    return otherwise if layout.size == SECTOR else Mode.MODE2
