"""CUE sheets, held against programs by others that read or write them."""

import subprocess
from pathlib import Path

import pytest

import isomount
from isomount.containers.discs.cue import unpack
from tests.authoring import genisoimage, write_tree
from tests.command import PATIENCE
from tests.containers.raw_sectors import raw
from tests.containers.shelf import audio, disc, track

RAW = 2352


def test_chdman_and_bchunk_find_the_same_tracks(tmp_path: Path) -> None:
    sheet = (
        'FILE "a.bin" BINARY\n  TRACK 01 MODE1/2352\n    INDEX 01 00:00:00\n'
        "  TRACK 02 AUDIO\n    INDEX 00 00:00:20\n    INDEX 01 00:00:30\n"
        "  TRACK 03 AUDIO\n    INDEX 01 00:00:45\n"
    )
    data = track(0, 20) + audio(40)
    (tmp_path / "a.cue").write_text(sheet)
    (tmp_path / "a.bin").write_bytes(data)
    found = disc(unpack, "a.cue", sheet, {"a.bin": data})
    _run(tmp_path, "chdman", "createcd", "-i", "a.cue", "-o", "a.chd")
    said = _run(tmp_path, "chdman", "info", "-i", "a.chd", "-v")
    frames = [part.split()[0] for part in said.split("FRAMES:")[1:]]
    # chdman counts a pregap in the file with its track.
    assert [int(each) for each in frames] == [each.length + each.pregap for each in found.tracks]
    _run(tmp_path, "bchunk", "a.bin", "a.cue", "out")
    sizes = [part.stat().st_size for part in sorted(tmp_path.glob("out*"))]
    assert sizes == [20 * 2048, 15 * RAW, 15 * RAW]
    starts = [(each.number, each.start, each.length) for each in found.tracks]
    assert starts == [(1, 0, 20), (2, 30, 15), (3, 45, 15)]


def _run(where: Path, *words: str) -> str:
    done = subprocess.run(
        words, cwd=where, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    return done.stdout


@pytest.mark.parametrize("size", [2048, RAW])
def test_the_second_session_of_genisoimage_is_read(tmp_path: Path, size: int) -> None:
    """Its extents count from the start of the disc, over a gap that no file has."""
    first = genisoimage(tmp_path / "1.iso", write_tree(tmp_path / "1", {"one": b"1" * 5000}), "-R")
    sectors = first.stat().st_size // 2048
    start = sectors + 11400
    options = ("-R", "-M", str(first), "-C", f"0,{start}")
    second = genisoimage(tmp_path / "2.iso", write_tree(tmp_path / "2", {"two": b"22"}), *options)
    images = ((first, 0), (second, start))
    sheet = ""
    for number, (image, lba) in enumerate(images, 1):
        data = raw(image.read_bytes(), lba=lba) if size == RAW else image.read_bytes()
        (tmp_path / f"{number}.bin").write_bytes(data)
        # The address in raw sectors says what a remark says otherwise.
        sheet += f"REM SESSION 0{number}\n" if size != RAW else ""
        sheet += f'FILE "{number}.bin" BINARY\nTRACK 0{number} MODE1/{size}\nINDEX 01 00:00:00\n'
    (tmp_path / "a.cue").write_text(sheet)
    for name in ("a.cue", "1.bin", "2.bin"):
        if size == RAW or name == "a.cue":
            with isomount.open(tmp_path / name) as disc_image:
                assert (disc_image.root / "one").read_bytes() == b"1" * 5000
                assert (disc_image.root / "two").read_bytes() == b"22"
