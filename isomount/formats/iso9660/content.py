"""The contents of ISO 9660 files: file sections, interleaved or not (ECMA-119 6.4)."""

from collections.abc import Sequence
from typing import NamedTuple

from isomount.blocks import Concatenation, Content, Reader, SingleExtent
from isomount.formats.iso9660.records import Record


class Interleaved(NamedTuple):
    """A file section of units of ``unit`` bytes with gaps of ``gap`` bytes (ECMA-119 6.4.3.2)."""

    start: int
    size: int
    unit: int
    gap: int

    @property
    def end(self) -> int:
        """The image byte after the last one."""
        last = max(0, self.size - 1) // self.unit
        return self.start + last * self.gap + self.size

    def read(self, reader: Reader, offset: int, length: int) -> bytes:
        """That range, unit by unit."""
        pieces: list[bytes] = []
        length = min(length, self.size - offset)
        while length > 0:
            index, within = divmod(offset, self.unit)
            wanted = min(length, self.unit - within)
            run = SingleExtent(self.start + index * (self.unit + self.gap), self.unit)
            if pieces and run.start + within >= reader.size:
                break
            pieces.append(run.read(reader, within, wanted))
            if len(pieces[-1]) < wanted:
                break
            offset += wanted
            length -= wanted
        return b"".join(pieces)


def section_start(record: Record, block_size: int) -> int:
    """The image byte of a section's first data byte: after its extended attribute record."""
    if record.xar_length and record.unit and record.gap:
        # In an interleaved file, that record has a file unit of its own (ECMA-119 6.4.3.2).
        return (record.extent + record.unit + record.gap) * block_size
    return (record.extent + record.xar_length) * block_size


def content_of(sections: Sequence[Record], block_size: int, size_mask: int) -> Content:
    """The content of a file with those sections, joined byte for byte.

    ``size_mask`` is applied to each length (the option ``cruft`` clears the top byte).
    """
    parts = [_section(record, block_size, record.data_length & size_mask) for record in sections]
    return parts[0] if len(parts) == 1 else Concatenation(parts)


def _section(record: Record, block_size: int, size: int) -> Content:
    start = section_start(record, block_size)
    if record.unit and record.gap:
        return Interleaved(start, size, record.unit * block_size, record.gap * block_size)
    return SingleExtent(start, size)
