"""Alcohol's .mds: its tracks, where their sectors are, and what is refused of it."""

import pytest

from isomount.containers.discs.disc import Disc, Mode
from isomount.containers.discs.mds import unpack
from isomount.errors import DamagedImageError, ImageUnreadableError, NotAnImageError
from tests.containers.mds_builder import AUDIO, FORM1, MdsTrack, mds
from tests.containers.tracks import Files, MemoryFile, audio, data_of, stored, surroundings, volume


def opened(sheet: bytes, files: dict[str, bytes], name: str = "disc.mds") -> Disc:
    return unpack(MemoryFile(name, sheet), surroundings(files))


def content(disc: Disc) -> bytes:
    source = data_of(disc)
    return source.read_at(0, source.size)


@pytest.mark.parametrize("subchannel", [0, 96])
@pytest.mark.parametrize("wide", [False, True])
def test_a_data_disc(subchannel: int, wide: bool) -> None:
    image = volume()
    track = MdsTrack(1, 0, 24, stride=2352 + subchannel, has_subchannel=bool(subchannel))
    disc = opened(mds([track], wide=wide), {"disc.mdf": stored(image, subchannel=subchannel)})
    assert content(disc) == image
    assert disc.kind == "Alcohol image (MDS)"
    assert [(t.number, t.mode, t.start, t.length, t.pregap) for t in disc.tracks] == [
        (1, Mode.MODE1, 0, 24, 150)
    ]
    assert [(r.size, r.stride) for r in disc.runs] == [(2352, 2352 + subchannel)]
    disc.close()


def test_data_audio_and_a_second_session() -> None:
    first, last = volume(), volume(12000)
    data = stored(first) + audio(10) + stored(last, 2336, 2)
    tracks = [
        MdsTrack(1, 0, 24),
        MdsTrack(2, 174, 10, 24 * 2352, AUDIO, control=3),
        MdsTrack(3, 12000, 24, 34 * 2352, FORM1, 2336, session=2),
    ]
    disc = opened(mds(tracks), {"disc.mdf": data})
    assert disc.sessions == 2
    assert [track.session for track in disc.tracks] == [1, 1, 2]
    assert disc.tracks[1].flags == {"PRE", "DCP"}
    assert [run.mode for run in disc.runs] == [Mode.MODE1, Mode.AUDIO, Mode.MODE2]
    source = data_of(disc)
    assert source.read_at(0, len(first)) == first
    assert source.read_at(12000 * 2048, len(last)) == last
    with pytest.raises(OSError, match="sector 174 is in"):
        source.read_at(174 * 2048, 2048)


def test_a_dvd_in_two_files_cut_within_a_sector() -> None:
    image = volume(sectors=40)
    track = MdsTrack(1, 0, 40, mode=2, stride=2048, names=("*.mdf", "*.md1"))
    files = {"disc.mdf": image[:50000], "disc.md1": image[50000:]}
    disc = opened(mds([track], medium=0x10), files)
    assert content(disc) == image
    assert {file.name for file in disc.files} == {"disc.mdf", "disc.md1", "disc.mds"}


@pytest.mark.parametrize(
    ("said", "there"),
    [
        ("*.mdf", "disc.mdf"),
        ("*.mdf", "disc.MDF"),
        ("disc.mdf", "disc.mdf"),
        ("D:\\Images\\Old Name.MDF", "Old Name.mdf"),
        ("D:\\Images\\Old Name.MDF", "disc.mdf"),
        ("Grüße.mdf", "Grüße.mdf"),
        ("*.mdf", "disc.iso"),
    ],
)
def test_names(said: str, there: str) -> None:
    disc = opened(mds([MdsTrack(1, 0, 24, names=(said,))]), {there: stored(volume())})
    assert content(disc) == volume()


def test_a_renamed_pair_of_parts() -> None:
    data = stored(volume())
    track = MdsTrack(1, 0, 24, names=("old.mdf", "old.000"))
    disc = opened(mds([track]), {"disc.mdf": data[:30000], "disc.000": data[30000:]})
    assert content(disc) == volume()


def test_a_missing_mdf_is_named() -> None:
    with pytest.raises(ImageUnreadableError, match=r"disc\.mdf"):
        opened(mds([MdsTrack(1, 0, 24)]), {})


def test_open_files_are_closed_on_failure() -> None:
    near = surroundings({"a.mdf": b"", "disc.mds": b""})
    assert isinstance(near.siblings, Files)
    tracks = [MdsTrack(1, 0, 24, names=("a.mdf",)), MdsTrack(2, 24, 5, names=("b.mdf",))]
    with pytest.raises(ImageUnreadableError):
        unpack(MemoryFile("disc.mds", mds(tracks)), near)
    assert near.siblings.opened
    assert not any(file.is_open for file in near.siblings.opened)


def test_an_mdf_that_was_cut_off_serves_what_is_there() -> None:
    disc = opened(mds([MdsTrack(1, 0, 24)]), {"disc.mdf": stored(volume())[: 22 * 2352]})
    assert content(disc) == volume()[: 22 * 2048]


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (b"MEDIA DESCRIPTOR", "is cut off or damaged"),
        (mds([MdsTrack(1, 0, 24)])[:200], "is cut off or damaged"),
        (mds([MdsTrack(1, 0, 24)], version=7), "of version 7"),
        (mds([MdsTrack(1, 0, 24, stride=1000)]), "sectors of 1000 bytes"),
        (mds([MdsTrack(1, 0, 24, offset=1 << 40)]), "would begin at byte 1099511627776"),
        (mds([MdsTrack(0xA5, 0, 24)]), "lists no track"),
        (mds([MdsTrack(1, 0, 24)] * 200 + [MdsTrack(1, 0, 24, session=2)] * 80), "more than 255"),
    ],
)
def test_damaged(sheet: bytes, words: str) -> None:
    with pytest.raises(DamagedImageError, match=words):
        opened(sheet, {"disc.mdf": stored(volume())})


def test_encrypted_ones_are_refused() -> None:
    with pytest.raises(NotAnImageError, match=r"encrypted image of Daemon Tools.*cdemu load 0"):
        opened(b"MEDIA DESCRIPTOR\2\1" + bytes(100), {})
