"""UDF discs through a real mount: what films, attributes and huge files need."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from tests.authoring import genisoimage
from tests.command import PATIENCE
from tests.conftest import Mounted
from tests.formats.udf_builder import (
    FILE,
    Builder,
    extended_attribute_space,
    file_entry,
    identifier,
    latin,
    long_ad,
    parent,
    short_ad,
)

BLOCK = 2048


def test_a_dvd_video_plays(tmp_path: Path, mounted: Mounted) -> None:
    """Made by ffmpeg, dvdauthor and genisoimage, opened by ffprobe and decoded to the end."""
    film, disc = tmp_path / "film.mpg", tmp_path / "disc"
    _do(
        "ffmpeg",
        "-loglevel",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc=duration=2:size=720x576:rate=25",
        "-f",
        "lavfi",
        "-i",
        "sine=duration=2",
        "-target",
        "pal-dvd",
        str(film),
    )
    _do("dvdauthor", "-o", str(disc), "--title", "-v", "pal", str(film))
    _do("env", "VIDEO_FORMAT=PAL", "dvdauthor", "-o", str(disc), "-T")
    image = genisoimage(tmp_path / "film.iso", disc, "-dvd-video", "-udf", "-V", "FILM")
    with mounted(image) as folder:
        assert "VTS_01_0.IFO" in os.listdir(folder / "VIDEO_TS")
        video = folder / "VIDEO_TS/VTS_01_1.VOB"
        probed = _do("ffprobe", "-loglevel", "error", "-show_streams", str(video))
        assert "codec_name=mpeg2video" in probed
        assert "codec_name=ac3" in probed
        decoded = _do("ffmpeg", "-loglevel", "error", "-i", str(video), "-f", "framehash", "-")
        assert decoded.count("\n0,") >= 49
        for part in (disc / "VIDEO_TS").iterdir():
            assert _digest(folder / "VIDEO_TS" / part.name) == _digest(part)


def test_streams_are_extended_attributes_on_request(tmp_path: Path, mounted: Mounted) -> None:
    image = _image_with_a_stream(tmp_path)
    with mounted(image, "xattr") as folder:
        assert os.listxattr(folder / "file") == ["user.note"]
        assert os.getxattr(folder / "file", "user.note") == b"stream"
        with pytest.raises(OSError, match="No data"):
            os.getxattr(folder / "file", "user.other")
        assert 'user.note="stream"' in _do("getfattr", "-d", str(folder / "file"))
    with mounted(image) as folder, pytest.raises(OSError, match="not supported"):
        os.getxattr(folder / "file", "user.note")


def test_five_gibibytes_across_every_extent(tmp_path: Path, mounted: Mounted) -> None:
    """A sparse image: marks at the start, over every extent boundary and at the end."""
    extent = (1 << 30) - BLOCK
    size = 5 * (1 << 30) + 12345
    builder = Builder(blocks=6 * (extent // BLOCK) + 2000)
    starts = [1000 + index * (extent // BLOCK) for index in (3, 0, 4, 1, 2, 5)]
    builder.root(identifier(latin("huge"), 2))
    builder.put(2, file_entry(2, FILE, size, b"".join(short_ad(extent, s) for s in starts)))
    for number, start in enumerate(starts):
        builder.put(start, b"begin%03d" % number)
        builder.put(start + extent // BLOCK - 1, b"e" * BLOCK)
    image = builder.write(tmp_path / "huge.img")
    with mounted(image) as folder:
        file = folder / "huge"
        assert file.stat().st_size == size
        with file.open("rb") as data:
            for number in range(1, 6):
                data.seek(number * extent - 4)
                assert data.read(12) == b"eeeebegin%03d" % number
            data.seek(-10, os.SEEK_END)
            assert data.read(100) == bytes(10)


def _image_with_a_stream(tmp_path: Path) -> Path:
    builder = Builder()
    builder.root(identifier(latin("file"), 2))
    space = extended_attribute_space()
    builder.put(2, file_entry(2, FILE, 0, b"", attributes=space, streams=long_ad(BLOCK, 3)))
    streams = parent(2) + identifier(latin("note"), 4)
    builder.put(3, file_entry(3, 13, len(streams), streams, ad=3))
    builder.put(4, file_entry(4, FILE, 6, b"stream", ad=3))
    return builder.write(tmp_path / "streams.img")


def _do(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
