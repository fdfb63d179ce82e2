"""CD-ROM XA (System Description CD-ROM XA, chapter 2): files in sectors of form 2.

Such a sector holds 2324 bytes where ISO 9660 counts 2048. The directory record says with its XA
attributes which files have some: movies of a Video CD, streams of a PlayStation disc.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from isomount.blocks import Concatenation, Content, Reader, read_coded
from isomount.errors import DamagedDataError
from isomount.formats.iso9660.content import section_start
from isomount.formats.iso9660.records import Record
from isomount.formats.iso9660.susp import has_xa

if TYPE_CHECKING:
    from isomount.containers.discs.source import DiscSource

_SECTOR, _FORM2 = 2048, 2324
_ATTRIBUTES = slice(4, 6)  # big-endian
_HAS_FORM2, _IS_INTERLEAVED = 0x1000, 0x2000
# Sectors that are read, and kept, together.
_TOGETHER = 32


class Form2Content(NamedTuple):
    """``sectors`` sectors from ``start`` on, 2324 bytes of each.

    Of sectors of form 1 among them these are data, checksums and corrections: nothing is lost, and
    the size is known without a look at each.
    """

    tracks: "DiscSource"
    start: int
    sectors: int

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.sectors * _FORM2

    @property
    def end(self) -> int:
        """The image byte after the last sector."""
        return (self.start + self.sectors) * _SECTOR

    @property
    def block_size(self) -> int:
        """The bytes of the sectors that are read together."""
        return _TOGETHER * _FORM2

    def read(self, reader: Reader, offset: int, length: int) -> bytes:
        """That range, short where the next sectors are lost."""
        length = max(0, min(length, self.size - offset))
        data = read_coded(reader, self, offset, length)
        if length and not data:
            raise DamagedDataError("the rest lies past the end of the image")
        return data

    def decode(self, reader: Reader, numbers: range) -> Iterator[bytes]:
        """The sectors of these blocks, less of them where the image ends."""
        for number in numbers:
            start = self.start + number * _TOGETHER
            end = min(self.start + self.sectors, reader.size // _SECTOR)
            yield self.tracks.form2(start, max(0, min(_TOGETHER, end - start)))


def form2_content(
    sections: Sequence[Record], block_size: int, tracks: "DiscSource"
) -> Content | None:
    """The content of a file that has sectors of form 2; None for any other.

    That is also the answer where the disc's sectors are not stored whole.
    """
    if not all(map(_is_form2, sections)):
        return None
    parts: list[Content] = []
    for record in sections:
        start, beside = divmod(section_start(record, block_size), _SECTOR)
        count = -(-record.data_length // _SECTOR)
        if beside or not count or not tracks.has_form2(start):
            return None
        parts.append(Form2Content(tracks, start, count))
    return parts[0] if len(parts) == 1 else Concatenation(parts)


def _is_form2(record: Record) -> bool:
    """Whether the XA attributes of a file say so, and ISO 9660 has its sectors side by side."""
    if not has_xa(record.system_use) or record.unit or record.gap:
        return False
    attributes = int.from_bytes(record.system_use[_ATTRIBUTES], "big")
    return bool(attributes & (_HAS_FORM2 | _IS_INTERLEAVED))
