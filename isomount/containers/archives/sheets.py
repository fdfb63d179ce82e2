"""Files of an archive that are one image together: sheets and their data, pieces of one file."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence, Set

from isomount.containers import names
from isomount.containers.archives.pieces import series_of
from isomount.containers.base import Archive, Member
from isomount.errors import IsomountError

# As much of a sheet is looked at; one of a disc with 99 tracks has some 10 KB. They may have to be
# unpacked for that, and each data file is looked for in all: where there are more, names decide.
_SHEET_AT_MOST, _SHEETS_READ_AT_MOST, _MEMBERS_AT_MOST = 16 << 10, 32, 2000


def without_data(archive: Archive, members: Sequence[Member]) -> list[Member]:
    """``members`` without what a sheet among them describes, and with one of several sheets."""
    sheets = _sheets(members)
    stems, chosen = _stems(sheets), set(sheets.values())
    left = [
        member
        for member in members
        if member in chosen
        or not (_is_sheet(member.name) or _is_called_like_its_sheet(member.name, stems))
    ]
    doubtful = [member for member in left if _may_be_described(member.name, stems)]
    if not doubtful or len(members) > _MEMBERS_AT_MOST or len(sheets) > _SHEETS_READ_AT_MOST:
        return left
    texts = _texts(archive, sheets.values())
    described = {member for member in doubtful if _is_named(member.name, texts)}
    return [member for member in left if member not in described]


def without_later_pieces(members: Sequence[Member]) -> list[Member]:
    """``members`` with the first piece of a split file only."""
    there = {member.name for member in members}
    later: set[str] = set()
    for name in sorted(there):
        if name not in later and names.PIECE.search(name) is not None:
            series = series_of(name, there)
            later.update(series.names[1:] if series is not None else ())
    return [member for member in members if member.name not in later]


def _is_sheet(name: str) -> bool:
    return name.lower().endswith(names.SHEETS)


def _sheets(members: Sequence[Member]) -> dict[str, Member]:
    """The sheets by their names without endings; of several the best."""
    best: dict[str, Member] = {}
    sheets = [member for member in members if _is_sheet(member.name)]
    for sheet in sorted(sheets, key=lambda sheet: names.SHEETS.index(_ending(sheet.name))):
        best.setdefault(posixpath.splitext(sheet.name)[0].lower(), sheet)
    return best


def _stems(sheets: Mapping[str, Member]) -> dict[str, set[str]]:
    """What the sheets of each directory are called."""
    found: dict[str, set[str]] = {}
    for sheet in sheets.values():
        found.setdefault(posixpath.dirname(sheet.name), set()).add(names.stem(sheet.name).lower())
    return found


def _is_called_like_its_sheet(name: str, stems: Mapping[str, Set[str]]) -> bool:
    """Whether the name alone tells that it is the data of a sheet in the same directory."""
    beside = stems.get(posixpath.dirname(name), set())
    if names.stem(name).lower() in beside:
        return names.is_data(name)
    # Renamed, or one of several tracks: where there is one sheet it belongs to nothing else.
    return len(beside) == 1 and names.uncompressed(name).lower().endswith(names.SURELY_DATA)


def _may_be_described(name: str, stems: Mapping[str, Set[str]]) -> bool:
    """Whether a sheet in the same directory may be about the file ``name``."""
    return posixpath.dirname(name) in stems and names.is_data(name)


def _texts(archive: Archive, sheets: Iterable[Member]) -> dict[str, bytes]:
    """The text of all sheets in each directory, in lower case and without the zeros of UTF-16."""
    found: dict[str, bytes] = {}
    for sheet in sheets:
        directory = posixpath.dirname(sheet.name)
        text = _beginning(archive, sheet).replace(b"\0", b"").lower()
        found[directory] = found.get(directory, b"") + text + b"\n"
    return found


def _beginning(archive: Archive, sheet: Member) -> bytes:
    try:
        source = archive.open(sheet.name)
        try:
            return source.read_at(0, _SHEET_AT_MOST)
        finally:
            source.close()
    except (IsomountError, OSError):
        return b""  # what is wrong is said by who needs it


def _is_named(name: str, texts: Mapping[str, bytes]) -> bool:
    base = posixpath.basename(names.uncompressed(name)).lower()
    return base.encode("utf-8", "surrogateescape") in texts.get(posixpath.dirname(name), b"")


def _ending(name: str) -> str:
    return posixpath.splitext(name)[1].lower()
