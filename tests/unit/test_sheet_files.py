"""Finding the files that a sheet names, the sheet of a file, and reading a sheet's letters."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import isomount
from isomount.blocks import Store
from isomount.containers import Surroundings, kinds, unpack
from isomount.containers.discs.beside import disc_beside
from isomount.containers.discs.files import AUDIO_ENDINGS, DATA_ENDINGS, DataFiles
from isomount.containers.discs.text import decodings, read_sheet
from isomount.errors import (
    DamagedImageError,
    ImageUnreadableError,
    MissingImageError,
    NotAnImageError,
)
from tests.authoring import genisoimage, write_tree
from tests.containers.shelf import SYNC, MemorySource, Shelf, audio, track


def opened(named: str, *there: str, sheet: str = "game.cue", beside: tuple[str, ...] = ()) -> str:
    """What is opened for the file ``named``, of those that are there."""
    files = DataFiles(
        MemorySource(f"dir/{sheet}", b""),
        Surroundings(Shelf(dict.fromkeys((sheet, *there), b"x")), Store()),
        [named, *beside],
    )
    return files.open(named, DATA_ENDINGS).name


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("a.bin", "a.bin"),
        (" a.bin ", "a.bin"),
        ("sub\\a.bin", "sub/a.bin"),
        ("sub/a.bin", "a.bin"),
        ("../a.bin", "../a.bin"),
        ("C:\\Games\\a.bin", "a.bin"),
        ("c:a/b.bin", "b.bin"),
        ("\\\\server\\share\\a.bin", "a.bin"),
        ("/home/me/a.bin", "a.bin"),
        ("A.BIN", "a.bin"),
        ("a.bin", "A.BIN"),
        ("Stra\u00dfe.bin", "STRASSE.BIN"),
        ("e\u0301.bin", "\u00e9.bin"),
        ("a.bin", "a.img"),
        ("a.bin", "A.ISO"),
        ("a", "a.bin"),
        ("a.iso", "a.bin"),
        ("other.bin", "game.bin"),
        ("other.bin", "Game.img"),
    ],
)
def test_where_a_file_is_by_now(named: str, there: str) -> None:
    assert opened(named, "unlike.bin", there) == there


def test_files_that_were_renamed_with_their_sheet() -> None:
    one, two = "Old (Track 1).bin", "Old (Track 2).bin"
    there = ("game (Track 1).bin", "game (Track 2).bin", "game.bin")
    assert opened(one, *there, beside=(two,)) == there[0]
    assert opened(two, *there, beside=(one,)) == there[1]
    with pytest.raises(MissingImageError):  # there are two of them, and one file
        opened("a.bin", "game.bin", beside=("b.bin",))


def test_what_is_written_comes_first_and_needs_no_listing() -> None:
    shelf = Shelf({"a.bin": b"", "A.BIN": b"", "game.cue": b""})
    files = DataFiles(MemorySource("game.cue", b""), Surroundings(shelf, Store()), ["a.bin"])
    assert files.open("a.bin") is files.open("a.bin")
    assert [each.name for each in files.opened] == ["a.bin"]
    assert shelf.listings == 0


def test_audio_that_changed_its_ending() -> None:
    shelf = Shelf({"a.flac": b"", "game.cue": b""})
    files = DataFiles(MemorySource("game.cue", b""), Surroundings(shelf, Store()), ["a.wav", "b"])
    assert files.open("a.wav", AUDIO_ENDINGS).name == "a.flac"


@pytest.mark.parametrize("name", ["", ".", "..", "a/..", "a/", "C:\\", "a\0b", "x" * 300, "\ud9ff"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(DamagedImageError, match=r"game\.cue: names .* is no file"):
        opened(name)


@pytest.mark.parametrize("name", ["game.cue", "GAME.CUE", "./game.cue", "sub/../game.cue"])
def test_a_sheet_is_not_its_own_data(name: str) -> None:
    with pytest.raises(DamagedImageError, match="names itself"):
        opened(name)


def test_a_missing_file_is_named_with_what_was_looked_for() -> None:
    with pytest.raises(MissingImageError) as raised:
        opened("sub/a.bin")
    assert raised.value.filename == "dir/sub/a.bin"
    said = str(raised.value)
    assert said.startswith("dir/sub/a.bin: is named by game.cue and missing, as are a.bin, a.img")
    assert said.endswith("put it beside the sheet, or correct its name there")


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.bin")
    (tmp_path / "folder").mkdir()
    sheet = tmp_path / "game.cue"
    for name, words in (
        ("a.bin", "is no regular file"),
        ("folder", "is a folder"),
        ("../../../../../../../../../../dev/zero", "is no regular file"),
    ):
        sheet.write_text(f'FILE "{name}" BINARY\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00\n')
        with pytest.raises(ImageUnreadableError, match=words) as raised:
            unpack(sheet)
        assert "game.cue: names " in str(raised.value)
    sheet.write_text(sheet.read_text().replace("../" * 10, "/"))
    with pytest.raises(MissingImageError):  # of an absolute path, only the last part counts
        unpack(sheet)


def test_too_many_files() -> None:
    names = [f"{number}.bin" for number in range(201)]
    with pytest.raises(DamagedImageError, match="names 201 files"):
        DataFiles(MemorySource("game.cue", b""), Surroundings(Shelf({}), Store()), names)


RUSSIAN, JAPANESE, FRENCH = "Игра.bin", "ゲーム.bin", "Jeu été.bin"


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        *((RUSSIAN, each) for each in ("cp1251", "cp866", "utf-8", "utf-8-sig", "utf-16")),
        *(
            (RUSSIAN, each)
            for each in ("utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
        ),
        *((JAPANESE, each) for each in ("cp932", "utf-8", "utf-16-le", "utf-32-be")),
        *((FRENCH, each) for each in ("cp1252", "cp437", "utf-8", "utf-16")),
        *(("游戏.bin", "gbk"), ("遊戲.bin", "big5"), ("게임.bin", "cp949"), ("ąę.bin", "cp1250")),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_names_in_any_encoding(tmp_path: Path, name: str, encoding: str, end: str) -> None:
    (tmp_path / name).write_bytes(track(0, 20))
    (tmp_path / "other.bin").write_bytes(track(0, 10))
    sheet = f'FILE "{name}" BINARY{end}  TRACK 01 MODE1/2352{end}    INDEX 01 00:00:00{end}'
    (tmp_path / "sheet.cue").write_bytes(sheet.encode(encoding))
    unpacked = unpack(tmp_path / "sheet.cue")
    assert unpacked.disc is not None
    assert [Path(each.name).name for each in unpacked.disc.files] == [name, "sheet.cue"]
    unpacked.source.close()


def test_a_name_on_the_disk_that_is_no_utf_8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xc8\xe3\xf0\xe0.bin"
    Path(os.fsdecode(name)).write_bytes(track(0, 20))
    sheet = b'FILE "\xc8\xe3\xf0\xe0.bin" BINARY\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00\n'
    (tmp_path / "sheet.cue").write_bytes(sheet)
    unpack(tmp_path / "sheet.cue").source.close()


@pytest.mark.parametrize(
    ("text", "encoding"), [("Супер группа", "cp1251"), ("夏の歌です", "cp932"), ("Été", "cp1252")]
)
def test_titles_are_guessed(text: str, encoding: str) -> None:
    sheet = f'PERFORMER "{text}"\nTITLE "Hello"\n'
    assert decodings(sheet.encode(encoding))[0] == sheet


@given(st.binary(max_size=100))
def test_any_bytes_are_text_of_some_kind(data: bytes) -> None:
    assert decodings(data)
    assert read_sheet(MemorySource("a.cue", data), Shelf({"\u00e9": b""}))


@given(st.text(max_size=60).map("FILE TRACK ".__add__), st.sampled_from(["utf-8", "utf-16"]))
def test_unicode_is_read_as_it_is(text: str, encoding: str) -> None:
    assert decodings(text.encode(encoding))[0] == text


CUE = 'FILE "{}" BINARY\n  TRACK 01 MODE1/2352\n    INDEX 01 00:00:00\n'


def beside(name: str, data: bytes, **sheets: str) -> str | None:
    """The kind of the disc that is found for the file ``name``; "x_cue" is the sheet x.cue."""
    files = {each.replace("_", "."): sheet.encode() for each, sheet in sheets.items()}
    shelf = Shelf({name: data, **files})
    found = disc_beside(MemorySource(f"dir/{name}", data), Surroundings(shelf, Store()))
    if found is not None:
        found.close()
    assert all(each.is_closed for each in shelf.opened)
    return found.kind if found is not None else None


def test_a_file_finds_its_sheet() -> None:
    data = track(0, 20)
    assert beside("a.bin", data, a_cue=CUE.format("a.bin")) == "CUE sheet"
    assert beside("a.bin", data, a_CUE=CUE.format("a.bin")) == "CUE sheet"
    assert beside("a.bin", data, game_cue=CUE.format("a.bin")) == "CUE sheet"
    assert beside("a.bin", data, game_cue=CUE.format("A.BIN")) == "CUE sheet"
    assert beside("a.bin", data, a_toc='TRACK MODE1_RAW\nDATAFILE "a.bin"\n') == "TOC file"
    assert beside("a.bin", data, x_gdi="1\n1 0 4 2352 a.bin 0\n") == "GDI file"
    assert beside("a.img", data, a_ccd="[CloneCD]\n[TRACK 1]\nMODE=1\nINDEX 1=0\n")


def test_sheets_that_do_not_fit_are_passed_over() -> None:
    data = track(0, 20)
    assert beside("a.bin", data) is None
    assert beside("a.bin", data, a_cue="FILE") is None
    assert beside("a.bin", data, a_cue=CUE.format("b.bin"), b_bin="x" * 9999) is None
    assert beside("a.bin", data, a_cue=CUE.format("a.bin") + "INDEX 00 99:99:99\n") is None
    both = CUE.format("a.bin") + CUE.format("b.bin")
    assert beside("a.bin", data, a_cue="TRACK", game_cue=both, b_bin="x" * 9999) == "CUE sheet"


def test_a_track_finds_the_sheet_of_its_disc(tmp_path: Path) -> None:
    (tmp_path / "Game (Track 1).bin").write_bytes(track(0, 20))
    (tmp_path / "Game (Track 2).bin").write_bytes(audio(20))
    sheet = CUE.format("Game (Track 1).bin")
    sheet += 'FILE "Game (Track 2).bin" BINARY\nTRACK 02 AUDIO\nINDEX 01 00:00:00\n'
    (tmp_path / "Game.cue").write_text(sheet)
    for number in range(100):
        (tmp_path / f"Other {number}.cue").write_text(CUE.format("Game (Track 1).bin") * 2)
    for number in (1, 2):
        unpacked = unpack(tmp_path / f"Game (Track {number}).bin")
        assert unpacked.disc is not None
        assert len(unpacked.disc.tracks) == 2
        unpacked.source.close()


def test_plain_images_have_no_directory_listed() -> None:
    plain = bytes(32769) + b"CD001".ljust(9999, b"\0")
    shelf = Shelf({"a.img": plain, "x.cue": CUE.format("a.img").encode()})
    assert disc_beside(MemorySource("a.img", plain), Surroundings(shelf, Store())) is None
    assert shelf.listings == 0


@pytest.mark.parametrize(
    ("sheet", "kind"),
    [
        (CUE.format("a.bin"), "discs.cue"),
        ("REM GENRE x\n" + CUE.format("a.bin").lower(), "discs.cue"),
        (CUE.format("a.bin").replace("\n", "\r"), "discs.cue"),
        ("\ufeff" + CUE.format("a.bin"), "discs.cue"),
        ("// a\n// b\nCD_ROM\n\nTRACK MODE1\n", "discs.toc"),
        ("//\n\nTRACK AUDIO\n", "discs.toc"),
        ("CD_DA\nCD_TEXT {\n", "discs.toc"),
        ("[CloneCD]\r\nVersion=3", "discs.ccd"),
        ("3\r\n1 0 4 2352 track01.bin 0", "discs.gdi"),
        (" 3\n1 0 4 2048 track01.iso 0", "discs.gdi"),
        ("Title of a text that has a FILE in it\nand TRACK 1\n", None),
        ("CD_ROMs are dead", None),
        ("3\n1 2 3", None),
        ("/" * 4000, None),
        (" " * 4000, None),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_sheets_are_known_by_what_they_say(sheet: str, kind: str | None, encoding: str) -> None:
    head = sheet.encode(encoding)[: kinds.HEAD]
    found = [each.module for each in kinds.KINDS if each.is_at_start(head, "x.txt")]
    assert found == ([kind] if kind else [])


def test_an_image_by_its_sheet_has_the_bytes_of_the_iso(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", {"hello.txt": b"hello"})
    data = genisoimage(tmp_path / "plain.iso", folder, "-R").read_bytes()
    raw = b"".join(
        (SYNC + bytes.fromhex("00020001")) + data[at : at + 2048].ljust(2336, b"\0")
        for at in range(0, len(data), 2048)
    )
    (tmp_path / "game.bin").write_bytes(raw)
    (tmp_path / "game.cue").write_text(CUE.format("game.bin"))
    for name in ("game.cue", "game.bin"):
        with isomount.open(tmp_path / name) as image:
            assert (image.root / "hello.txt").read_bytes() == b"hello"


def test_compressed_data_is_found(tmp_path: Path) -> None:
    (tmp_path / "game.bin.gz").write_bytes(gzip.compress(track(0, 20)))
    (tmp_path / "game.cue").write_text(CUE.format("game.bin"))
    for name in ("game.cue", "game.bin.gz"):
        unpacked = unpack(tmp_path / name)
        assert unpacked.disc is not None
        assert [(run.lba, run.sectors) for run in unpacked.disc.runs] == [(0, 20)]
        unpacked.source.close()


def test_an_audio_disc_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "game.cue").write_text('FILE "a.wav" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n')
    with pytest.raises(NotAnImageError, match="is an audio disc"):
        unpack(tmp_path / "game.cue")
