"""From a file of sectors to the sheet beside it, which knows what tracks they are."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile
from posixpath import basename, splitext

from isomount.containers.base import OtherKindError, Siblings, Surroundings
from isomount.containers.discs.disc import Disc
from isomount.containers.discs.files import COMPRESSED
from isomount.containers.discs.stored import read
from isomount.containers.discs.text import decodings, folded
from isomount.containers.recognise import candidates, is_plain
from isomount.errors import ImageUnreadableError, IsomountError
from isomount.sources import Source

# Sheets that name their files, and all that are called as their file is.
_NAMING = (".cue", ".toc", ".gdi")
_ENDINGS = (*_NAMING, ".ccd", ".mds", ".b5t", ".b6t")
# In a directory of many discs, those whose names are the most like the file's.
_SHEETS_AT_MOST = 64
# No more of a sheet is searched for a name.
_SEARCHED = 1 << 18


def disc_beside(file: Source, surroundings: Surroundings) -> Disc | None:
    """The disc of a sheet beside ``file`` that names it; None if there is none that can be read."""
    name = basename(file.name)
    for sheet in _sheets(name, surroundings.siblings, is_plain(file)):
        disc = _disc(sheet, surroundings)
        if disc is None:
            continue
        if any(basename(each.name) == name for each in disc.files):
            return disc
        disc.close()
    return None


def _sheets(name: str, siblings: Siblings, is_plain_image: bool) -> Iterator[Source]:
    """Sheets that may be that of the file ``name``, the likeliest first.

    A plain image tells most by itself: the directory is not searched for its sake.
    """
    stem, ending = splitext(name)
    if ending.lower() in COMPRESSED:
        stem = splitext(stem)[0]
    called = [base + each for base in (stem, name) for each in _ENDINGS]
    for each in (*called, *(stem + each.upper() for each in _ENDINGS)):
        with suppress(ImageUnreadableError):
            yield siblings.open(each)
    if not is_plain_image:
        yield from _naming(name, siblings, called)


def _naming(name: str, siblings: Siblings, tried: list[str]) -> Iterator[Source]:
    """Sheets that have the name in them."""
    others = [
        each
        for each in siblings.names()
        if each.lower().endswith(_NAMING) and each not in tried and each != name
    ]
    others.sort(key=lambda each: -_common(folded(each), folded(name)))
    for each in others[:_SHEETS_AT_MOST]:
        with suppress(ImageUnreadableError):
            sheet = siblings.open(each)
            if _says(sheet, name):
                yield sheet
            else:
                sheet.close()


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _says(sheet: Source, name: str) -> bool:
    """Whether the name is in the sheet, whatever became of its endings."""
    stem, ending = splitext(folded(name))
    if ending in COMPRESSED:
        stem = splitext(stem)[0]
    texts = decodings(read(sheet, 0, min(_SEARCHED, sheet.size)))
    return any(stem in folded(text) for text in texts)


def _disc(sheet: Source, surroundings: Surroundings) -> Disc | None:
    """The disc that ``sheet`` describes, which is closed if it describes none."""
    found = None
    with suppress(IsomountError, OSError):
        for kind in candidates(sheet):
            with suppress(OtherKindError):
                found = kind.unpack(sheet, surroundings)
                break
    if isinstance(found, Disc):
        return found
    (sheet if found is None else found).close()
    return None
