"""CloneCD sheets: the table of contents, and where in the .img it leads."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers import OtherKindError
from isomount.containers.discs.ccd import unpack
from isomount.containers.discs.disc import Disc, Mode
from isomount.errors import DamagedImageError, IsomountError, MissingImageError
from tests.containers.shelf import audio, disc, track

RAW = 2352


def entry(number: int, session: int, point: int, control: int, lba: int) -> str:
    return (
        f"[Entry {number}]\nSession={session}\nPoint={point:#04x}\nADR=0x01\n"
        f"Control={control:#04x}\nTrackNo=0\nALBA=-150\nZero=0\nPLBA={lba}\n"
    )


ONE = (
    "[CloneCD]\nVersion=3\n[Disc]\nTocEntries=4\nSessions=1\nDataTracksScrambled=0\n"
    + entry(0, 1, 0xA0, 4, 4350)
    + entry(1, 1, 0xA1, 4, 4350)
    + entry(2, 1, 0xA2, 4, 20)
    + entry(3, 1, 1, 4, 0)
    + "[TRACK 1]\nMODE=1\nINDEX 1=0\n"
)
# Audio, and in a second session data.
TWO = (
    "[CloneCD]\nVersion=3\n"
    + entry(0, 1, 0xA2, 0, 300)
    + entry(1, 1, 1, 0, 0)
    + entry(2, 1, 2, 2, 200)
    + entry(3, 2, 0xA2, 4, 11720)
    + entry(4, 2, 3, 4, 11700)
    + "[TRACK 2]\nMODE=0\nINDEX 0=150\nINDEX 1=200\nINDEX 2=250\nISRC=DEMUA9800001\n"
    + "[TRACK 3]\nMODE=2\nINDEX 1=11700\n"
)


def ccd(sheet: str | bytes, image: bytes, name: str = "game.img") -> Disc:
    return disc(unpack, "game.ccd", sheet, {name: image})


def runs(found: Disc) -> list[tuple[int, int, int]]:
    return [(run.lba, run.sectors, run.offset) for run in found.runs]


@pytest.mark.parametrize(
    "sheet",
    [
        ONE,
        ONE.replace("\n", "\r\n"),
        "\ufeff" + ONE,
        ONE.lower(),
        ONE.replace("=", " = "),
        ONE.replace("Point=0x01", "Point=1").replace("Control=0x04", "Control=4"),
        ONE.replace("PLBA=0", "PMin=0\nPSec=2\nPFrame=0"),
        ONE.partition("[Entry 2]")[0] + ONE[ONE.index("[Entry 3]") :],
        "[CloneCD]\n[TRACK 1]\nMODE=1\nINDEX 1=0\n",
    ],
)
def test_one_track(sheet: str) -> None:
    found = ccd(sheet, track(0, 20))
    assert found.kind == "CloneCD sheet"
    assert [(each.number, each.start, each.length) for each in found.tracks] == [(1, 0, 20)]
    assert runs(found) == [(0, 20, 0)]
    assert found.runs[0].mode is Mode.MODE1


@pytest.mark.parametrize("name", ["game.IMG", "GAME.img", "game.bin"])
def test_the_image_is_called_as_the_sheet(name: str) -> None:
    assert runs(ccd(ONE, track(0, 20), name)) == [(0, 20, 0)]


@pytest.mark.parametrize(
    ("between", "at"), [(b"", 300), (bytes(150 * RAW), 450), (bytes(11400 * RAW), 11700)]
)
def test_two_sessions(between: bytes, at: int) -> None:
    """What is between them is not in the image, or only the pregap, or all of it."""
    found = ccd(TWO, audio(300) + between + track(11700, 20, mode=2))
    tracks = [(each.number, each.session, each.start, each.length) for each in found.tracks]
    assert tracks == [(1, 1, 0, 150), (2, 1, 200, 100), (3, 2, 11700, 20)]
    assert [each.pregap for each in found.tracks] == [0, 50, 150]
    second = found.tracks[1]
    assert (second.indexes, second.isrc) == ((250,), "DEMUA9800001")
    assert second.flags == {"DCP"}
    assert runs(found) == [(0, 300, 0), (11700, 20, at * RAW)]
    assert found.runs[-1].mode is Mode.MODE2


def test_the_control_field_knows_better_than_the_mode() -> None:
    assert ccd(ONE.replace("MODE=1", "MODE=0"), track(0, 20)).runs[0].mode is Mode.MODE1
    audio_disc = ONE.replace("Control=0x04", "Control=0x00")
    assert ccd(audio_disc, audio(20)).runs[0].mode is Mode.AUDIO


def test_cd_text() -> None:
    packs = [(0x80, 0, 0, b"Disc\0Song\0An"), (0x80, 2, 1, b"other\0\0\0\0\0\0\0")]
    packs.append((0x81, 0, 2, b"Me\0\t\0\0\0\0\0\0\0\0"))
    said = "[CDText]\nEntries=3\n"
    for number, (kind, first, place, text) in enumerate(packs):
        data = bytes((kind, first, place, 0)) + text
        said += f"Entry {number}={data.hex(' ')}\n"
    found = ccd(TWO + said, audio(300) + track(11700, 20, mode=2))
    assert found.texts == {"TITLE": "Disc", "PERFORMER": "Me"}
    assert [dict(each.texts) for each in found.tracks] == [
        {"TITLE": "Song", "PERFORMER": "Me"},
        {"TITLE": "Another"},
        {},
    ]


def test_mistakes_are_named() -> None:
    with pytest.raises(DamagedImageError, match=r'game\.ccd: \[ENTRY 3\]: Plba="x" is no number'):
        ccd(ONE.replace("PLBA=0", "PLBA=x"), track(0, 20))
    with pytest.raises(DamagedImageError, match="begins at sector 9999999, which no disc has"):
        ccd(ONE.replace("PLBA=0", "PLBA=9999999"), track(0, 20))
    with pytest.raises(DamagedImageError, match="lists no tracks"):
        ccd("[CloneCD]\n", b"")
    with pytest.raises(DamagedImageError, match="lists 100 tracks"):
        ccd("[CloneCD]\n" + "".join(entry(at, at, 1, 4, at) for at in range(100)), b"")
    with pytest.raises(MissingImageError, match=r"game\.img: is named by game\.ccd and missing"):
        disc(unpack, "game.ccd", ONE, {})
    with pytest.raises(OtherKindError):
        ccd("[Other]\n", b"")


VALUES = st.sampled_from(["0", "1", "0xa2", "4", "-150", "20", "449999", "x", "", "0x", "99"])
KEYS = st.sampled_from(
    ["Session", "Point", "ADR", "Control", "PLBA", "PMin", "MODE", "INDEX 0", "INDEX 1", "INDEX 2"]
)
TITLES = st.sampled_from(["Entry 0", "Entry 1", "Entry 2", "TRACK 1", "TRACK 99", "CDText", "Disc"])
LINES = st.one_of(
    TITLES.map(lambda title: f"[{title}]"),
    st.tuples(KEYS, VALUES).map("=".join),
    st.text(max_size=6),
)


@given(st.lists(LINES, max_size=40))
@settings(max_examples=300)
def test_any_text_is_a_disc_or_a_sentence(lines: list[str]) -> None:
    for head in ("[CloneCD]\n", TWO):
        with suppress(IsomountError, OtherKindError):
            found = ccd(head + "\n".join(lines), audio(3) + track(3, 3))
            assert all(run.sectors > 0 and run.lba >= 0 for run in found.runs)
