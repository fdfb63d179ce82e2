"""Images of WinOnCD and Instant Copy."""

import pytest

from isomount.containers.discs import c2d, pdi
from isomount.containers.discs.disc import Disc, Mode
from isomount.errors import DamagedImageError, NotAnImageError
from tests.containers.c2d_builder import NOWHERE, ROXIO, WINONCD, C2dBlock
from tests.containers.c2d_builder import c2d as written
from tests.containers.tracks import MemoryFile, audio, data_of, packs, stored, surroundings, volume

IMAGE = volume()


def opened(file: bytes) -> Disc:
    return c2d.unpack(MemoryFile("disc.c2d", file), surroundings())


def content(disc: Disc) -> bytes:
    source = data_of(disc)
    return source.read_at(0, source.size)


@pytest.mark.parametrize("signature", [WINONCD, ROXIO])
@pytest.mark.parametrize(
    ("size", "mode", "subchannel"),
    [(2048, 1, 0), (2048, 2, 0), (2336, 2, 0), (2352, 2, 0), (2352, 1, 96)],
)
def test_a_data_disc(signature: bytes, size: int, mode: int, subchannel: int) -> None:
    data = stored(IMAGE, size, mode, subchannel=subchannel)
    blocks = [C2dBlock(1, 0, 23, 0, size + subchannel, mode)]
    disc = opened(written(data, blocks, signature=signature, catalog=b"4006381333931"))
    assert content(disc) == IMAGE
    assert disc.catalog == "4006381333931"


def test_audio_with_indexes_texts_and_sessions() -> None:
    last = volume(12000)
    data = audio(100) + last
    blocks = [
        C2dBlock(1, 0, 9, 0, 2352, 0xFF, index=0, flags=2),
        C2dBlock(1, 10, 59, 10 * 2352, 2352, 0xFF, isrc=b"USRC17607839", flags=2),
        C2dBlock(1, 60, 99, NOWHERE, 2352, 0xFF, index=2, flags=2),
        C2dBlock(2, 12000, 12023, 100 * 2352, session=2),
    ]
    disc = opened(written(data, blocks, packs=packs({0: "Disc", 1: "Song"})))
    song, track = disc.tracks
    assert (song.start, song.length, song.pregap, song.indexes) == (10, 90, 10, (60,))
    assert song.isrc == "USRC17607839"
    assert song.flags == {"PRE"}
    assert song.texts == {"TITLE": "Song"}
    assert (track.start, track.session, track.mode) == (12000, 2, Mode.MODE1)
    assert [(run.lba, run.sectors) for run in disc.runs] == [(0, 10), (10, 90), (12000, 24)]
    assert data_of(disc).read_at(12000 * 2048, len(last)) == last


def test_compressed_ones_are_refused() -> None:
    with pytest.raises(NotAnImageError, match="is a compressed WinOnCD image"):
        opened(written(b"", [C2dBlock(1, 0, 23, is_compressed=True)]))


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (WINONCD, "is cut off or damaged"),
        (written(IMAGE, [C2dBlock(1, 0, 23)])[:200], "is cut off or damaged"),
        (written(IMAGE, []), "lists no track"),
        (written(IMAGE, [C2dBlock(1, 0, 23, stride=5)]), "sectors of 5 bytes"),
        (written(IMAGE, [C2dBlock(1, 0, 23, offset=1 << 40)]), "would begin at byte"),
        (written(IMAGE, [C2dBlock(n % 9, 0, 23) for n in range(300)]), "more than 255 tracks"),
        (written(IMAGE, [C2dBlock(1, 0, 23)] * 10000), "lists 10000 parts"),
    ],
)
def test_damaged(file: bytes, words: str) -> None:
    with pytest.raises(DamagedImageError, match=words):
        opened(file)


def test_instant_copy_is_what_follows_its_header() -> None:
    head = b"TTAFMPVOBCDIMG\1\0".ljust(304, b"\0")
    source = pdi.unpack(MemoryFile("disc.pdi", head + IMAGE), surroundings())
    assert source.read_at(0, source.size) == IMAGE
    with pytest.raises(DamagedImageError, match="ends with its header, at byte 304"):
        pdi.unpack(MemoryFile("disc.pdi", head), surroundings())
