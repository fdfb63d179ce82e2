"""What Nero writes behind the sectors of an image, of both versions."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class DaoTrack:
    """A track written at once: where its pregap, it and what follows begin in the file."""

    number: int
    start: int
    pregap_at: int
    at: int
    end_at: int
    mode: int = 0
    stride: int = 2048
    pregap: int = 150
    control: int = 4
    isrc: bytes = b""
    indexes: Sequence[int] = ()


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk with its head."""
    return name + struct.pack(">I", len(body)) + body


def _cue(v1: bool, control: int, track: int, index: int, lba: int) -> bytes:
    track = track if track == 0xAA else int(str(track), 16)
    head = bytes([control << 4 | 1, track, int(str(index), 16), 0])
    if v1:
        lba += 150
        return head + bytes([0, lba // 4500, lba // 75 % 60, lba % 75])
    return head + struct.pack(">i", lba)


def dao(tracks: Sequence[DaoTrack], *, v1: bool = False, upc: bytes = b"") -> bytes:
    """The chunks of a session written at once."""
    cues = _cue(v1, tracks[0].control, 0, 0, tracks[0].start - tracks[0].pregap)
    body = struct.pack(
        ">I13sBHBB", 0, upc, 0, 0, tracks[0].number, tracks[-1].number
    )  # the length is rarely right
    for track in tracks:
        places = [track.start - track.pregap, track.start, *track.indexes]
        cues += b"".join(
            _cue(v1, track.control, track.number, index, lba) for index, lba in enumerate(places)
        )
        body += struct.pack(">12sHB3x", track.isrc, track.stride, track.mode)
        body += struct.pack(">III" if v1 else ">QQQ", track.pregap_at, track.at, track.end_at)
    last = tracks[-1]
    cues += _cue(v1, 0, 0xAA, 1, last.start + (last.end_at - last.at) // last.stride)
    return (
        chunk(b"CUES" if v1 else b"CUEX", cues)
        + chunk(b"DAOI" if v1 else b"DAOX", body)
        + chunk(b"SINF", struct.pack(">I", len(tracks)))
    )


def tao(tracks: Sequence[tuple[int, int, int, int]], *, v1: bool = False) -> bytes:
    """The chunks of a session written track by track: place, bytes, mode, LBA of each."""
    form = ">IIII4x" if v1 else ">QQII8x"
    body = b"".join(struct.pack(form, *track) for track in tracks)
    sinf = chunk(b"SINF", struct.pack(">I", len(tracks)))
    return chunk(b"ETNF" if v1 else b"ETN2", body) + sinf


def nrg(data: bytes, chunks: bytes, *, v1: bool = False) -> bytes:
    """The file with ``data`` before its chunks."""
    chunks += chunk(b"MTYP", struct.pack(">I", 1)) + chunk(b"END!", b"")
    footer = (
        struct.pack(">4sI", b"NERO", len(data)) if v1 else struct.pack(">4sQ", b"NER5", len(data))
    )
    return data + chunks + footer
