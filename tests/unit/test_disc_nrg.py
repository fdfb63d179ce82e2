"""Nero images: both versions, written at once or track by track."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers import OtherKindError
from isomount.containers.discs.disc import Disc, Mode
from isomount.containers.discs.nrg import unpack
from isomount.errors import DamagedImageError
from tests.containers.nrg_builder import DaoTrack, chunk, dao, nrg, tao
from tests.containers.tracks import MemoryFile, audio, data_of, packs, stored, surroundings, volume

IMAGE = volume()


def opened(file: bytes) -> Disc:
    return unpack(MemoryFile("disc.nrg", file), surroundings())


def content(disc: Disc) -> bytes:
    source = data_of(disc)
    return source.read_at(0, source.size)


@pytest.mark.parametrize("v1", [False, True])
@pytest.mark.parametrize(
    ("code", "size", "mode", "subchannel"),
    [
        (0, 2048, 1, 0), (2, 2048, 2, 0), (3, 2336, 2, 0), (5, 2352, 1, 0), (6, 2352, 2, 0),
        (0x0F, 2352, 1, 96), (0x11, 2352, 2, 96),
    ],
)  # fmt: skip
def test_written_at_once(v1: bool, code: int, size: int, mode: int, subchannel: int) -> None:
    stride = size + subchannel
    at, end = 150 * stride, 174 * stride
    data = bytes(at) + stored(IMAGE, size, mode, subchannel=subchannel)
    track = DaoTrack(1, 0, 0, at, end, code, stride, isrc=b"USRC17607839")
    disc = opened(nrg(data, dao([track], v1=v1, upc=b"4006381333931"), v1=v1))
    assert content(disc) == IMAGE
    assert disc.catalog == "4006381333931"
    (found,) = disc.tracks
    assert (found.start, found.length, found.pregap) == (0, 24, 150)
    assert found.isrc == "USRC17607839"
    assert [(run.lba, run.size, run.stride) for run in disc.runs] == [(0, size, stride)]


@pytest.mark.parametrize("v1", [False, True])
def test_written_track_by_track(v1: bool) -> None:
    data = IMAGE + audio(10)
    tracks = [(0, len(IMAGE), 0, 0), (len(IMAGE), 23520, 7, 24 + 150)]
    disc = opened(nrg(data, tao(tracks, v1=v1), v1=v1))
    assert content(disc) == IMAGE
    assert [(t.mode, t.start, t.length, t.pregap) for t in disc.tracks] == [
        (Mode.MODE1, 0, 24, 150),
        (Mode.AUDIO, 174, 10, 150),
    ]


def test_data_audio_and_cd_text() -> None:
    data = bytes(150 * 2352) + stored(IMAGE) + audio(160)
    at = 174 * 2352
    tracks = [
        DaoTrack(1, 0, 0, 150 * 2352, at, 5, 2352),
        DaoTrack(2, 174, at, at + 150 * 2352, at + 160 * 2352, 7, 2352, control=1, indexes=[179]),
    ]
    said = packs({0: "An Album", 1: "Data", 2: "A Song of some length"})
    disc = opened(nrg(data, dao(tracks) + chunk(b"CDTX", said)))
    song = disc.tracks[1]
    assert (song.start, song.length, song.pregap, song.indexes) == (174, 10, 150, (179,))
    assert song.flags == {"PRE"}
    assert song.texts == {"TITLE": "A Song of some length"}
    assert disc.texts == {"TITLE": "An Album"}
    # The song's pregap is stored between the two.
    assert [(run.lba, run.sectors, run.mode) for run in disc.runs] == [
        (0, 24, Mode.MODE1),
        (24, 160, Mode.AUDIO),
    ]


def test_two_sessions_at_once() -> None:
    second = volume(11424)
    data = bytes(307200) + IMAGE + bytes(307200) + second
    at = 307200 + len(IMAGE)
    chunks = dao([DaoTrack(1, 0, 0, 307200, at)])
    chunks += dao([DaoTrack(2, 11424, at, at + 307200, len(data))])
    disc = opened(nrg(data, chunks))
    source = data_of(disc)
    assert source.read_at(0, len(IMAGE)) == IMAGE
    assert source.read_at(11424 * 2048, len(second)) == second
    assert [track.session for track in disc.tracks] == [1, 2]


@pytest.mark.parametrize("said", [11424, 11274, 11574, 0])
def test_a_later_session_is_where_its_volume_says(said: int) -> None:
    second = volume(11424 if said else 174)
    chunks = tao([(0, len(IMAGE), 0, 0)])
    chunks += tao([(len(IMAGE), len(second), 0, said)])
    disc = opened(nrg(IMAGE + second, chunks))
    assert disc.tracks[1].start == (11424 if said else 174)
    assert disc.tracks[1].session == 2


def test_an_unknown_mode_goes_by_the_control_field() -> None:
    at = 150 * 2352
    data = bytes(at) + stored(IMAGE)
    disc = opened(nrg(data, dao([DaoTrack(1, 0, 0, at, len(data), 0x33, 2352)])))
    assert content(disc) == IMAGE


def test_a_damaged_list_behind_a_plain_image_is_left_out() -> None:
    with pytest.raises(OtherKindError):
        opened(nrg(IMAGE, b"no chunks"))
    with pytest.raises(OtherKindError):
        opened(IMAGE + b"NER5" + struct.pack(">Q", 1 << 60))
    with pytest.raises(OtherKindError):
        opened(b"NER5")


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        (b"no chunks", "lists no track"),
        (b"CUEX\xff\xff\xff\xff", "lists no track"),
        (dao([DaoTrack(1, 0, 0, 9, 5)]), "track 1 ends before it begins"),
        (dao([DaoTrack(1, 0, 1 << 40, 1 << 41, 1 << 42)]), "would begin at byte"),
        (tao([(0, 2048, 0, 0)] * 300), "more than 255 tracks"),
        (chunk(b"DAOX", bytes(10)), "lists no track"),
        (chunk(b"ETN2", bytes(1 << 19)), "lists no track"),
    ],
)
def test_damaged(chunks: bytes, words: str) -> None:
    with pytest.raises(DamagedImageError, match=words):
        opened(nrg(bytes(400000), chunks))


def test_the_list_is_past_the_end() -> None:
    with pytest.raises(DamagedImageError, match="should be at byte 99999"):
        opened(bytes(40000) + b"NERO" + struct.pack(">I", 99999))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30), st.integers(0, 200)), min_size=1))
def test_every_sector_is_at_its_lba(tracks: list[tuple[bool, int, int]]) -> None:
    """Data and audio tracks of any length and pregap, all stored side by side."""
    data, laid, lba = b"", list[DaoTrack](), -150
    for number, (is_data, length, pregap) in enumerate(tracks[:99], 1):
        pregap = 150 if number == 1 else pregap
        at, start = len(data), lba + pregap
        sectors = b"".join(struct.pack("<i", n) * 588 for n in range(lba, start + length))
        data += sectors
        laid.append(
            DaoTrack(
                number,
                start,
                at,
                at + pregap * 2352,
                len(data),
                5 if is_data else 7,
                2352,
                pregap,
                4 if is_data else 0,
            )
        )
        lba = start + length
    disc = opened(nrg(data, dao(laid)))
    assert [t.start for t in disc.tracks] == [t.start for t in laid]
    for run in disc.runs:
        for n in (0, run.sectors - 1):
            told = run.file.read_at(run.offset + n * run.stride, 4)
            assert struct.unpack("<i", told) == (run.lba + n,)
    assert sum(run.sectors for run in disc.runs) == lba
