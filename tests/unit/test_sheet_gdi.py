"""GDI files: each track at the LBA that is listed."""

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers import OtherKindError
from isomount.containers.discs.disc import Disc, Mode
from isomount.containers.discs.gdi import unpack
from isomount.errors import DamagedImageError, IsomountError, MissingImageError
from tests.command import PATIENCE
from tests.containers.shelf import audio, disc, track

SHEET = "3\n1 0 4 2352 track01.bin 0\n2 450 0 2352 track02.raw 0\n3 45000 4 2352 track03.bin 0\n"
FILES = {"track01.bin": track(0, 300), "track02.raw": audio(20), "track03.bin": track(45000, 40)}


def gdi(sheet: str, files: dict[str, bytes] = FILES) -> Disc:
    return disc(unpack, "disc.gdi", sheet, files)


def test_tracks_and_their_files() -> None:
    found = gdi(SHEET)
    assert found.kind == "GDI file"
    tracks = [(each.number, each.mode, each.session) for each in found.tracks]
    assert tracks == [(1, Mode.MODE1, 1), (2, Mode.AUDIO, 1), (3, Mode.MODE1, 2)]
    assert [(each.start, each.length) for each in found.tracks] == [
        (0, 300),
        (450, 20),
        (45000, 40),
    ]
    assert [(run.lba, run.sectors) for run in found.runs] == [(0, 300), (450, 20), (45000, 40)]
    assert found.end == 45040


@pytest.mark.parametrize(
    "sheet",
    [
        SHEET.replace("\n", "\r\n"),
        SHEET.replace("\n", "\r"),
        "\n" + SHEET.replace(" ", "   ").replace("\n", " \n\n"),
        SHEET.replace("track03.bin", '"track03.bin"'),
        SHEET.replace("track03.bin", "TRACK03.BIN"),
        SHEET.replace("track03.bin 0", "track03.bin"),
        SHEET.replace("track03.bin", ".\\track03.bin"),
        "\ufeff" + SHEET,
        SHEET + "4 99 4 2352 more.bin 0\n",
    ],
)
def test_sheets_as_they_come(sheet: str) -> None:
    assert [run.lba for run in gdi(sheet).runs] == [0, 450, 45000]


def test_names_with_blanks_and_directories() -> None:
    sheet = '2\n1 0 4 2048 "my game (1).iso" 0\n2 100 4 2048 ../my game.iso 2048\n'
    files = {"my game (1).iso": bytes(20 * 2048), "../my game.iso": bytes(20 * 2048)}
    found = gdi(sheet, files)
    assert [(run.lba, run.sectors, run.offset) for run in found.runs] == [
        (0, 20, 0),
        (100, 19, 2048),
    ]


def test_a_size_that_the_bytes_disprove() -> None:
    found = gdi(SHEET.replace("4 2352 track03", "4 2048 track03"))
    assert (found.runs[2].size, found.runs[2].sectors) == (2352, 40)


def test_a_track_that_is_longer_than_its_place() -> None:
    found = gdi(SHEET.replace("2 450", "2 250"))
    assert [(run.lba, run.sectors) for run in found.runs] == [(0, 250), (250, 20), (45000, 40)]


def test_missing_files() -> None:
    without = {name: data for name, data in FILES.items() if name != "track02.raw"}
    assert [run.lba for run in gdi(SHEET, without).runs] == [0, 45000]
    without = {name: data for name, data in FILES.items() if name != "track03.bin"}
    with pytest.raises(MissingImageError, match=r"track03\.bin"):
        gdi(SHEET, without)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("3\n1", "4\n1", "lists 3 tracks, but says that they are 4"),
        ("2 450 0", "2 x 0", 'line 3: "2 x 0 2352 track02.raw 0" is no track'),
        ("450 0 2352", "450 0 2222", "line 3: no disc has 2222 bytes a sector"),
        ("2 450", "0 450", "line 3: no disc has track number 0"),
        ("2 450", "2 46000", "line 4: sector 45000 is not after 46000"),
        ("track03.bin", "disc.gdi", "names itself"),
        ("3\n1", "0\n1", "lists 0 tracks"),
    ],
)
def test_mistakes_are_named(old: str, new: str, words: str) -> None:
    with pytest.raises(DamagedImageError, match=r"disc\.gdi") as raised:
        gdi(SHEET.replace(old, new))
    assert words in str(raised.value)


@given(st.text(alphabet=' \n0123456789"./abctrk', max_size=120))
@settings(max_examples=300)
def test_any_text_is_a_disc_or_a_sentence(text: str) -> None:
    for sheet in (text, f"1\n{text}", f"2\n1 0 4 2352 track01.bin 0\n{text}"):
        with suppress(IsomountError, OtherKindError):
            gdi(sheet)


def test_chdman_finds_the_same_tracks(tmp_path: Path) -> None:
    (tmp_path / "disc.gdi").write_text(SHEET)
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    _run(tmp_path, "createcd", "-i", "disc.gdi", "-o", "a.chd")
    said = _run(tmp_path, "info", "-i", "a.chd", "-v")
    # "FRAMES" of it counts up to the next track; "PAD" of that are not stored.
    frames = [int(part.split()[0]) for part in said.split("FRAMES:")[1:]]
    padded = [int(part.split()[0]) for part in said.split("PAD:")[1:]]
    lengths = [frame - pad for frame, pad in zip(frames, padded, strict=True)]
    assert lengths == [each.length for each in gdi(SHEET).tracks]


def _run(where: Path, *words: str) -> str:
    done = subprocess.run(
        ["chdman", *words], cwd=where, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    return done.stdout
