"""DiscJuggler's list of tracks, of versions 2, 3 and 4."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

V2, V3, V4 = 0x80000004, 0x80000005, 0x80000006
_MARK = bytes.fromhex("000001000000ffffffff")
_CODES = {2048: 0, 2336: 1, 2352: 2, 2368: 3, 2448: 4}


@dataclass(frozen=True)
class CdiTrack:
    """A track; ``start`` is the LBA of its pregap, counted from two seconds before LBA 0."""

    start: int
    pregap: int
    length: int
    mode: int = 1
    stride: int = 2352
    control: int = 4
    isrc: bytes = b""
    indexes: Sequence[int] = ()
    texts: Sequence[bytes] = ()


def _head(version: int, name: bytes) -> bytes:
    head = bytes(4) + _MARK + _MARK + bytes(4) + bytes([len(name)]) + name + bytes(19)
    if version == V4:
        return head + struct.pack("<II2xH", 0x80000000, 360000, 0x98)
    return head + bytes(4)


def _track(version: int, track: CdiTrack, session: int, number: int) -> bytes:
    lengths = [track.pregap, track.length - sum(track.indexes), *track.indexes]
    body = _head(version, b"C:\\\x93\xfa\x96{\\game.iso")
    body += struct.pack("<H", len(lengths)) + b"".join(struct.pack("<I", n) for n in lengths)
    texts = b"".join(bytes([len(text)]) + text for text in track.texts)
    body += struct.pack("<I", bool(texts)) + (texts.ljust(len(texts) + 18 - len(track.texts), b"\0")
                                              if texts else b"")  # fmt: skip
    body += bytes(2) + struct.pack(
        "<IIIIII", track.mode, 0, session, number, track.start, track.pregap + track.length
    )
    body += bytes(16) + struct.pack("<II9x", _CODES[track.stride], track.control)
    body += struct.pack("<12sI", track.isrc, bool(track.isrc))
    if version == V4:
        body += bytes(5) + b"\xff" * 4 + bytes(78)
    elif version == V3:
        body += bytes(9)
    return body


def cdi(
    data: bytes,
    sessions: Sequence[Sequence[CdiTrack]],
    version: int = V4,
    *,
    catalog: bytes = b"",
    packs: bytes = b"",
) -> bytes:
    """The file with ``data``, the sectors of all tracks, before the list."""
    listed = struct.pack("<H", len(sessions))
    number = 0
    for session, tracks in enumerate(sessions):
        listed += struct.pack("<H", len(tracks))
        for track in tracks:
            listed += _track(version, track, session, number)
            number += 1
        listed += bytes(12 if version == V2 else 13)
    listed += bytes(2) + _head(version, b"disc")
    listed += struct.pack("<I", 0) + b"\4DISC" + bytes(9)
    listed += struct.pack("<13sII", catalog, bool(catalog), len(packs)) + packs + bytes(12)
    place = len(listed) + 8 if version == V4 else len(data)
    return data + listed + struct.pack("<II", version, place)
