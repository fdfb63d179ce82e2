"""CUE sheets: where each track is, on the disc and in its file."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isomount.containers import OtherKindError
from isomount.containers.discs.cue import unpack
from isomount.containers.discs.disc import Disc, Mode
from isomount.errors import DamagedImageError, IsomountError, MissingImageError, NotAnImageError
from tests.containers.shelf import audio, disc, track

RAW = 2352


def cue(sheet: str | bytes, **files: bytes) -> Disc:
    """The disc of game.cue; "a_bin" is the file a.bin."""
    return disc(unpack, "game.cue", sheet, {k.replace("_", "."): v for k, v in files.items()})


def starts(found: Disc) -> list[tuple[int, int, int]]:
    """Number, start and length of each track."""
    return [(each.number, each.start, each.length) for each in found.tracks]


def runs(found: Disc) -> list[tuple[int, int, int]]:
    """LBA, sectors and byte of each run."""
    return [(run.lba, run.sectors, run.offset) for run in found.runs]


ONE = 'FILE "a.bin" BINARY\n  TRACK 01 MODE1/2352\n    INDEX 01 00:00:00\n'


def test_one_track_in_one_file() -> None:
    found = cue(ONE, a_bin=track(0, 20))
    assert found.kind == "CUE sheet"
    assert starts(found) == [(1, 0, 20)]
    assert runs(found) == [(0, 20, 0)]
    assert found.runs[0].mode is Mode.MODE1
    assert (found.runs[0].size, found.runs[0].stride) == (RAW, RAW)


def test_what_is_said_of_tracks_is_kept() -> None:
    sheet = (
        'CATALOG 0724385356926\nTITLE "Disc"\nPERFORMER Nobody\nFILE "a.bin" BINARY\n'
        "TRACK 1 MODE1/2352\nINDEX 1 0:0:0\nTRACK 02 AUDIO\nTITLE \"Say 'A'\"\nFLAGS DCP 4CH X\n"
        "ISRC USEM39600078\nINDEX 00 00:00:10\nINDEX 01 00:00:20\nINDEX 02 00:00:25\n"
    )
    found = cue(sheet, a_bin=track(0, 10) + audio(20))
    assert found.catalog == "0724385356926"
    assert found.texts == {"TITLE": "Disc", "PERFORMER": "Nobody"}
    second = found.tracks[1]
    assert (second.start, second.length, second.pregap, second.indexes) == (20, 10, 10, (25,))
    assert (second.isrc, set(second.flags)) == ("USEM39600078", {"DCP", "4CH"})
    assert second.texts == {"TITLE": "Say 'A'"}


def test_sectors_of_different_sizes_in_one_file() -> None:
    sheet = (
        "FILE a.bin BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\nTRACK 02 MODE2/2336\n"
        "INDEX 01 00:00:10\nTRACK 03 AUDIO\nINDEX 01 00:00:15\n"
    )
    found = cue(sheet, a_bin=bytes(10 * 2048 + 5 * 2336) + audio(7))
    assert starts(found) == [(1, 0, 10), (2, 10, 5), (3, 15, 7)]
    assert runs(found) == [(0, 10, 0), (10, 5, 20480), (15, 7, 20480 + 5 * 2336)]


def test_gaps_that_no_file_has_move_addresses_but_not_bytes() -> None:
    sheet = (
        "FILE a.bin BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\nPOSTGAP 00:00:05\n"
        "TRACK 02 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:00:10\n"
    )
    found = cue(sheet, a_bin=bytes(10 * 2048) + audio(3))
    assert starts(found) == [(1, 0, 15), (2, 165, 3)]
    assert found.tracks[1].pregap == 150
    assert runs(found) == [(0, 10, 0), (165, 3, 20480)]


def test_a_pregap_at_the_end_of_the_file_before() -> None:
    sheet = (
        'FILE "a.bin" BINARY\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00\nTRACK 02 AUDIO\n'
        'INDEX 00 00:00:10\nFILE "b.bin" BINARY\nINDEX 01 00:00:00\n'
    )
    found = cue(sheet, a_bin=track(0, 10) + audio(4), b_bin=audio(6))
    assert starts(found) == [(1, 0, 10), (2, 14, 6)]
    assert found.tracks[1].pregap == 4
    assert runs(found) == [(0, 10, 0), (10, 4, 10 * RAW), (14, 6, 0)]


def test_a_file_for_each_track() -> None:
    sheet = ONE + 'FILE "b.bin" BINARY\nTRACK 02 AUDIO\nINDEX 00 0:0:0\nINDEX 01 0:0:3\n'
    found = cue(sheet, a_bin=track(0, 10), b_bin=audio(6))
    assert starts(found) == [(1, 0, 10), (2, 13, 3)]
    assert runs(found) == [(0, 10, 0), (10, 6, 0)]


@pytest.mark.parametrize("first", ["INDEX 00 00:00:00\nINDEX 01 00:02:00", "INDEX 01 00:02:00"])
def test_two_seconds_before_the_first_data_are_before_the_disc(first: str) -> None:
    sheet = f'FILE "a.bin" BINARY\nTRACK 01 MODE1/2352\n{first}\n'
    found = cue(sheet, a_bin=bytes(150 * RAW) + track(0, 10))
    assert starts(found) == [(1, 0, 10)]
    assert runs(found) == [(0, 10, 150 * RAW)]
    cooked = cue(sheet.replace("2352", "2048"), a_bin=bytes(160 * 2048))
    assert runs(cooked) == [(0, 10, 150 * 2048)]


def test_hidden_audio_before_the_first_track_is_on_the_disc() -> None:
    sheet = 'FILE "a.bin" BINARY\nTRACK 01 AUDIO\nINDEX 00 0:0:0\nINDEX 01 0:2:0\n'
    assert starts(cue(sheet, a_bin=audio(160))) == [(1, 150, 10)]


def test_sessions_as_redump_has_them() -> None:
    sheet = (
        "REM SESSION 01\nFILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "REM LEAD-OUT 01:30:00\nREM SESSION 02\nREM LEAD-IN 01:00:00\nREM PREGAP 00:02:00\n"
        "FILE b.bin BINARY\nTRACK 02 MODE1/2048\nINDEX 01 00:00:00\n"
    )
    found = cue(sheet, a_bin=audio(300), b_bin=bytes(20 * 2048))
    assert starts(found) == [(1, 0, 300), (2, 11700, 20)]
    assert [each.session for each in found.tracks] == [1, 2]
    assert found.sessions == 2


@pytest.mark.parametrize("lead_out", ["", "REM LEAD-OUT 12:34:56\n"])
def test_sessions_without_the_length_of_what_is_between(lead_out: str) -> None:
    """Some programs write where a lead-out is, and not how long."""
    one = "FILE a.bin BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\n"
    sheet = one + lead_out + "REM SESSION 02\n" + one.replace("01 M", "02 M").replace("a.", "b.")
    sheet += "REM SESSION 03\n" + one.replace("01 M", "03 M").replace("a.", "c.")
    found = cue(sheet, a_bin=bytes(20480), b_bin=bytes(20480), c_bin=bytes(20480))
    assert starts(found) == [(1, 0, 10), (2, 11410, 10), (3, 11410 + 10 + 6900, 10)]


def test_a_session_is_known_by_the_address_of_its_sectors() -> None:
    sheet = (
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 0:0:0\nTRACK 02 MODE2/2352\nINDEX 01 0:4:2\n"
    )
    found = cue(sheet, a_bin=audio(302) + track(11702, 20, mode=2))
    assert starts(found) == [(1, 0, 302), (2, 11702, 20)]
    assert [each.session for each in found.tracks] == [1, 2]
    assert runs(found) == [(0, 302, 0), (11702, 20, 302 * RAW)]


def test_a_pregap_that_is_left_out_is_known_by_the_address_too() -> None:
    sheet = "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 0:0:0\nTRACK 02 MODE1/2352\nINDEX 01 0:0:9"
    found = cue(sheet, a_bin=audio(9) + track(159, 20))
    assert starts(found) == [(1, 0, 9), (2, 159, 20)]
    assert (found.tracks[1].session, found.tracks[1].pregap) == (1, 150)


def test_a_file_of_the_last_session_alone() -> None:
    assert starts(cue(ONE, a_bin=track(11702, 20))) == [(1, 11702, 20)]


def test_addresses_that_run_backwards_are_not_believed() -> None:
    sheet = ONE + 'FILE "b.bin" BINARY\nTRACK 02 MODE1/2352\nINDEX 01 0:0:0\n'
    found = cue(sheet, a_bin=track(0, 10), b_bin=track(0, 10))
    assert starts(found) == [(1, 0, 10), (2, 10, 10)]


def test_the_areas_of_a_gd_rom() -> None:
    sheet = "REM SINGLE-DENSITY AREA\n" + ONE + "REM HIGH-DENSITY AREA\n"
    sheet += "FILE b.bin BINARY\nTRACK 02 MODE1/2352\nINDEX 01 0:0:0\n"
    sheet += "FILE c.bin BINARY\nTRACK 03 AUDIO\nINDEX 00 0:0:0\nINDEX 01 0:0:5\n"
    found = cue(sheet, a_bin=track(0, 10), b_bin=bytes(20 * RAW), c_bin=audio(15))
    assert starts(found) == [(1, 0, 10), (2, 45000, 20), (3, 45025, 10)]
    assert [each.session for each in found.tracks] == [1, 2, 2]


@pytest.mark.parametrize("said", [2048, 2336, 2352, 2448])
@pytest.mark.parametrize(("beside", "stride"), [(0, 2352), (96, 2448), (16, 2368)])
def test_bytes_disprove_the_size_of_sectors(said: int, beside: int, stride: int) -> None:
    data = b"".join(track(lba, 1) + bytes(beside) for lba in range(20))
    found = cue(ONE.replace("2352", str(said)), a_bin=data)
    assert starts(found) == [(1, 0, 20)]
    assert (found.runs[0].size, found.runs[0].stride) == (RAW, stride)


def test_an_iso_that_is_said_to_be_raw() -> None:
    data = (bytes(16 * 2048) + b"\1CD001\1").ljust(20 * 2048, b"\0")
    found = cue(ONE, a_bin=data)
    assert (found.runs[0].sectors, found.runs[0].size) == (20, 2048)


def wave(samples: bytes, rate: int = 44100) -> bytes:
    """A WAV file with a chunk that not all have."""
    layout = struct.pack("<HHIIHH", 1, 2, rate, rate * 4, 4, 16)
    chunks = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"fmt " + struct.pack("<I", 16) + layout
    chunks += b"data" + struct.pack("<I", len(samples)) + samples + b"junkjunk"
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def test_samples_in_a_wave_file() -> None:
    sheet = ONE + 'FILE "b.wav" WAVE\nTRACK 02 AUDIO\nINDEX 01 0:0:0\n'
    found = cue(sheet, a_bin=track(0, 10), b_wav=wave(audio(6)))
    assert starts(found) == [(1, 0, 10), (2, 10, 6)]
    assert runs(found) == [(0, 10, 0), (10, 6, 56)]
    other = cue(sheet, a_bin=track(0, 10), b_wav=wave(audio(6), rate=22050))
    assert starts(other) == [(1, 0, 10), (2, 10, 12)]
    assert runs(other) == [(0, 10, 0)]


def test_samples_in_an_aiff_file_and_with_their_bytes_swapped() -> None:
    rate = bytes.fromhex("400eac44000000000000")
    common = b"COMM" + struct.pack(">IHIH", 18, 2, 588, 16) + rate
    sound = b"SSND" + struct.pack(">III", RAW + 8, 0, 0) + audio(1)
    aiff = b"FORM" + struct.pack(">I", 4 + len(common) + len(sound)) + b"AIFF" + common + sound
    sheet = ONE + "FILE b.aiff AIFF\nTRACK 02 AUDIO\nINDEX 01 0:0:0\n"
    found = cue(sheet, a_bin=track(0, 10), b_aiff=aiff)
    assert runs(found)[1] == (10, 1, len(aiff) - RAW)
    assert found.runs[1].is_big_endian
    motorola = cue(sheet.replace("AIFF", "MOTOROLA"), a_bin=track(0, 10), b_aiff=audio(2))
    assert motorola.runs[1].is_big_endian
    assert not motorola.runs[0].is_big_endian or motorola.runs[0].mode is Mode.MODE1


def test_the_length_of_flac_is_known() -> None:
    info = (44100 << 44 | 1 << 41 | 15 << 36 | 588 * 7).to_bytes(8, "big")
    flac = b"fLaC\0\0\0\x22" + bytes(10) + info + bytes(100)
    sheet = ONE + "FILE b.wav WAVE\nTRACK 02 AUDIO\nINDEX 01 0:0:0\nTRACK 03 AUDIO\nINDEX 01 0:0:3"
    found = cue(sheet, a_bin=track(0, 10), b_flac=flac)
    assert starts(found) == [(1, 0, 10), (2, 10, 3), (3, 13, 4)]
    assert runs(found) == [(0, 10, 0)]


@pytest.mark.parametrize("files", [{"b_mp3": b"ID3" + bytes(99)}, {}])
def test_audio_that_cannot_be_read_does_not_fail_the_data(files: dict[str, bytes]) -> None:
    sheet = ONE + "FILE b.mp3 MP3\nTRACK 02 AUDIO\nINDEX 01 0:0:0\n"
    found = cue(sheet, a_bin=track(0, 10), **files)
    assert [each.number for each in found.tracks] == [1, 2]
    assert runs(found) == [(0, 10, 0)]


def test_audio_that_is_missing_before_data() -> None:
    """Raw sectors say where they are; others have no address but by the length of the audio."""
    sheet = "FILE b.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 0:0:0\n" + ONE.replace("01 M", "02 M")
    assert runs(cue(sheet, a_bin=track(11702, 10))) == [(11702, 10, 0)]
    with pytest.raises(MissingImageError, match=r"b\.wav"):
        cue(sheet.replace("2352", "2048"), a_bin=bytes(20480))


@pytest.mark.parametrize(
    ("sheet", "files"),
    [
        (ONE.lower(), ["a.bin"]),
        (ONE.replace("\n", "\r\n"), ["a.bin"]),
        (ONE.replace("\n", "\r"), ["a.bin"]),
        (ONE.replace("    ", "\t"), ["a.bin"]),
        (ONE.replace('"a.bin"', "a.bin"), ["a.bin"]),
        (ONE.replace('"a.bin"', "my  game (a).bin"), ["my  game (a).bin"]),
        (ONE.replace('"a.bin"', "\u201ca.bin\u201d"), ["a.bin"]),
        (ONE.replace('"a.bin"', "'it's.bin'"), ["it's.bin"]),
        (ONE.replace('"a.bin"', '"a.bin'), ["a.bin"]),
        (ONE.replace('"a.bin" BINARY', '"a.bin"'), ["a.bin"]),
        (ONE.replace('"a.bin" BINARY', '"BINARY" BINARY'), ["BINARY"]),
        (ONE.replace("01 00:00:00", "1 0:0:0"), ["a.bin"]),
        (ONE.replace("    INDEX 01 00:00:00\n", ""), ["a.bin"]),
        (ONE.replace("INDEX 01", "INDEX 00"), ["a.bin"]),
        ("; hello\n\n// and\n" + ONE.replace("TRACK 01", "REM x\nTRACK 01"), ["a.bin"]),
        ("\ufeff" + ONE, ["a.bin"]),
        (ONE + "\x1a", ["a.bin"]),
        ('FILE "nothing.bin" BINARY\n' + ONE, ["a.bin"]),
    ],
)
def test_sheets_as_they_come(sheet: str, files: list[str]) -> None:
    found = disc(unpack, "game.cue", sheet, {name: track(0, 20) for name in files})
    assert starts(found) == [(1, 0, 20)]


def test_99_tracks_and_no_more() -> None:
    many = [f"TRACK {n:02} AUDIO\nINDEX 01 00:00:{n % 75:02}" for n in range(1, 75)]
    many += [f"TRACK {n:02} AUDIO\nINDEX 01 00:01:{n - 75:02}" for n in range(75, 100)]
    sheet = "FILE a.bin BINARY\n" + "\n".join(many)
    assert len(cue(sheet, a_bin=audio(101)).tracks) == 99
    with pytest.raises(DamagedImageError, match="line 200: more tracks"):
        cue(sheet + "\nTRACK 99 AUDIO\nINDEX 01 00:02:00", a_bin=audio(200))


def test_an_index_behind_its_track_is_forgotten() -> None:
    sheet = ONE + "INDEX 02 00:00:15\nTRACK 02 AUDIO\nINDEX 01 00:00:10\n"
    found = cue(sheet, a_bin=track(0, 10) + audio(10))
    assert starts(found) == [(1, 0, 10), (2, 10, 10)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("INDEX 01 00:00:00", "INDEX 01 00:60:00", 'line 3: "00:60:00" is no time'),
        ("INDEX 01 00:00:00", "INDEX 01 00:00:75", 'line 3: "00:00:75" is no time'),
        ("INDEX 01 00:00:00", "INDEX 01", 'line 3: "" is no time'),
        ("INDEX 01 00:00:00", "INDEX xx 00:00:00", 'line 3: "xx" is no number of an INDEX'),
        ("MODE1/2352", "MODE3/2352", 'line 2: "MODE3/2352" is no mode'),
        ("MODE1/2352", "MODE1/1234", 'line 2: "MODE1/1234" is no mode'),
        ("TRACK 01", "TRACK 0", 'line 2: "0" is no number of a track'),
        ("TRACK 01", "TRACK \u0661", "is no number of a track"),
        ('"a.bin"', '"game.cue"', "names itself"),
        ('"a.bin"', '".."', 'names "..", which is no file'),
        ('"a.bin"', '"C:\\"', "which is no file"),
        ("  TRACK", "INDEX 01 00:00:00\nTRACK", "line 2: INDEX before any TRACK"),
    ],
)
def test_mistakes_are_named(old: str, new: str, words: str) -> None:
    with pytest.raises(DamagedImageError, match=r"game\.cue") as raised:
        cue(ONE.replace(old, new), a_bin=track(0, 20))
    assert words in str(raised.value)


def test_indexes_that_go_backwards() -> None:
    with pytest.raises(DamagedImageError, match=r'line 5: INDEX 01 at "00:00:05" is before .* 3'):
        cue(
            ONE.replace("00:00:00", "00:00:10") + "TRACK 02 AUDIO\nINDEX 01 00:00:05\n",
            a_bin=track(0, 20),
        )


def test_what_is_no_sheet() -> None:
    with pytest.raises(OtherKindError):
        cue("<html>not found</html>")
    with pytest.raises(DamagedImageError, match="no TRACK"):
        cue('FILE "a.bin" BINARY\n')
    with pytest.raises(NotAnImageError, match="too much for the list"):
        cue(ONE + " " * (1 << 20), a_bin=track(0, 20))


def test_a_data_file_without_data() -> None:
    with pytest.raises(DamagedImageError, match=r"track 1 .* a\.bin, which is 0 bytes long"):
        cue(ONE, a_bin=b"")


def test_a_file_that_was_cut_off_has_fewer_sectors() -> None:
    sheet = ONE + "TRACK 02 AUDIO\nINDEX 01 00:01:00\n"
    found = cue(sheet, a_bin=track(0, 20))
    assert starts(found) == [(1, 0, 75), (2, 75, 0)]
    assert runs(found) == [(0, 20, 0)]


def test_all_is_closed_with_the_disc_or_when_it_fails() -> None:
    found = cue(ONE, a_bin=track(0, 20))
    found.close()
    assert [each.name for each in found.files] == ["a.bin", "game.cue"]
    assert all(getattr(each, "is_closed", False) for each in found.files)


WORDS = st.sampled_from(
    [
        *("FILE", "TRACK", "INDEX", "PREGAP", "POSTGAP", "REM SESSION", "REM LEAD-OUT", "FLAGS"),
        *("a.bin", '"a.bin"', "BINARY", "WAVE", "MP3", "AUDIO", "MODE1/2352", "MODE2/2336", "\n"),
        *("\n", "01", "02", "99", "00:00:00", "00:00:05", "999:59:74", "REM HIGH-DENSITY AREA"),
        *("TITLE", "..", "/dev/zero", "\0", "\ud800"),
    ]
)
SHEETS = st.lists(st.one_of(WORDS, WORDS, st.text(max_size=8)), max_size=40).map(" ".join)


@given(SHEETS)
@settings(max_examples=300)
def test_any_text_is_a_disc_or_a_sentence(text: str) -> None:
    with suppress(IsomountError, OtherKindError):
        found = cue(text.encode("utf-8", "surrogatepass"), a_bin=track(0, 3) + audio(9))
        assert all(run.sectors > 0 and run.lba >= 0 for run in found.runs)
        ends = [run.end for run in found.runs]
        assert all(end <= run.lba for end, run in zip(ends, found.runs[1:], strict=False))


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_in_a_sheet(junk: bytes) -> None:
    for sheet in (junk, ONE.encode() + junk, ONE.encode().replace(b"a.bin", junk)):
        with suppress(IsomountError, OtherKindError):
            cue(sheet, a_bin=track(0, 3))
