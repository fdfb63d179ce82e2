"""The data files of a binary sheet, which are renamed with it as often as not."""

from collections.abc import Sequence
from contextlib import suppress
from posixpath import basename, splitext

from isomount.containers.discs.files import DataFiles
from isomount.errors import MissingImageError
from isomount.sources import Source

# The stem of a name that stands for that of the sheet.
_SAME_NAME = "*"


def opened(sheet: Source, files: DataFiles, names: Sequence[str]) -> dict[str, Source]:
    """The file of each of ``names``. Raises ImageUnreadableError or DamagedImageError."""
    names = list(dict.fromkeys(names))
    # Of several parts none stands for another.
    endings = (".mdf", ".b6i", ".b5i", ".img", ".iso", ".bin") if len(names) == 1 else ()
    return {name: _opened(sheet, files, name, endings) for name in names}


def _opened(sheet: Source, files: DataFiles, name: str, endings: Sequence[str]) -> Source:
    stem, ending = splitext(basename(name.replace("\\", "/")))
    renamed = splitext(basename(sheet.name))[0] + ending
    if stem == _SAME_NAME:
        return files.open(renamed, endings)
    try:
        return files.open(name, endings)
    except MissingImageError:
        if ending and renamed != basename(sheet.name):
            with suppress(MissingImageError):
                return files.open(renamed, endings)
        raise
