"""CD sectors in a file without a sheet (.bin, .img, .mdf, .raw, .iso), found by their bytes.

That is also what is left where the sheet is not to be found: one track, beginning where the header
of its first sector says.
"""

from collections.abc import Iterator

from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.discs.disc import SECTORS_A_SECOND, Disc, Mode, Run, Track
from isomount.containers.discs.layout import described, mode_of, raw_at, read
from isomount.containers.discs.sectors import (
    DESCRIPTOR,
    HEADED,
    IDENTIFIERS,
    LEAD,
    RAW,
    SECTOR,
    SUBCHANNELS,
    SYNC,
    Layout,
    header,
    is_scrambled,
)
from isomount.containers.discs.settle import BETWEEN_SESSIONS
from isomount.errors import NotAnImageError
from isomount.sources import Source

KIND = "raw CD sectors"
# What comes before the first sector is sought in: a pregap of zeros, or a header of whatever kind.
_SEARCHED = 1 << 20
# Patterns that look like a sync by chance; more of them are no dump of a disc.
_TRIED_AT_MOST = 64
_TRACKS_AT_MOST = 99
# What a disk and a tar archive are known by.
_BOOT_SIGNATURE, _TAR = slice(510, 512), 257
# A track has at least 4 seconds (IEC 60908).
_SHORTEST_TRACK = 4 * SECTORS_A_SECOND
_PRIMARY, _VOLUME_SIZE = b"\1CD001", slice(80, 84)
# Sectors side by side that are looked at for a header that can be read.
_DAMAGED = 32


def unpack(file: Source, surroundings: Surroundings) -> Disc:
    """The disc whose sectors ``file`` holds.

    Raises OtherKindError, or NotAnImageError where they cannot be read as they are.
    """
    found = _by_sync(file) or _by_descriptor(file)
    if found is None:
        raise OtherKindError
    return found


def _by_sync(file: Source) -> Disc | None:
    """Raw sectors that begin at the first two syncs in the distance of a sector."""
    head = read(file, 0, _SEARCHED)
    at = head.find(SYNC)
    first = at
    for _ in range(_TRIED_AT_MOST):
        if at < 0:
            break
        layout = raw_at(file, at)
        if layout is not None and (not any(head[:at]) or _is_shifted(file, head, at, layout)):
            return _disc(file, at, layout)
        if _is_repeated(file, at) and is_scrambled(head[at : at + HEADED]):
            raise NotAnImageError(
                f"{file.name}: holds scrambled CD sectors, as a drive reads them from the disc; "
                "have the program that made it (redumper, DiscImageCreator) write a .bin of it"
            )
        at = head.find(SYNC, at + 1)
    if first < 0 or any(head[:first]):
        return None
    if file.size < 2 * RAW:
        return _single(file, first)
    raise NotAnImageError(
        f"{file.name}: holds raw CD sectors, but not all of them: it is damaged; "
        "copy or download it again"
    )


def _is_shifted(file: Source, head: bytes, at: int, layout: Layout) -> bool:
    """Whether what comes before the first sector is a header of a dump.

    A disk or an archive that has a dump in it as a file is none.
    """
    is_disk = head[_BOOT_SIGNATURE] == b"\x55\xaa" or head.startswith(b"ustar", _TAR)
    return not is_disk and _leads(file, at, layout)


def _is_repeated(file: Source, at: int) -> bool:
    """Whether a sector after the one at byte ``at`` begins with a sync too."""
    return any(read(file, at + RAW + subchannel, len(SYNC)) == SYNC for subchannel in SUBCHANNELS)


def _single(file: Source, at: int) -> Disc | None:
    """A file of one raw sector."""
    found = header(read(file, at, HEADED))
    if found is None or found.mode is None or file.size - at < RAW:
        return None
    return _disc(file, at, Layout(RAW, RAW, HEADED))


def _by_descriptor(file: Source) -> Disc | None:
    """Sectors without sync, by a volume descriptor in its place."""
    layout = described(file, 0)
    if layout is None or layout.stride == layout.size == SECTOR:
        return None  # nothing to unpack
    return _disc(file, 0, layout)


def _disc(file: Source, offset: int, layout: Layout) -> Disc:
    """The disc whose sectors begin at byte ``offset``; what is no data behind them is left out."""
    count = (file.size - offset) // layout.stride
    if file.size - offset - count * layout.stride >= layout.size:
        count += 1  # the last one lacks its subchannel
    if layout.size == RAW:
        runs = tuple(_stretches(file, offset, layout, count))
    else:
        lba = 0 if _leads(file, offset, layout) else -LEAD
        runs = (_run(file, offset, layout, lba, count),)
    tracks: list[Track] = []
    session = 1
    for number, run in enumerate(runs, 1):
        if tracks and run.lba - runs[number - 2].end >= BETWEEN_SESSIONS:
            session += 1
        start = max(0, run.lba)
        tracks.append(Track(number, run.mode, start, run.end - start, session))
    return Disc(KIND, tuple(tracks), runs, files=(file,))


def _run(file: Source, offset: int, layout: Layout, lba: int, count: int) -> Run:
    mode = mode_of(layout, Mode.MODE1)
    return Run(lba, count, file, offset, layout.size, layout.stride, mode)


def _stretches(file: Source, offset: int, layout: Layout, count: int) -> Iterator[Run]:
    """Runs of raw sectors whose headers count on: what lay between sessions is left out of dumps.

    Where the last one has no header, in a track of audio, nothing is looked for; nor where there is
    no room for another track, as a far read of a compressed file takes long.
    """
    if count <= _volume_end(file, offset, layout) + _SHORTEST_TRACK:
        yield _run(file, offset, layout, 0, count)
        return
    first, last = (_ahead(file, offset, layout, index) for index in (0, count - 1))
    start = moved = 0
    if first is not None and last is not None and _ahead(file, offset, layout, 1) == first:
        for _ in range(_TRACKS_AT_MOST):
            here = _ahead(file, offset, layout, start)
            if here is None or not first + moved <= here <= last:
                break
            moved = here - first
            if here == last:
                break
            end = _end(file, offset, layout, range(start, count))
            place = offset + start * layout.stride
            yield _run(file, place, layout, start + moved, end - start)
            start = end
    place = offset + start * layout.stride
    yield _run(file, place, layout, start + moved, count - start)


def _volume_end(file: Source, offset: int, layout: Layout) -> int:
    """How many sectors the first volume says that it has; 0 without one (ECMA-119 8.4.8)."""
    for start in (0, LEAD):
        place = offset + (start + DESCRIPTOR) * layout.stride + layout.data_at
        descriptor = read(file, place, SECTOR)
        if descriptor.startswith(_PRIMARY):
            return start + int.from_bytes(descriptor[_VOLUME_SIZE], "little")
    return 0


def _ahead(file: Source, offset: int, layout: Layout, index: int) -> int | None:
    """How much further on a sector is on the disc than in the file; None without a header."""
    found = header(read(file, offset + index * layout.stride, HEADED))
    return None if found is None else found.lba - index


def _end(file: Source, offset: int, layout: Layout, among: range) -> int:
    """Where headers no longer count on from that of the first sector of ``among``."""
    here = _ahead(file, offset, layout, among.start)
    low, high = among.start, among.stop
    while high - low > 1:
        middle = (low + high) // 2
        # A damaged sector tells nothing; one of those after it does.
        near = (_ahead(file, offset, layout, each) for each in range(middle, high)[:_DAMAGED])
        known = next((each for each in near if each is not None), here)
        low, high = (middle, high) if known == here else (low, middle)
    return high


def _leads(file: Source, offset: int, layout: Layout) -> bool:
    """Whether the volume descriptors are where they are without a pregap."""
    start = offset + DESCRIPTOR * layout.stride + layout.data_at + 1
    return read(file, start, len(IDENTIFIERS[0])) in IDENTIFIERS
