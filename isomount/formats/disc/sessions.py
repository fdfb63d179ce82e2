"""Sessions: several volumes, one after the other, in one image file.

Each later session has descriptors 16 sectors after its start, and everything in it counts from the
disc's start. That tells a session from an image that lies in the volume as a file, whose addresses
count from itself.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import UsageError
from isomount.formats.iso9660.descriptors import (
    FIRST_SECTOR,
    SECTOR,
    VolumeDescriptor,
    first_primary,
    read_descriptors,
)
from isomount.formats.iso9660.records import LOST, SELF, read_record
from isomount.formats.options import ViewOptions
from isomount.formats.udf.recognition import anchor_displacement, session_anchors
from isomount.formats.udf.sequence import partitions_end
from isomount.sources import is_end_near

_PRIMARY = b"\1CD001"
_RECOGNITION = b"\0BEA01"
# xorriso keeps the first session's descriptors here when it emulates a table of contents.
_EMULATED_TOC = 32
# What lies between two sessions: nothing but padding in a file, closure and intro on a DVD+R,
# lead-out and lead-in on a CD, the longer ones after its first session.
_GAPS = (0, 2048, 6900, 11400)
# A track is longer than the volume in it: padding, run-out, at least 300 sectors on a CD.
_SEARCHED = 512
# Before a session that was written to its place alone.
_BLANK_AT_MOST = 16384
_SESSIONS_AT_MOST = 1000
_CANDIDATES_AT_MOST = 32
_READ_AT_ONCE = 32
# Partitions end with a cylinder, of at most 255 heads and 63 sectors, the image may do before.
_CYLINDER_AT_MOST = 255 * 63 * 512
# A session stored alone begins with its directories, whose number bounds where the root's can be.
_ROOT_SOUGHT_IN = 4096


class Session(NamedTuple):
    """The session that is shown: its first 2048-byte sector, its number from 1, of how many."""

    start: int = 0
    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"session {self.number} of {self.of}" if self.of > 1 else ""

    def applied_to(self, options: ViewOptions) -> ViewOptions:
        """``options`` with the place of this session instead of a number."""
        if self.of == 1 and not self.start:
            return dataclasses.replace(options, session=None)
        return dataclasses.replace(options, session=None, sbsector=self.start)


def choose_session(
    reader: Reader, options: ViewOptions, damage: Damage, known: Mapping[int, int] | None = None
) -> Session:
    """The session that ``options`` ask for: without a choice the newest whole one.

    ``known`` are the first sectors of sessions by their numbers; without any they are sought.
    Raises UsageError when the image has no such session.
    """
    if options.sbsector is not None:
        return Session(options.sbsector)
    found = known or dict(enumerate(sessions(reader), 1))
    numbers, starts = list(found), list(found.values())
    if options.session in (None, -1):
        index = _newest_whole(reader, starts, damage)
    elif options.session in numbers:
        index = numbers.index(options.session)
    elif options.session in starts[1:]:
        index = starts.index(options.session)  # as Linux's udf driver counts: by its sector
    else:
        raise UsageError(f"session={options.session}: {_numbered_words(numbers)}")
    start = starts[index]
    if starts == [_EMULATED_TOC]:
        start = 0  # the same volume: what stands at sector 16 has been kept up to date
    return Session(start, numbers[index], numbers[-1])


def _numbered_words(numbers: list[int]) -> str:
    """Which sessions there are."""
    count = numbers[-1]
    words = f"the image has {count} session{'s' if count > 1 else ''}, counted from 1"
    if len(numbers) == count:
        return words
    return f"{words}; those with files: {', '.join(map(str, numbers))}"


def sessions(reader: Reader) -> list[int]:
    """The first sectors of all sessions, oldest first, the last ones perhaps not whole."""
    found = [_first(reader)]
    if found == [0] and not is_end_near(reader) and _is_partitioned_to_the_end(reader):
        return found  # as a distribution's image is: to look behind its volume takes minutes
    while len(found) < _SESSIONS_AT_MOST:
        following = _following(reader, found[-1])
        if following is None:
            break
        found.append(following)
    return found[1:] if len(found) > 1 and _is_no_session(reader, found) else found


def missing_front(reader: Reader) -> int:
    """How many sectors come before the session that this image holds alone; 0 if it does not.

    What its descriptors lead to then stands that much nearer to the image's start. Only where
    nothing is in its place is it sought.
    """
    primary = read_descriptors(reader, 0).primary
    if primary is None:
        return anchor_displacement(reader)
    wanted = primary.root.extent * primary.block_size
    if primary.high_sierra or _begins_directory(reader, wanted):
        return 0
    found = _root_found(reader, primary.root.extent)
    return 0 if found is None else max(0, wanted // SECTOR - found)


def _is_no_session(reader: Reader, found: list[int]) -> bool:
    """Whether the first of ``found`` is none: nothing, or a copy of the last one's descriptors.

    There is nothing before a session that was written to its place alone; growisofs has the start
    of the disc lead to the last session.
    """
    if found[0] or any(session_anchors(reader, 0)):
        return False
    root = _root_start(reader, 0)
    return root is None or root == _root_start(reader, found[-1])


def bytes_missing(reader: Reader, session: int) -> int:
    """By how many bytes the image is too short for the volume of that session; 0 if it is whole.

    For an image of which nothing can be shown: only descriptors are read.
    """
    return max(0, (_end(reader, session) or 0) * SECTOR - reader.size)


def _first(reader: Reader) -> int:
    """Where the first session's descriptors are kept, less 16 sectors."""
    if _descriptor_at(reader, _EMULATED_TOC) == _PRIMARY and _is_session(reader, _EMULATED_TOC):
        # What stands at sector 16 is then a copy of the last session's descriptors.
        return _EMULATED_TOC
    return 0


def _is_partitioned_to_the_end(reader: Reader) -> bool:
    """Whether the partition table in the system area knows of all that is behind the volume.

    A session that was added since would be behind what that table calls the disk.
    """
    try:
        from isomount.formats.disc.partitions import mbr_ends  # only of streams

        ends = mbr_ends(reader)
    except LOST:
        return False
    near = range(reader.size - FIRST_SECTOR * SECTOR, reader.size + _CYLINDER_AT_MOST)
    return any(end in near for end in ends)


def _descriptor_at(reader: Reader, session: int) -> bytes:
    try:
        return reader.read((session + FIRST_SECTOR) * SECTOR, len(_PRIMARY))
    except LOST:
        return b""


def _following(reader: Reader, session: int) -> int | None:
    """The session after that one: the first one behind its volume's end."""
    for window in _windows(reader, session):
        for sector in islice(_descriptors(reader, window), _CANDIDATES_AT_MOST):
            if _is_session(reader, sector - FIRST_SECTOR):
                return sector - FIRST_SECTOR
    return None


def _windows(reader: Reader, session: int) -> Iterator[range]:
    """The sectors where the next session's descriptors may begin, in order, each once."""
    end = _end(reader, session)
    if end is None:
        if session == 0 and _begins_blank(reader):
            yield range(FIRST_SECTOR + 1, _BLANK_AT_MOST)
        return
    searched = session + FIRST_SECTOR + 1
    # Some writers count from their session's start, others from the disc's.
    for start in sorted({counted + gap for counted in (end, session + end) for gap in _GAPS}):
        window = range(max(start + FIRST_SECTOR, searched), start + FIRST_SECTOR + _SEARCHED)
        if window:
            yield window
            searched = window.stop


def _begins_blank(reader: Reader) -> bool:
    """Whether nothing was written up to where the first descriptor would be."""
    try:
        return not any(reader.read(0, (FIRST_SECTOR + 1) * SECTOR))
    except LOST:
        return False


def _end(reader: Reader, session: int) -> int | None:
    """The sector where the volume of that session ends; None when there is no volume."""
    try:
        primary = read_descriptors(reader, session).primary
        if primary is not None:
            return primary.space_size * primary.block_size // SECTOR
        for anchor in session_anchors(reader, session):
            return partitions_end(reader, anchor) // SECTOR
    except LOST:
        pass
    return None


def _descriptors(reader: Reader, window: range) -> Iterator[int]:
    """The sectors of ``window`` with what begins a session's descriptors."""
    for sector in window[::_READ_AT_ONCE]:
        try:
            data = reader.read(sector * SECTOR, _READ_AT_ONCE * SECTOR)
        except LOST:
            # Between the sessions of a disc in a drive each attempt takes seconds.
            return
        if not data:
            return
        for at in range(0, len(data), SECTOR):
            if data.startswith((_PRIMARY, _RECOGNITION), at):
                yield sector + at // SECTOR


def _is_session(reader: Reader, session: int) -> bool:
    """Whether the addresses of what stands there count from the disc's start.

    Only what begins its descriptors is looked at: there may be many that only look like it.
    """
    try:
        primary = first_primary(reader, session)
        if primary is None:
            return any(session_anchors(reader, session))
        root = primary.root.extent * primary.block_size
        if root < reader.size:
            return root >= (session + FIRST_SECTOR) * SECTOR and _begins_directory(reader, root)
        return _leads_behind(session, primary)
    except LOST:
        return False


def _leads_behind(session: int, primary: VolumeDescriptor) -> bool:
    """Whether a volume that is cut off before its root can be that session's.

    Its path tables and its root then follow its descriptors. Those of an image that lies in the
    volume as a file count from itself, its path tables from 17 or so.
    """
    sectors = primary.block_size / SECTOR
    root = primary.root.extent * sectors
    return session + FIRST_SECTOR < root < session + min(
        primary.space_size * sectors, _ROOT_SOUGHT_IN
    ) and all(table.block * sectors > session + FIRST_SECTOR for table in primary.path_tables)


def _is_whole(reader: Reader, session: int) -> bool:
    """Whether the root directory of that session can be read."""
    try:
        root = _root_start(reader, session)
        if root is None:
            return any(session_anchors(reader, session))
        return root < reader.size and _begins_directory(reader, root)
    except LOST:
        return False


def _newest_whole(reader: Reader, starts: list[int], damage: Damage) -> int:
    """The index of the last session whose root can be read; what is passed over is noted."""
    for index in range(len(starts) - 1, 0, -1):
        if _is_whole(reader, starts[index]):
            return index
        damage.note(
            starts[index] * SECTOR,
            f"session {index + 1} is not whole, its root directory cannot be read: "
            "the one before is shown",
        )
    return 0


def _root_start(reader: Reader, session: int) -> int | None:
    """The byte that the primary descriptor gives for the root; None without a descriptor."""
    primary = read_descriptors(reader, session).primary
    return None if primary is None else primary.root.extent * primary.block_size


def _begins_directory(reader: Reader, start: int) -> bool:
    """Whether a directory's own record, with its own address, stands there."""
    record = read_record(reader, start, high_sierra=False)
    return (
        record is not None
        and record.identifier == SELF
        and record.is_directory
        and any(record.extent * size == start for size in (2048, 1024, 512))
    )


def _root_found(reader: Reader, extent: int) -> int | None:
    """The sector where the root directory that should be at ``extent`` begins."""
    address = extent.to_bytes(4, "little") + extent.to_bytes(4, "big")
    for sector in range(FIRST_SECTOR, _ROOT_SOUGHT_IN, _READ_AT_ONCE):
        data = reader.read(sector * SECTOR, _READ_AT_ONCE * SECTOR)
        if not data:
            return None
        for at in range(0, len(data), SECTOR):
            above = at + data[at]
            # The root is the directory above itself.
            if data.startswith(address, at + 2) and data.startswith(address, above + 2):
                return sector + at // SECTOR
    return None
