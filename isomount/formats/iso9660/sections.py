"""Files of several sections (ECMA-119 6.5.1): consecutive records with the same identifier."""

from collections.abc import Iterator
from typing import Any

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.formats.iso9660.records import MULTI_EXTENT, Decode, Record, RecordArea, decoded
from isomount.formats.node import Entry

# A section can hold almost 4 GiB: more sections than this are an attack on our memory.
_SECTIONS_AT_MOST = 65536


def files(
    reader: Reader, area: RecordArea, address: int, decode: Decode, damage: Damage
) -> Iterator[tuple[Record, ...] | list[Entry]]:
    """The records from ``address`` on, by file with all its sections, or runs of entries.

    A directory has only one section (ECMA-119 6.8.1), so its multi-extent flag is ignored.
    """
    sections: list[Record] = []

    def decode_whole(*given: Any) -> list[Entry]:
        return [] if sections else decode(*given)

    for record in decoded(reader, area, address, damage, decode_whole):
        if isinstance(record, list):
            yield record
            continue
        if sections and record.identifier != sections[0].identifier:
            damage.note(sections[0].address, "the last section of a file is missing")
            sections.clear()
        if len(sections) <= _SECTIONS_AT_MOST:
            sections.append(record)
        if record.flags & MULTI_EXTENT and not record.is_directory:
            continue
        if len(sections) <= _SECTIONS_AT_MOST:
            yield tuple(sections)
        else:
            damage.note(sections[0].address, "a file has more sections than are read")
        sections.clear()
    if sections:
        damage.note(sections[0].address, "the last section of a file is missing")
