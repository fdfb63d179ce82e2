"""TOC files of cdrdao, which itself is the second reader."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.blocks import Store
from isomount.containers import OtherKindError, Surroundings
from isomount.containers.discs.disc import Disc, Mode, Track
from isomount.containers.discs.files import DataFiles
from isomount.containers.discs.plan import placed
from isomount.containers.discs.toc import planned, unpack
from isomount.containers.discs.toc_sheet import parse
from isomount.errors import DamagedImageError, IsomountError, MissingImageError, NotAnImageError
from tests.command import PATIENCE
from tests.containers.shelf import MemorySource, Shelf, audio, disc, track
from tests.corpus import CORPUS

RAW = 2352
AUTHORS = CORPUS / "kinds" / "cdrdao__testtocs"


def toc(sheet: str | bytes, **files: bytes) -> Disc:
    """The disc of game.toc; "a_bin" is the file a.bin."""
    return disc(unpack, "game.toc", sheet, {k.replace("_", "."): v for k, v in files.items()})


def runs(found: Disc) -> list[tuple[int, int, int]]:
    return [(run.lba, run.sectors, run.offset) for run in found.runs]


def starts(found: Disc) -> list[tuple[int, int, int]]:
    return [(each.pregap, each.start, each.length) for each in found.tracks]


def test_a_data_file_up_to_its_end() -> None:
    found = toc('CD_ROM\nTRACK MODE1_RAW\nDATAFILE "a.bin"\n', a_bin=track(0, 20))
    assert found.kind == "TOC file"
    assert (starts(found), runs(found)) == ([(0, 0, 20)], [(0, 20, 0)])


@pytest.mark.parametrize("length", ["00:00:10", "23520", "00:00:10 // 23520 bytes"])
def test_a_length_in_time_or_in_bytes(length: str) -> None:
    found = toc(f'CD_ROM\nTRACK MODE1_RAW\nDATAFILE "a.bin" #4704 {length}', a_bin=track(0, 20))
    # The header of its first sector says that it is the third.
    assert (starts(found), runs(found)) == ([(0, 2, 10)], [(2, 10, 4704)])


@pytest.mark.parametrize(
    ("mode", "size", "stride"),
    [
        *(("MODE1", 2048, 2048), ("MODE2", 2336, 2336), ("MODE2_FORM1", 2048, 2048)),
        *(("MODE2_FORM2", 2324, 2324), ("MODE2_FORM_MIX", 2336, 2336)),
        *(("MODE2_RAW", 2352, 2352), ("MODE1 RW", 2048, 2144), ("MODE1_RAW RW_RAW", 2352, 2448)),
    ],
)
def test_what_is_stored_of_each_mode(mode: str, size: int, stride: int) -> None:
    found = toc(f'CD_ROM_XA\nTRACK {mode}\nDATAFILE "a.bin" 0:0:0', a_bin=bytes(20 * stride))
    assert (found.runs[0].size, found.runs[0].stride, found.runs[0].sectors) == (size, stride, 20)
    assert found.runs[0].mode is (Mode.MODE1 if mode.startswith("MODE1") else Mode.MODE2)


def test_a_mode_that_the_bytes_disprove() -> None:
    found = toc('TRACK MODE1\nDATAFILE "a.bin" 0:0:20', a_bin=track(0, 20))
    assert (found.runs[0].size, found.runs[0].sectors) == (RAW, 20)


def test_audio_of_any_samples() -> None:
    sheet = (
        'CD_DA\nTRACK AUDIO\nFILE "a.bin" 0 0:0:5\nTRACK AUDIO\nFILE "a.bin" 2940 588\n'
        'TRACK AUDIO\nAUDIOFILE "a.bin" SWAP #100 00:00:01 588\n'
        'TRACK AUDIO\nSILENCE 100\nFILE "a.bin" 0 1176\n'
    )
    found = toc(sheet, a_bin=audio(20))
    assert starts(found) == [(0, 0, 5), (0, 5, 1), (0, 6, 1), (0, 7, 3)]
    # Of the last only its middle sector stands in the file as it is.
    last = (8, 1, 488 * 4)
    assert runs(found) == [(0, 6, 0), (6, 1, 2452), last]
    assert [run.is_big_endian for run in found.runs] == [True, False, True]


def test_pregaps_starts_and_indexes() -> None:
    sheet = (
        'CD_ROM\nTRACK MODE1\nDATAFILE "a.bin" 0:0:10\nZERO 0:0:5\n'
        'TRACK AUDIO\nPREGAP 0:2:0\nFILE "b.bin" 0\nINDEX 0:0:3\nINDEX 0:0:4\n'
        'TRACK AUDIO\nFILE "b.bin" 0 0:0:4\nSTART\nFILE "b.bin" 0:0:4\n'
    )
    found = toc(sheet, a_bin=bytes(20480), b_bin=audio(9))
    assert starts(found) == [(0, 0, 15), (150, 165, 9), (4, 178, 5)]
    assert found.tracks[1].indexes == (168, 169)
    assert runs(found) == [(0, 10, 0), (165, 9, 0), (174, 9, 0)]


def test_what_is_said_of_tracks_is_kept() -> None:
    sheet = (
        'CD_ROM_XA CATALOG "1234567890123"\nCD_TEXT { LANGUAGE_MAP { 0 : EN }\n'
        'LANGUAGE 0 { TITLE "One \\"two\\" \\303\\251 \\351" SIZE_INFO { 1, 2,\n 3 } UPC_EAN "" }\n'
        'LANGUAGE 1 { TITLE "Other" } }\nTRACK MODE1 COPY DATAFILE "a.bin"\n'
        'TRACK AUDIO NO COPY PRE_EMPHASIS FOUR_CHANNEL_AUDIO ISRC "DEMUA9800001"\n'
        'CD_TEXT { LANGUAGE 0 { TITLE "Song" } } SILENCE 1:0:0\n'
    )
    found = toc(sheet, a_bin=bytes(20480))
    assert found.catalog == "1234567890123"
    assert found.texts == {"TITLE": 'One "two" \u00e9 \u00e9'}
    assert found.tracks[0].flags == {"DCP"}
    assert found.tracks[1].flags == {"PRE", "4CH"}
    assert (found.tracks[1].isrc, found.tracks[1].texts) == ("DEMUA9800001", {"TITLE": "Song"})


def test_a_second_session_is_known_by_its_sectors() -> None:
    sheet = 'CD_ROM\nTRACK AUDIO\nFILE "b.bin" 0\nTRACK MODE2_RAW\nDATAFILE "a.bin"'
    found = toc(sheet, a_bin=track(11700, 20, mode=2), b_bin=audio(300))
    assert starts(found) == [(0, 0, 300), (150, 11700, 20)]
    assert found.sessions == 2


def test_audio_that_is_missing() -> None:
    sheet = 'CD_ROM\nTRACK AUDIO\nFILE "b.wav" 0 0:0:9\nTRACK MODE1\nDATAFILE "a.bin"'
    found = toc(sheet, a_bin=bytes(20480))
    assert (starts(found), runs(found)) == ([(0, 0, 9), (0, 9, 10)], [(9, 10, 0)])
    with pytest.raises(MissingImageError, match=r"b\.wav"):
        toc(sheet.replace(" 0:0:9", ""), a_bin=bytes(20480))
    with pytest.raises(MissingImageError, match=r"a\.bin"):
        toc(sheet)


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        ("CD_ROM\nTRACK MODE4\n", 'line 2: "MODE4" is no mode of a track'),
        ("CD_ROM\nTRACK AUDIO\nSILENCE 0:60:0", 'line 3: "0:60:0" is no time'),
        ("CD_ROM\nTRACK AUDIO\nSILENCE x", 'line 3: "x" stands where a length belongs'),
        ("CD_ROM\nTRACK AUDIO\nSILENCE", '"the end of the file" stands where'),
        ("CD_ROM\nTRACK AUDIO\nFILE a.bin 0", 'line 3: "a" stands where a file\'s name'),
        ("CD_ROM\nSTART\nTRACK AUDIO", "comes before any TRACK"),
        ("CD_ROM\nTRACK AUDIO\nCD_TEXT {\n{ }", 'line 3: "{" is never closed'),
        ("CD_ROM\nTRACK AUDIO\n%", 'line 3: "%" is nothing'),
        ("CD_ROM\nTRACK AUDIO\nHELLO", 'line 3: "HELLO" is no statement'),
        ('CD_ROM\nTRACK MODE1\nDATAFILE "a.bin" ' + "9" * 16, "is no number that makes sense"),
        ('CD_ROM\nTRACK MODE1\nDATAFILE "game.toc"', "names itself"),
        ("CD_ROM\nTRACK MODE1\nZERO 1:0:0", "names no file for track 1"),
        ("TRACK AUDIO\n" + "SILENCE 1 START\n" * 3000, "is beyond what a disc can be made of"),
    ],
)
def test_mistakes_are_named(sheet: str, words: str) -> None:
    with pytest.raises(DamagedImageError, match=r"game\.toc") as raised:
        toc(sheet)
    assert words in str(raised.value)


@pytest.mark.parametrize("file", ['DATAFILE "-"', "DATAFILE -", 'FILE "-" 0', 'FIFO "x" 0:1:0'])
def test_what_cannot_be_read_in_any_order(file: str) -> None:
    with pytest.raises(NotAnImageError, match=r"line 2: .*in any order|standard input"):
        toc(f"TRACK MODE1\n{file}")


def test_a_table_of_contents_by_tex() -> None:
    with pytest.raises(OtherKindError):
        toc("\\contentsline {section}{\\numberline {1}Discs}{1}{}%\n")


WORDS = st.sampled_from(
    [
        *("CD_ROM", "TRACK", "AUDIO", "MODE1", "MODE2_RAW", "RW", "FILE", "DATAFILE", '"a.bin"'),
        *('"b.wav"', "0:0:1", "999:0:0", "588", "#", "SWAP", "SILENCE", "ZERO", "PREGAP", "START"),
        *("INDEX", "CD_TEXT", "{", "}", '"x"', "NO", "COPY", "//", "\n", "\\", '"-"', "7" * 15),
    ]
)
SHEETS = st.lists(st.one_of(WORDS, WORDS, st.text(max_size=8)), max_size=40).map(" ".join)


@given(SHEETS)
@settings(max_examples=400)
def test_any_text_is_a_disc_or_a_sentence(text: str) -> None:
    with suppress(IsomountError, OtherKindError):
        found = toc(f"TRACK AUDIO\n{text}", a_bin=track(0, 3) + audio(9))
        assert all(run.sectors > 0 and run.lba >= 0 for run in found.runs)


def as_shown(sheet: str) -> list[Track]:
    """The tracks of a sheet whose files are all missing."""
    file = MemorySource("x.toc", sheet.encode())
    files = DataFiles(file, Surroundings(Shelf({}), Store()), [])
    return list(placed(planned(parse("x.toc", sheet.splitlines()), files))[0])


def shown(text: str) -> Iterator[tuple[int, int, int, tuple[int, ...], str]]:
    """What show-toc says of each track: pregap, start, end, indexes and ISRC."""
    for said in text.split("TRACK ")[1:]:
        numbers = {
            word: int(at) for word, at in re.findall(r"(PREGAP|START|END).*\( *(\d+)\)", said)
        }
        indexes = tuple(int(at) for at in re.findall(r"INDEX.*\( *(\d+)\)", said))
        isrc = re.search(r"ISRC (.*)", said)
        code = isrc[1].replace(" ", "") if isrc else ""
        yield numbers.get("PREGAP", 0), numbers["START"], numbers["END"], indexes, code


def told(tracks: list[Track]) -> list[tuple[int, int, int, tuple[int, ...], str]]:
    return [(t.pregap, t.start, t.start + t.length, t.indexes, t.isrc) for t in tracks]


@pytest.mark.skipif(not AUTHORS.is_dir(), reason="the author's samples are not beside the checkout")
def test_the_samples_of_the_author() -> None:
    compared = 0
    for sheet in sorted(AUTHORS.glob("*.toc")):
        gold = sheet.with_suffix(".showtoc")
        if gold.exists():
            assert told(as_shown(sheet.read_text())) == list(shown(gold.read_text())), sheet.name
            compared += 1
    assert compared >= 20


EMPTY = """CD_ROM
TRACK MODE1
ZERO 1:0:0
TRACK AUDIO
ISRC "DEMUA9800001"
SILENCE 441000
START 0:5:0
INDEX 0:1:0
TRACK MODE2_FORM_MIX
PREGAP 0:2:0
ZERO 0:30:7
TRACK AUDIO
START 0:1:2
SILENCE 0:9:0
"""


def test_cdrdao_shows_the_same(tmp_path: Path) -> None:
    assert told(as_shown(EMPTY)) == list(shown(_show(tmp_path, EMPTY)))


def test_cdrdao_shows_the_same_of_files(tmp_path: Path) -> None:
    sheet = (
        'CD_ROM\nTRACK MODE1_RAW\nDATAFILE "a.bin"\nTRACK AUDIO\nFILE "b.bin" 0:0:2 0:0:7\n'
        'START 0:0:3\nTRACK AUDIO\nFILE "b.bin" #4704 0\n'
    )
    (tmp_path / "a.bin").write_bytes(track(0, 400))
    (tmp_path / "b.bin").write_bytes(audio(600))
    found = toc(sheet, a_bin=track(0, 400), b_bin=audio(600))
    assert told(list(found.tracks)) == list(shown(_show(tmp_path, sheet)))


def _show(where: Path, sheet: str) -> str:
    (where / "x.toc").write_text(sheet)
    words = ["cdrdao", "show-toc", "-v", "9", "x.toc"]
    done = subprocess.run(
        words, cwd=where, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    return done.stdout
