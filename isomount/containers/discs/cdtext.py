"""CD-Text as discs have it: packs of 12 characters (MMC-3 annex J, "CD-TEXT Format")."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

# What a pack is about, and what it says of which track.
_NAMES = {
    0x80: "TITLE",
    0x81: "PERFORMER",
    0x82: "SONGWRITER",
    0x83: "COMPOSER",
    0x84: "ARRANGER",
    0x85: "MESSAGE",
}
_HEADER, _PAYLOAD = 4, 12
# The most that a block of packs holds, times its eight languages.
_PACKS_AT_MOST = 256 * 8
_DOUBLE_BYTE, _BLOCK = 0x80, 0x70

Texts = Mapping[int, Mapping[str, str]]


def texts(packs: Iterable[bytes]) -> Texts:
    """What the packs of the first language say of each track by name; of the disc as track 0.

    A pack is 4 bytes of header and 12 of text, with or without its checksum.
    """
    runs: dict[int, tuple[int, bytearray]] = {}
    wide: set[int] = set()
    for count, pack in enumerate(packs):
        if len(pack) < _HEADER + _PAYLOAD or count >= _PACKS_AT_MOST:
            break
        kind, track, _, position = pack[:_HEADER]
        if kind in _NAMES and not position & _BLOCK:
            runs.setdefault(kind, (track, bytearray()))[1].extend(pack[_HEADER:][:_PAYLOAD])
            if position & _DOUBLE_BYTE:
                wide.add(kind)
    said: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for kind, (first, run) in runs.items():
        for track, text in enumerate(_split(bytes(run), kind in wide), first):
            if text:
                said[track][_NAMES[kind]] = text
    return said


def _split(run: bytes, is_wide: bool) -> list[str]:
    """The texts of one kind, which follow each other with NULs behind; a tab repeats the last."""
    encoding = "cp932" if is_wide else "latin-1"
    found: list[str] = []
    for text in run.decode(encoding, "replace").split("\0"):
        found.append(found[-1] if text.strip("\t") == "" and text and found else text)
    return found
