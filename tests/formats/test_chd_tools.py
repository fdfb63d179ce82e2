"""CHD files that chdman makes hold what it was given, by every codec that it has."""

import subprocess
from pathlib import Path

import pytest

import isomount
from isomount.containers import unpack
from isomount.containers.discs.disc import Mode
from isomount.errors import MissingImageError
from tests.command import PATIENCE

SECTORS = 1200


def run(*words: object, cwd: Path) -> None:
    subprocess.run(
        [str(word) for word in words], check=True, capture_output=True, cwd=cwd, timeout=PATIENCE
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with disc.iso, and with disc.bin of its raw sectors, an audio track behind them."""
    place = tmp_path_factory.mktemp("chd")
    (place / "files").mkdir()
    (place / "files" / "text").write_bytes(b"some text, again and again\n" * 20000)
    (place / "files" / "noise").write_bytes(bytes(n * n % 251 for n in range(300_000)))
    run("genisoimage", "-quiet", "-R", "-o", "disc.iso", "files", cwd=place)
    (place / "disc.bin").write_bytes(raw_sectors((place / "disc.iso").read_bytes()) + tone())
    count = (place / "disc.iso").stat().st_size // 2048
    minutes, frames = divmod(count, 75 * 60)
    start = f"{minutes:02}:{frames // 75:02}:{frames % 75:02}"
    (place / "disc.cue").write_text(
        'FILE "disc.bin" BINARY\n TRACK 01 MODE1/2352\n  INDEX 01 00:00:00\n'
        f" TRACK 02 AUDIO\n  INDEX 01 {start}\n"
    )
    return place


def raw_sectors(data: bytes) -> bytes:
    """Mode 1 sectors without EDC and ECC: chdman cannot leave out what is not right."""
    raw = []
    for number in range(len(data) // 2048):
        seconds, frame = divmod(number + 150, 75)
        address = bytes(int(str(each), 16) for each in (*divmod(seconds, 60), frame))
        head = b"\0" + b"\xff" * 10 + b"\0" + address + b"\1"
        raw.append(head + data[number * 2048 : (number + 1) * 2048] + bytes(288))
    return b"".join(raw)


def tone() -> bytes:
    """Four seconds of a tone, 16-bit stereo."""
    wave = b"".join(
        (n * n % 2000 - 1000).to_bytes(2, "little", signed=True) * 2 for n in range(588)
    )
    return wave * 300


CD_CODECS = ["none", "cdzl", "cdlz", "cdfl", "cdzl,cdlz,cdfl"]
PLAIN_CODECS = ["none", "zlib", "lzma", "huff", "flac", "zlib,lzma,huff,flac"]


@pytest.mark.parametrize("codecs", CD_CODECS)
@pytest.mark.parametrize("given", ["disc.iso", "disc.cue"])
def test_createcd(place: Path, tmp_path: Path, given: str, codecs: str) -> None:
    made = tmp_path / "x.chd"
    run("chdman", "createcd", "-i", given, "-o", made, "-c", codecs, cwd=place)
    iso = (place / "disc.iso").read_bytes()
    found = unpack(made)
    assert found.source.read_at(0, len(iso)) == iso
    assert found.disc is not None
    modes = [track.mode for track in found.disc.tracks]
    assert modes == [Mode.MODE1, Mode.AUDIO][: 1 + (given == "disc.cue")]
    if given == "disc.cue":
        audio = found.disc.runs[1]
        read = audio.file.read_at(audio.offset, 2352)
        assert audio.is_big_endian
        assert read[1::2] == tone()[:2352:2]  # the low byte comes second
        assert read[::2] == tone()[1:2352:2]
    found.source.close()


@pytest.mark.parametrize("codecs", PLAIN_CODECS)
@pytest.mark.parametrize("verb", ["createraw", "createhd"])
def test_plain_content(place: Path, tmp_path: Path, verb: str, codecs: str) -> None:
    made = tmp_path / "x.chd"
    sizes = ("-hs", 4096, "-us", 2048) if verb == "createraw" else ("-hs", 4096)
    run("chdman", verb, "-i", "disc.iso", "-o", made, "-c", codecs, *sizes, cwd=place)
    with isomount.open(made) as image:
        assert (image.root / "text").read_bytes() == (place / "files" / "text").read_bytes()
        assert (image.root / "noise").read_bytes() == (place / "files" / "noise").read_bytes()


def test_a_child_of_a_parent(place: Path, tmp_path: Path) -> None:
    """What both have alike is only in the parent."""
    disc = bytearray((place / "disc.iso").read_bytes())
    disc[600_000:600_100] = b"!" * 100
    (tmp_path / "later.iso").write_bytes(disc)
    sizes = ("-hs", 4096, "-us", 2048)
    parent, child = tmp_path / "the parent.chd", tmp_path / "child.chd"
    run("chdman", "createraw", "-i", place / "disc.iso", "-o", parent, *sizes, cwd=tmp_path)
    run("chdman", "createraw", "-i", "later.iso", "-o", child, "-op", parent, *sizes, cwd=tmp_path)
    assert child.stat().st_size < parent.stat().st_size / 4
    found = unpack(child)
    assert found.source.read_at(0, len(disc)) == disc
    found.source.close()
    parent.unlink()
    with pytest.raises(MissingImageError, match=r"parent.*SHA-1 [0-9a-f]{40}"):
        unpack(child)
