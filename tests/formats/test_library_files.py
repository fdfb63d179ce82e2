"""Files of an image as Python's io knows files."""

import errno
import io
import logging
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import isomount
from isomount import Image, ImageFile
from isomount.formats.options import ViewOptions
from tests.conftest import MakeImage
from tests.formats.iso_builder import IsoImage, MemorySource, record

DATA = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("files")
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.writestr("inside", DATA[:1000])
    data = {"data": DATA, "packed": (folder / "packed.zip").read_bytes(), "none": b""}
    made = IsoImage()
    at = 30
    records = []
    for name, content in data.items():
        made.put(at, content)
        records.append(record(b"%s;1" % name.upper().encode(), at, len(content)))
        at += len(content) // 2048 + 1
    made.root(*records)
    with Image(MemorySource(made.data()), ViewOptions()) as image:
        yield image


def test_it_is_a_buffered_reader_over_a_raw_file(image: Image) -> None:
    with image.open("data") as file:
        assert isinstance(file, io.BufferedReader)
        raw = file.raw
        assert isinstance(raw, ImageFile)
        assert (raw.name, raw.mode, raw.tell()) == ("data", "rb", 0)
        assert raw.readable()
        assert raw.seekable()
        assert not raw.writable()
        assert file.read() == DATA
        assert file.read() == b""
        with pytest.raises(io.UnsupportedOperation):
            file.fileno()
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"x")
    with pytest.raises(ValueError, match="closed file"):
        file.read(1)
    with pytest.raises(ValueError, match="closed file"):
        raw.read(1)
    with image.open(image.root / "none") as empty:
        assert empty.read() == b""


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, len(DATA) + 10), st.just(0)),
        st.tuples(st.just("read1"), st.integers(1, 300_000), st.just(0)),
        st.tuples(st.just("seek"), st.integers(-len(DATA) - 10, len(DATA) + 10), st.integers(0, 2)),
    ),
    max_size=12,
)


@given(steps=STEPS)
def test_any_reading_is_that_of_bytes(image: Image, steps: list[tuple[str, int, int]]) -> None:
    with image.open("data") as file, io.BytesIO(DATA) as like:
        for what, number, whence in steps:
            if what == "seek":
                base = (0, like.tell(), len(DATA))[whence]
                if base + number < 0:
                    with pytest.raises((OSError, ValueError)):
                        file.seek(number, whence)
                    continue
                assert file.seek(number, whence) == like.seek(number, whence)
            elif what == "read":
                assert file.read(number) == like.read(number)
            else:
                piece = file.read1(number)
                assert piece == like.read(len(piece))
                assert piece or like.tell() >= len(DATA)
            assert file.tell() == like.tell()


def test_readinto_fills_what_it_is_given(image: Image) -> None:
    buffer = bytearray(100)
    with image.open("data") as file:
        file.seek(-60, os.SEEK_END)
        assert file.readinto(memoryview(buffer)[10:]) == 60
    assert buffer == bytes(10) + DATA[-60:] + bytes(30)
    with image.open("data") as file, pytest.raises(ValueError, match="whence"):
        file.raw.seek(0, 7)


def test_other_libraries_take_it(image: Image) -> None:
    with image.open("packed") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("inside") == DATA[:1000]


def test_an_image_in_an_image(make_image: MakeImage) -> None:
    inner = make_image({"a.txt": b"inner"}, "-R", name="inner.iso")
    outer = make_image({"inner.iso": inner.read_bytes()}, "-R", name="outer.iso")
    with (
        isomount.open(outer) as image,
        image.open("inner.iso") as file,
        isomount.open(file) as second,
    ):
        assert second.name == "inner.iso"
        assert (second.root / "a.txt").read_text() == "inner"


def test_lost_bytes_are_an_error_in_their_place_and_damage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = IsoImage()
    made.put(99, b"there" + bytes(2043))
    made.root(record(b"CUT;1", 99, 4096))
    image = Image(MemorySource(made.data()), ViewOptions())
    with caplog.at_level(logging.WARNING), image.open("cut") as file:
        assert file.read(5) == b"there"
        assert len(file.read(2043)) == 2043
        with pytest.raises(isomount.PathError) as caught:
            file.read(1)
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, "cut")
    assert isinstance(caught.value, OSError)
    assert "cannot be read at its byte 2048" in caplog.text
    assert any("byte 2048" in what for _, what in image.damage.findings)


class Failing(MemorySource):
    """A medium that fails once ``broken``."""

    broken = False

    def read_at(self, offset: int, length: int) -> bytes:
        if self.broken:
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
        return super().read_at(offset, length)


def test_what_the_medium_says_is_about_the_path() -> None:
    made = IsoImage()
    made.root(record(b"A;1", 30, 5))
    source = Failing(made.data())
    image = Image(source, ViewOptions())
    path = image.root / "a"
    assert path.is_file()
    source.broken = True
    with pytest.raises(isomount.PathError, match="a: Remote I/O error") as caught:
        path.read_bytes()
    assert caught.value.errno == errno.EREMOTEIO


def test_devices_are_not_read(tmp_path: Path, as_root: None) -> None:
    from tests.authoring import genisoimage

    folder = tmp_path / "tree"
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    with (
        isomount.open(genisoimage(tmp_path / "x.iso", folder, "-R")) as image,
        pytest.raises(isomount.PathError, match="no regular file"),
    ):
        image.open("fifo")
