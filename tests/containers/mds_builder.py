"""Alcohol's .mds as bytes (version 1)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

AUDIO, MODE1, MODE2, FORM1 = 0xA9, 0xAA, 0xAB, 0xAC


@dataclass(frozen=True)
class MdsTrack:
    """A track block; ``names`` are those of its files."""

    number: int
    start: int
    length: int
    offset: int = 0
    mode: int = MODE1
    stride: int = 2352
    pregap: int = 150
    control: int = 4
    names: Sequence[str] = ("*.mdf",)
    has_subchannel: bool = False
    session: int = 1


def mds(
    tracks: Sequence[MdsTrack], *, medium: int = 0, wide: bool = False, version: int = 1
) -> bytes:
    """The descriptor of a CD, or of a DVD with ``medium`` 0x10."""
    sessions = sorted({track.session for track in tracks})
    at = 88 + 24 * len(sessions)
    head = struct.pack(
        "<16sBBHH58xII", b"MEDIA DESCRIPTOR", version, 3, medium, len(sessions), 88, 0
    )
    count = 3 * len(sessions) + len(tracks)
    tail_at = at + 80 * count
    blocks, tail = b"", b""
    for session in sessions:
        own = [track for track in tracks if track.session == session]
        end = own[-1].start + own[-1].length
        head += struct.pack(
            "<iiHBBHHII",
            own[0].start - 150, end, session, len(own) + 3, 3, own[0].number, own[-1].number, 0,
            at + len(blocks),
        )  # fmt: skip
        for point in (0xA0, 0xA1, 0xA2):
            blocks += struct.pack("<BBBBB", 0, 0, 0x14, 0, point).ljust(80, b"\0")
        for track in own:
            extra = track.length
            if not medium:
                extra = tail_at + len(tail)
                tail += struct.pack("<II", track.pregap, track.length)
            footer = tail_at + len(tail)
            names = [
                name.encode("utf-16-le") + b"\0\0" if wide else name.encode("cp1252") + b"\0"
                for name in track.names
            ]
            place = footer + 16 * len(names)
            for name in names:
                tail += struct.pack("<IIII", place, wide, 0, 0)
                place += len(name)
            tail += b"".join(names)
            blocks += struct.pack(
                "<BBBBB7xIH18xIQII24x",
                track.mode, 8 if track.has_subchannel else 0, 0x10 | track.control, 0, track.number,
                extra, track.stride, track.start, track.offset, len(names), footer,
            )  # fmt: skip
    return head + blocks + tail
