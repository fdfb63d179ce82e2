"""CD-Text as a drive reads it from the lead-in: packs of 18 bytes (MMC-3 annex J)."""

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# Type, track, sequence, block and position, 12 bytes of text; a checksum that some writers leave
# zero.
_PACK = struct.Struct(">BBBB12s2x")
# Where a drive's answer has a header before the packs, it is this long.
_HEADER = 4
_TYPES = {
    0x80: "TITLE",
    0x81: "PERFORMER",
    0x82: "SONGWRITER",
    0x83: "COMPOSER",
    0x84: "ARRANGER",
    0x85: "MESSAGE",
    0x86: "DISC_ID",
}
# The first pack of this type begins with the number of the character set.
_SIZES = 0x8F
_CHARACTER_SETS = {0: "iso-8859-1", 1: "ascii", 0x80: "cp932"}
# In the fourth byte: two bytes a character; which language; characters of the text before this.
_IS_DOUBLE, _BLOCK, _POSITION = 0x80, 0x70, 0x0F
# More than any disc has, 8 languages with 256 packs each.
_PACKS_AT_MOST = 2048

# By the track's number, 0 for the whole disc, and then by the name that cue sheets have for it.
Texts = Mapping[int, Mapping[str, str]]


class _Pack(NamedTuple):
    """One pack of the first language."""

    type: int
    track: int
    place: int
    payload: bytes


def parse(data: bytes) -> Texts:
    """What ``data`` says in the first of its languages; nothing where it is no CD-Text."""
    if len(data) % _PACK.size == _HEADER:
        data = data[_HEADER:]
    packs = list(_packs(data[: _PACKS_AT_MOST * _PACK.size]))
    encoding = next(
        (_CHARACTER_SETS.get(pack.payload[0]) for pack in packs if pack.type == _SIZES), None
    )
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for number, name in _TYPES.items():
        for track, text in _strings([pack for pack in packs if pack.type == number]):
            said = text.decode(encoding or "iso-8859-1", "replace")
            if said == "\t":  # the same as the track before
                said = found.get(track - 1, {}).get(name, "")
            if said.strip():
                found[track][name] = said.strip()
    return dict(found)


def _packs(data: bytes) -> Iterator[_Pack]:
    for at in range(0, len(data) - _PACK.size + 1, _PACK.size):
        kind, track, _, place, payload = _PACK.unpack_from(data, at)
        if not place & _BLOCK:
            yield _Pack(kind, track & 0x7F, place, payload)


def _strings(packs: list[_Pack]) -> Iterator[tuple[int, bytes]]:
    """The texts with their tracks; one may begin in a pack and go on in the next."""
    begun = b""
    for pack in packs:
        if not pack.place & _POSITION:
            begun = b""
        *whole, begun = _split(begun + pack.payload, bool(pack.place & _IS_DOUBLE))
        yield from enumerate(whole, pack.track)


def _split(text: bytes, is_double: bool) -> list[bytes]:
    if not is_double:
        return text.split(b"\0")
    characters = [text[at : at + 2] for at in range(0, len(text), 2)]
    parts = [b""]
    for character in characters:
        if character == b"\0\0":
            parts.append(b"")
        else:
            parts[-1] += character
    return parts
