"""Sessions: several volumes, one after the other, in one image file."""

from isomount.blocks import Reader
from isomount.errors import UsageError
from isomount.formats.iso9660.descriptors import FIRST_SECTOR, SECTOR, read_descriptors
from isomount.formats.options import ViewOptions

# xorriso keeps the first session's descriptors here when it emulates a table of contents.
_EMULATED_TOC = 32
# The next session begins after the lead-out and lead-in of its predecessor: at most 11,400 sectors
# on a CD, rounded up.
_SEARCHED_AT_MOST = 16384
_SESSIONS_AT_MOST = 1000


def session_start(reader: Reader, options: ViewOptions) -> int:
    """The 2048-byte sector at which the chosen session starts: 0 unless options say otherwise.

    Raises UsageError when the image has no such session.
    """
    if options.sbsector is not None:
        return options.sbsector
    if options.session is None:
        return 0
    starts = sessions(reader)
    if options.session == -1:
        return starts[-1]
    if not 1 <= options.session <= len(starts):
        raise UsageError(
            f"session={options.session}: the image has {len(starts)} session"
            f"{'s' if len(starts) > 1 else ''}, counted from 1"
        )
    return starts[options.session - 1]


def sessions(reader: Reader) -> list[int]:
    """The first sectors of all sessions, oldest first."""
    emulated = read_descriptors(reader, _EMULATED_TOC)
    start = 0
    if emulated.primary is not None and emulated.primary.address == _sector_16(_EMULATED_TOC):
        # Sector 16 then holds a copy of the last session's descriptors.
        start = _EMULATED_TOC
    found = [start]
    while len(found) < _SESSIONS_AT_MOST:
        following = _following(reader, found[-1])
        if following is None:
            return found
        found.append(following)
    return found


def _sector_16(session: int) -> int:
    return (session + FIRST_SECTOR) * SECTOR


def _following(reader: Reader, session: int) -> int | None:
    """The session after that one: the first primary descriptor behind its volume's end."""
    primary = read_descriptors(reader, session).primary
    if primary is None:
        return None
    end = primary.space_size * primary.block_size // SECTOR
    # Some writers count from their session's start, others from the disc's.
    first = max(end, session + FIRST_SECTOR + 1)
    for sector in range(first, first + _SEARCHED_AT_MOST):
        if reader.read(sector * SECTOR, 7) == b"\1CD001\1":
            return sector - FIRST_SECTOR
        if sector * SECTOR >= reader.size:
            return None
    return None
