"""Files of an archive that are one image together: sheets and their data, pieces of one file."""

import posixpath
from collections.abc import Sequence, Set
from typing import NamedTuple

from isomount.containers import names
from isomount.containers.archives.pieces import series_of
from isomount.containers.base import Archive, Member
from isomount.errors import IsomountError

# As much of a sheet is looked at; one of a disc with 99 tracks has some 10 KB. They may have to be
# unpacked for that, and each data file is looked for in all: where there are more, stems decide.
_SHEET_AT_MOST, _SHEETS_READ_AT_MOST, _MEMBERS_AT_MOST = 16 << 10, 32, 2000


class _Directory(NamedTuple):
    """What the sheets of a directory say: for which stems they are, and all of their text."""

    stems: Set[str]
    text: bytes


def without_data(archive: Archive, members: Sequence[Member]) -> list[Member]:
    """``members`` without what a sheet among them describes, and with one of several sheets."""
    sheets = _sheets(members)
    read = sheets[:_SHEETS_READ_AT_MOST] if len(members) <= _MEMBERS_AT_MOST else []
    directories = _directories(archive, sheets, read)
    chosen = set(sheets)
    return [
        member
        for member in members
        if member in chosen or not (_is_sheet(member.name) or _is_described(member, directories))
    ]


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


def _sheets(members: Sequence[Member]) -> list[Member]:
    """The sheets; of several with one stem the best."""
    best: dict[str, Member] = {}
    sheets = [member for member in members if _is_sheet(member.name)]
    for sheet in sorted(sheets, key=lambda sheet: names.SHEETS.index(_ending(sheet.name))):
        best.setdefault(posixpath.splitext(sheet.name)[0].lower(), sheet)
    return list(best.values())


def _directories(
    archive: Archive, sheets: Sequence[Member], read: Sequence[Member]
) -> dict[str, _Directory]:
    """The directories that have sheets, by their paths, with the text of those in ``read``."""
    stems: dict[str, set[str]] = {}
    texts: dict[str, list[bytes]] = {}
    for sheet in sheets:
        stem = names.stem(sheet.name).lower()
        stems.setdefault(posixpath.dirname(sheet.name), set()).add(stem)
    for sheet in read:
        texts.setdefault(posixpath.dirname(sheet.name), []).append(_text(archive, sheet))
    return {
        directory: _Directory(found, b"\n".join(texts.get(directory, ())))
        for directory, found in stems.items()
    }


def _text(archive: Archive, sheet: Member) -> bytes:
    """The beginning of a sheet, in lower case and without the zeros of UTF-16."""
    try:
        source = archive.open(sheet.name)
        try:
            return source.read_at(0, _SHEET_AT_MOST).replace(b"\0", b"").lower()
        finally:
            source.close()
    except (IsomountError, OSError):
        return b""  # what is wrong is said by who needs it


def _is_described(member: Member, directories: dict[str, _Directory]) -> bool:
    """Whether a sheet in the same directory is about ``member``."""
    directory = directories.get(posixpath.dirname(member.name))
    if directory is None or not names.is_data(member.name):
        return False
    if names.stem(member.name).lower() in directory.stems:
        return True
    # Renamed, or in another character set; but it belongs to nothing else.
    if len(directory.stems) == 1 and member.name.lower().endswith(names.SURELY_DATA):
        return True
    base = posixpath.basename(member.name).lower()
    return base.encode("utf-8", "surrogateescape") in directory.text


def _ending(name: str) -> str:
    return posixpath.splitext(name)[1].lower()
