"""BlindWrite's .b5t as bytes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

CD, DVD = 0x08, 0x10
AUDIO, MODE1, FORM1, DVD_DATA = 1, 2, 4, 6


@dataclass(frozen=True)
class Block:
    """Sectors side by side in the file ``name``."""

    start: int
    sectors: int
    name: str = "C:\\Images\\disc.B5I"
    offset: int = 0
    stride: int = 2352


@dataclass(frozen=True)
class BwTrack:
    """A track that begins with its pregap at ``start``, which is in its ``length``."""

    number: int
    start: int
    length: int
    kind: int = MODE1
    pregap: int = 150
    session: int = 1

    def entry(self) -> bytes:
        at = self.start + self.pregap + 150
        entry = struct.pack(
            "<B9xBxB5xBBBxI16xiiIIIH",
            self.kind, 4 if self.kind != AUDIO else 0, self.number,
            at // 4500, at // 75 % 60, at % 75, self.pregap,
            self.start, self.length, 0, 0, self.session, 0,
        )  # fmt: skip
        return entry + (b"" if self.kind == DVD_DATA else bytes(8))


def b5t(
    blocks: Sequence[Block],
    tracks: Sequence[BwTrack],
    *,
    medium: int = CD,
    catalog: bytes = b"",
    packs: bytes = b"",
) -> bytes:
    """The table of contents."""
    sessions = sorted({track.session for track in tracks})
    about = b"\1" * 56
    disc = struct.pack(
        "<32xHH12xB13sxx16xHHHHI12xII",
        medium, len(sessions), bool(catalog), catalog, 3, 5, len(packs),
        len(about) if medium == CD else 0, 0 if medium == CD else 7, 0 if medium == CD else 9,
        0 if medium == CD else len(about),
    )  # fmt: skip
    middle = b"\2" * 8 + bytes(4) + b"p" * 3 + b"a" * 5 + packs
    middle += b"" if medium == CD else b"b" * 7 + b"s" * 9
    data = struct.pack("<II", len(blocks), 6) + b"drive!"
    for block in blocks:
        name = block.name.encode("utf-16-le")
        data += struct.pack(
            "<II16xI12xiiI",
            0, (block.sectors * block.stride) & 0xFFFFFFFF, block.offset, block.start,
            block.sectors, len(name),
        ) + name + bytes(4)  # fmt: skip
    listed = b""
    for session in sessions:
        own = [track for track in tracks if track.session == session]
        end = own[-1].start + own[-1].length
        listed += struct.pack(
            "<HBBiiHH", session, len(own) + 3, 3, own[0].start, end, own[0].number, own[-1].number
        )
        listed += bytes(64) * 3 + b"".join(track.entry() for track in own)
    lengths = struct.pack("<IIIII", 8, 4, len(data), len(listed), 0)
    whole = b"BWT5 STREAM SIGN" + disc + bytes(112) + lengths + middle + about + data + listed
    return whole + struct.pack("<I", len(whole) + 20) + b"BWT5 STREAM FOOT"
