"""BlindWrite's tables of contents."""

import pytest

from isomount.containers.discs.blindwrite import unpack
from isomount.containers.discs.disc import Disc, Mode
from isomount.errors import DamagedImageError, ImageUnreadableError, NotAnImageError
from tests.containers.blindwrite_builder import (
    AUDIO,
    DVD,
    DVD_DATA,
    FORM1,
    MODE1,
    Block,
    BwTrack,
    b5t,
)
from tests.containers.tracks import MemoryFile, audio, data_of, packs, stored, surroundings, volume

IMAGE = volume()
PREGAP = b"".join([bytes(2352)] * 150)


def opened(sheet: bytes, files: dict[str, bytes], name: str = "disc.b5t") -> Disc:
    return unpack(MemoryFile(name, sheet), surroundings(files))


def content(disc: Disc) -> bytes:
    source = data_of(disc)
    return source.read_at(0, source.size)


@pytest.mark.parametrize("subchannel", [0, 16, 96])
@pytest.mark.parametrize(("kind", "mode"), [(MODE1, 1), (FORM1, 2)])
def test_a_data_disc_with_its_pregap(subchannel: int, kind: int, mode: int) -> None:
    stride = 2352 + subchannel
    data = bytes(150 * stride) + stored(IMAGE, mode=mode, subchannel=subchannel)
    sheet = b5t(
        [Block(-150, 174, stride=stride)], [BwTrack(1, -150, 174, kind)], catalog=b"4006381333931"
    )
    disc = opened(sheet, {"disc.b5i": data})
    assert content(disc) == IMAGE
    assert disc.catalog == "4006381333931"
    (track,) = disc.tracks
    assert (track.start, track.length, track.pregap) == (0, 24, 150)
    assert track.mode is (Mode.MODE1 if mode == 1 else Mode.MODE2)


def test_sectors_from_lba_0_on() -> None:
    sheet = b5t([Block(0, 24)], [BwTrack(1, -150, 174)])
    assert content(opened(sheet, {"disc.b5i": stored(IMAGE)})) == IMAGE


def test_data_audio_and_a_second_session() -> None:
    last = volume(12000)
    data = stored(IMAGE) + audio(160) + PREGAP + stored(last, lba=12000)
    blocks = [Block(0, 184), Block(11850, 174, offset=184 * 2352)]
    tracks = [
        BwTrack(1, -150, 174),
        BwTrack(2, 24, 160, AUDIO),
        BwTrack(3, 11850, 174, session=2),
    ]
    disc = opened(b5t(blocks, tracks, packs=packs({0: "Disc", 2: "Song"})), {"disc.b5i": data})
    assert [(t.start, t.length, t.session) for t in disc.tracks] == [
        (0, 24, 1),
        (174, 10, 1),
        (12000, 24, 2),
    ]
    assert [(r.lba, r.sectors, r.mode) for r in disc.runs] == [
        (0, 24, Mode.MODE1),
        (24, 160, Mode.AUDIO),
        (11850, 174, Mode.MODE1),
    ]
    assert data_of(disc).read_at(12000 * 2048, len(last)) == last
    assert disc.texts == {"TITLE": "Disc"}


def test_a_dvd_in_parts() -> None:
    image = volume(sectors=50)
    blocks = [Block(0, 30, "x.B00", 0, 2048), Block(30, 20, "x.B01", 0, 2048)]
    sheet = b5t(blocks, [BwTrack(1, 0, 50, DVD_DATA, 0)], medium=DVD)
    disc = opened(sheet, {"x.b00": image[: 30 * 2048], "x.b01": image[30 * 2048 :]})
    assert content(disc) == image
    # Renamed with their table.
    files = {"disc.b00": image[: 30 * 2048], "disc.b01": image[30 * 2048 :]}
    assert content(opened(sheet, files)) == image
    with pytest.raises(ImageUnreadableError, match=r"B01"):
        opened(sheet, {"x.b00": image})


def test_version_4_is_refused() -> None:
    with pytest.raises(NotAnImageError, match=r"BlindWrite 4.*name the \.bwi"):
        opened(b"BLINDWRITE TOC FILE" + bytes(500), {}, "disc.bwt")


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (b"BWT5 STREAM SIGN", "is cut off or damaged"),
        (b5t([Block(0, 24)], [BwTrack(1, -150, 174)])[:480], "is cut off or damaged"),
        (b5t([Block(0, 24)] * 1001, [BwTrack(1, -150, 174)]), "lists 1001 blocks"),
        (b5t([Block(0, 24, stride=77)], [BwTrack(1, -150, 174)]), "sectors of 77 bytes"),
        (b5t([Block(0, 24)], []), "lists no track"),
        (b5t([Block(0, 24, offset=1 << 30)], [BwTrack(1, -150, 174)]), "would begin at byte 10737"),
    ],
)
def test_damaged(sheet: bytes, words: str) -> None:
    with pytest.raises(DamagedImageError, match=words):
        opened(sheet, {"disc.b5i": stored(IMAGE)})
