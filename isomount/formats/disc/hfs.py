"""HFS and HFS+ volumes, beside or in place of a disc's own file system: discs made for Macs."""

from typing import NamedTuple

from isomount.blocks import Reader
from isomount.errors import IsomountError
from isomount.formats.base import View
from isomount.formats.disc.partitions import read_partitions

# The master directory block (Inside Macintosh: Files, 2-60) and the volume header (TN1150).
_HEADER_AT = 1024
_KINDS = {b"BD": "HFS", b"H+": "HFS+", b"HX": "HFS+"}
# Where HFS wraps HFS+ (TN1150, "HFS Wrapper").
_EMBEDDED_AT = 0x7C


class HfsVolume(NamedTuple):
    """An HFS or HFS+ volume at byte ``start``; ``partition`` is its number, 0 without a table."""

    kind: str
    start: int
    partition: int

    @property
    def words(self) -> str:
        """For people: what it is and where."""
        where = f"partition {self.partition}" if self.partition else "a volume"
        return f"the files are in {where} ({self.kind}, from byte {self.start})"


def files_elsewhere(reader: Reader, view: View) -> str:
    """Where the files are, as a sentence, if ``view`` has none and an HFS volume is beside it.

    "" otherwise, and where that cannot be read.
    """
    try:
        if next(view.entries(reader, view.root), None) is not None:
            return ""
        volumes = hfs_volumes(reader)
    except (IsomountError, OSError):
        return ""
    if not volumes:
        return ""
    return (
        f"the {view.name} side of the disc is empty: {volumes[0].words}, which isomount does not "
        "read; 7z x unpacks it"
    )


def hfs_volumes(reader: Reader) -> list[HfsVolume]:
    """The HFS volumes of the image: in partitions, or in the image itself.

    Raises OSError or DamagedDataError when the image cannot be read there.
    """
    places = [(each.start, each.number) for each in read_partitions(reader)]
    found = []
    for start, number in [*dict.fromkeys(places), (0, 0)]:
        header = reader.read(start + _HEADER_AT, _EMBEDDED_AT + 2)
        kind = _KINDS.get(header[:2])
        if kind is not None:
            wrapped = _KINDS.get(header[_EMBEDDED_AT:])
            found.append(HfsVolume(wrapped or kind, start, number))
    return found
