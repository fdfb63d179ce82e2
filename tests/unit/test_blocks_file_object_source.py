"""File objects as sources."""

import gzip
import io
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from isomount.errors import ClosedError, ImageUnreadableError
from isomount.sources import FileObjectSource, LocalSource, open_source

DATA = os.urandom(10_000)


def in_memory(folder: Path) -> io.BytesIO:
    return io.BytesIO(DATA)


def raw(folder: Path) -> io.FileIO:
    (folder / "image").write_bytes(DATA)
    return io.FileIO(folder / "image")


def packed(folder: Path) -> zipfile.ZipExtFile:
    with zipfile.ZipFile(folder / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image", DATA)
    with zipfile.ZipFile(folder / "packed.zip") as archive:
        file = archive.open("image")
    assert isinstance(file, zipfile.ZipExtFile)  # open for as long as it needs the archive
    return file


@pytest.mark.parametrize("make", [in_memory, raw, packed])
def test_reads_and_size(
    make: Callable[[Path], io.BytesIO | io.FileIO | zipfile.ZipExtFile], tmp_path: Path
) -> None:
    with make(tmp_path) as file:
        source = open_source(file)
        assert isinstance(source, FileObjectSource)
        assert source.size == len(DATA)
        assert source.read_at(9_000, 500) == DATA[9_000:9_500]
        assert source.read_at(10, 5) == DATA[10:15]
        assert source.read_at(9_990, 100) == DATA[9_990:]
        assert source.read_at(10_000, 1) == b""
        assert source.read_resident(0, 1) is None
        assert source.resident_range(0, 1) is None
        source.close()
        source.close()
        with pytest.raises(ClosedError, match="the image is closed"):
            source.read_at(0, 1)
        assert not file.closed


def test_its_name_is_the_files_own_or_its_class(tmp_path: Path) -> None:
    with raw(tmp_path) as file:
        assert FileObjectSource(file).name.endswith("/image")
        with open(os.dup(file.fileno()), "rb") as nameless:
            assert FileObjectSource(nameless).name == "<BufferedReader>"
    assert FileObjectSource(io.BytesIO()).name == "<BytesIO>"


def test_short_reads_are_made_whole() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 7))

    assert FileObjectSource(Slow(DATA)).read_at(100, 1000) == DATA[100:1100]


def test_threads_do_not_disturb_each_other() -> None:
    source = FileObjectSource(io.BytesIO(DATA))
    gate = threading.Barrier(4)

    def read(start: int) -> bool:
        gate.wait()
        places = range(start, len(DATA), 17)
        return all(source.read_at(at, 9) == DATA[at : at + 9] for at in places)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(4)))


def closed() -> io.BytesIO:
    file = io.BytesIO(DATA)
    file.close()
    return file


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: io.StringIO("text"), "gives str instead of bytes; open it in binary mode"),
        (closed, "I/O operation on closed file; give a file object that is open"),
        (lambda: 3, "'int' object has no attribute 'seek'"),
    ],
    ids=["text", "closed", "number"],
)
def test_what_is_no_binary_file_is_refused_in_words(
    make: Callable[[], io.BytesIO], words: str
) -> None:
    with pytest.raises(ImageUnreadableError, match=words):
        open_source(make())


def test_a_pipe_is_refused_in_words() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    with open(reader, "rb") as pipe, pytest.raises(ImageUnreadableError, match="seekable"):
        open_source(pipe)


def test_a_file_that_was_closed_meanwhile_is_closed() -> None:
    file = io.BytesIO(DATA)
    source = FileObjectSource(file)
    file.close()
    with pytest.raises(ClosedError, match="closed file"):
        source.read_at(0, 1)


def test_a_path_is_a_local_file() -> None:
    with tempfile.NamedTemporaryFile() as file:
        for name in (file.name, Path(file.name)):
            source = open_source(name)
            assert isinstance(source, LocalSource)
            source.close()


def test_what_a_decompressor_raises_is_an_error_of_ours() -> None:
    """gzip ends a cut-off file with EOFError, which is no OSError."""
    whole = gzip.compress(os.urandom(200_000))
    with (
        gzip.GzipFile(fileobj=io.BytesIO(whole[:100_000])) as cut,
        pytest.raises(ImageUnreadableError, match="cannot be read as an image"),
    ):
        FileObjectSource(cut)

    class Late(gzip.GzipFile):
        def seek(self, offset: int, whence: int = 0) -> int:
            return 200_000 if whence == os.SEEK_END else super().seek(offset, whence)

    with Late(fileobj=io.BytesIO(whole[:100_000])) as late:
        source = FileObjectSource(late)
        with pytest.raises(OSError, match="cannot be read there"):
            source.read_at(150_000, 1000)
