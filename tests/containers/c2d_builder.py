"""WinOnCD's .c2d as bytes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

WINONCD, ROXIO = b"Adaptec CeQuadrat VirtualCD File", b"Roxio Image File Format 3.0"
NOWHERE = 0xFFFFFFFF


@dataclass(frozen=True)
class C2dBlock:
    """A part of a track; ``offset`` counts from where the sectors begin."""

    track: int
    first: int
    last: int
    offset: int = 0
    stride: int = 2048
    mode: int = 1
    index: int = 1
    session: int = 1
    flags: int = 4
    isrc: bytes = b""
    is_compressed: bool = False


def c2d(
    data: bytes,
    blocks: Sequence[C2dBlock],
    *,
    signature: bytes = WINONCD,
    catalog: bytes = b"",
    packs: bytes = b"",
) -> bytes:
    """The file: a header, CD-Text, blocks, sectors."""
    size = 32 + 2 + 2 + 13 + 1 + 2 + 4 + 4 + 4 + 128 + 4
    at = size + len(packs)
    start = at + 44 * len(blocks)
    head = struct.pack(
        "<32sHH13sxHIII128sI",
        signature, size, bool(catalog), catalog, len(blocks), len(packs), at, 0, b"disc", 0,
    )  # fmt: skip
    entries = b"".join(
        struct.pack(
            "<IiiQI12sBBBBBBH",
            44,
            block.first,
            block.last,
            NOWHERE if block.offset == NOWHERE else start + block.offset,
            block.stride,
            block.isrc,
            block.flags,
            block.session,
            block.track,
            block.index,
            block.mode,
            block.is_compressed,
            0,
        )
        for block in blocks
    )
    return head + packs + entries + data
