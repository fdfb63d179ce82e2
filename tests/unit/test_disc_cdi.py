"""DiscJuggler images of all versions."""

import struct

import pytest

from isomount.containers import OtherKindError
from isomount.containers.discs.cdi import unpack
from isomount.containers.discs.disc import Disc, Mode
from isomount.errors import DamagedImageError
from tests.containers.cdi_builder import V2, V3, V4, CdiTrack, cdi
from tests.containers.tracks import MemoryFile, audio, data_of, packs, stored, surroundings, volume

IMAGE = volume()


def opened(file: bytes) -> Disc:
    return unpack(MemoryFile("disc.cdi", file), surroundings())


def content(disc: Disc) -> bytes:
    source = data_of(disc)
    return source.read_at(0, source.size)


@pytest.mark.parametrize("version", [V2, V3, V4])
@pytest.mark.parametrize(
    ("size", "mode", "subchannel"),
    [(2048, 1, 0), (2336, 2, 0), (2352, 1, 0), (2352, 2, 16), (2352, 1, 96)],
)
def test_a_data_disc(version: int, size: int, mode: int, subchannel: int) -> None:
    stride = size + subchannel
    data = bytes(150 * stride) + stored(IMAGE, size, mode, subchannel=subchannel)
    disc = opened(cdi(data, [[CdiTrack(0, 150, 24, mode, stride)]], version))
    assert content(disc) == IMAGE
    (track,) = disc.tracks
    assert (track.start, track.length, track.pregap) == (0, 24, 150)
    assert track.mode is (Mode.MODE1 if mode == 1 else Mode.MODE2)


@pytest.mark.parametrize("version", [V2, V3, V4])
def test_a_dreamcast_disc_that_starts_itself(version: int) -> None:
    image = volume(11702)
    data = bytes(150 * 2352) + audio(302) + bytes(150 * 2336) + stored(image, 2336, 2, 11702)
    sessions = [[CdiTrack(0, 150, 302, 0, control=0)], [CdiTrack(11702, 150, 24, 2, 2336)]]
    disc = opened(cdi(data, sessions, version))
    assert [(t.start, t.length, t.session) for t in disc.tracks] == [(0, 302, 1), (11702, 24, 2)]
    source = data_of(disc)
    assert source.read_at(11702 * 2048, len(image)) == image


@pytest.mark.parametrize(("said", "pregap"), [(11702, 150), (11702, 0), (11852, 0), (11552, 150)])
@pytest.mark.parametrize("size", [2048, 2336, 2352])
def test_a_session_is_where_its_sectors_say(said: int, pregap: int, size: int) -> None:
    """Writers count the start in several ways."""
    image = volume(11702)
    data = bytes(150 * 2352) + audio(302)
    data += bytes(pregap * size) + stored(image, size, 2, 11702)
    sessions = [[CdiTrack(0, 150, 302, 0)], [CdiTrack(said, pregap, 24, 2, size)]]
    disc = opened(cdi(data, sessions))
    assert disc.tracks[1].start == 11702
    assert disc.runs[-1].end == 11702 + 24


def test_audio_indexes_codes_and_texts() -> None:
    data = bytes(150 * 2352) + audio(100) + bytes(150 * 2352) + stored(IMAGE, lba=250)
    tracks = [
        CdiTrack(0, 150, 100, 0, control=2, isrc=b"USRC17607839", indexes=[40], texts=[b"A", b"B"]),
        CdiTrack(250, 150, 24),
    ]
    said = packs({0: "An Album", 1: "A Song"})
    disc = opened(cdi(data, [tracks], catalog=b"4006381333931", packs=said))
    song = disc.tracks[0]
    assert song.isrc == "USRC17607839"
    assert song.indexes == (60,)
    assert song.flags == {"DCP"}
    assert song.texts == {"TITLE": "A Song"}
    assert disc.texts == {"TITLE": "An Album"}
    assert disc.catalog == "4006381333931"
    assert (disc.tracks[1].start, disc.tracks[1].length) == (250, 24)


def test_the_mark_alone_is_chance() -> None:
    for place in (0, 1 << 31):
        with pytest.raises(OtherKindError):
            opened(bytes(9000) + struct.pack("<II", V4, place))
    with pytest.raises(OtherKindError):
        opened(IMAGE + struct.pack("<II", V3, 5))
    with pytest.raises(OtherKindError):
        opened(struct.pack("<I", V3))


@pytest.mark.parametrize(("version", "said"), [(V2, "2"), (V3, "3"), (V4, "3.5 or 4")])
def test_a_damaged_list_names_the_version(version: int, said: str) -> None:
    file = cdi(bytes(400000), [[CdiTrack(0, 150, 24)]], version)
    damaged = file[:400010] + b"damage" + file[400016:]
    with pytest.raises(DamagedImageError, match=f"of version {said} whose list.*CDEmu may open it"):
        opened(damaged)


def test_too_many_tracks() -> None:
    file = cdi(bytes(400000), [[CdiTrack(0, 0, 1)] * 300])
    with pytest.raises(DamagedImageError, match="is damaged or of an unknown form"):
        opened(file)
