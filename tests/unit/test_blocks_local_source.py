"""Local files as sources: what cannot be one is refused in words."""

import errno
import os
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from isomount.errors import ClosedError, ImageUnreadableError
from isomount.sources import LocalSource
from tests.command import PATIENCE


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(bytes(range(200)))
    return path


def test_reads_and_size(image: Path) -> None:
    source = LocalSource(image)
    assert (source.name, source.size) == (str(image), 200)
    assert source.read_at(10, 5) == bytes(range(10, 15))
    assert source.read_at(195, 100) == bytes(range(195, 200))
    assert source.read_at(200, 1) == b""
    source.close()
    with pytest.raises(ClosedError, match="the image is closed") as caught:
        source.read_at(0, 1)
    assert caught.value.errno == errno.EBADF
    assert source.read_resident(0, 1) is None
    assert source.resident_range(0, 1) is None


def test_closing_twice_leaves_whoever_got_the_number(image: Path) -> None:
    source = LocalSource(image)
    source.close()
    with image.open("rb") as other:
        source.close()
        assert other.read(1) == b"\0"


def test_a_read_under_way_keeps_the_file_open(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = LocalSource(image)
    pread = os.pread

    def close_and_read(descriptor: int, length: int, offset: int) -> bytes:
        source.close()
        return pread(descriptor, length, offset)

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "pread", close_and_read)
    assert source.read_at(0, 3) == b"\0\1\2"
    assert len(os.listdir("/proc/self/fd")) == before - 1


def test_an_error_that_is_kept_does_not_keep_the_file_open(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    source = LocalSource(image)

    def fail(descriptor: int, length: int, offset: int) -> bytes:
        raise OSError(errno.EIO, "lost")

    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(OSError, match="lost") as caught:
        source.read_at(0, 3)
    source.close()
    assert len(os.listdir("/proc/self/fd")) == before
    assert caught.value.errno == errno.EIO


def test_a_resident_read_is_right_or_nothing(image: Path) -> None:
    source = LocalSource(image)
    source.read_at(0, 200)
    assert source.read_resident(10, 5) in (bytes(range(10, 15)), None)
    assert source.read_resident(190, 100) in (bytes(range(190, 200)), None)
    assert source.read_resident(200, 1) in (b"", None)
    source.close()


def test_a_resident_read_of_a_file_that_shrank_is_nothing(image: Path) -> None:
    source = LocalSource(image)
    os.truncate(image, 100)
    assert source.read_resident(90, 20) is None
    assert source.read_at(90, 20) == bytes(range(90, 100))
    source.close()


def test_a_file_that_is_replaced_is_still_the_one_that_was_opened(image: Path) -> None:
    source = LocalSource(image)
    image.unlink()
    image.write_bytes(b"other")
    assert source.read_at(0, 3) == b"\0\1\2"
    source.close()


def missing(path: Path) -> None:
    pass


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        # Addresses of sockets are short, temporary folders are not.
        os.chdir(path.parent)
        server.bind(path.name)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (missing, "there is no such file"),
        (Path.mkdir, "is a folder; name the image file"),
        (os.mkfifo, "is a pipe, and an image is read in any order"),
        (bind, "cannot be read: No such device or address"),
        (lambda path: path.symlink_to(path), "cannot be read: Too many levels of symbolic links"),
        (lambda path: path.symlink_to("/dev/null"), "is neither a file nor a disc drive"),
    ],
    ids=["missing", "folder", "fifo", "socket", "loop", "device"],
)
def test_what_is_no_image_is_refused_in_words(
    make: Callable[[Path], object], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "thing"
    make(path)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ImageUnreadableError, match=words) as caught:
        LocalSource(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.exit_code == 11
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_name_in_a_file_is_refused_in_words(image: Path) -> None:
    with pytest.raises(ImageUnreadableError, match="Not a directory"):
        LocalSource(image / "disc.iso")


def test_a_file_that_is_not_permitted_is_refused_with_the_remedy(image: Path) -> None:
    image.chmod(0)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ImageUnreadableError, match="no permission to read it; ask its owner"):
            LocalSource(image)
    finally:
        if me == 0:
            os.seteuid(0)


def test_a_file_in_a_file_system_of_memory_is_resident() -> None:
    """Such a file system does not know the flag that asks, as nothing in it ever waits."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        pytest.skip("there is no /dev/shm here")
    with tempfile.NamedTemporaryFile(dir=memory) as file:
        file.write(b"0123456789")
        file.flush()
        source = LocalSource(file.name)
        assert bytes(source.read_resident(2, 5) or b"") == b"23456"
        assert bytes(source.read_resident(8, 5) or b"") == b"89"
        source.close()


def test_what_a_stream_will_read_next_is_fetched(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(8 << 20))
    source = LocalSource(path)
    place = 4 << 20
    known = source.read_resident(place, 4096) is not None
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if not known or source.read_resident(place, 4096) is not None:
        pytest.skip("the temporary folder's file system cannot tell or drop what is in memory")
    for offset in (0, 128 << 10):
        assert len(source.read_at(offset, 128 << 10)) == 128 << 10
    end = time.monotonic() + PATIENCE
    while source.read_resident(place, 4096) is None:  # fetched, not read by us
        assert time.monotonic() < end
        time.sleep(0.01)
    source.close()


def test_memory_is_used_again_and_no_stream_is_forgotten_for_it(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(2 << 20))
    source = LocalSource(path)
    first = source.read_resident(0, 4096)
    if first is None:
        pytest.skip("the temporary folder's file system cannot tell what is in memory")
    streams = source._streams
    second = source.read_resident(8192, 8192)
    assert second is not None
    assert second.obj is first.obj
    assert source.read_resident(0, 1 << 20) is not None
    assert source._streams is streams
    source.close()


def test_a_file_that_grows_is_measured(image: Path) -> None:
    source = LocalSource(image)
    with image.open("ab") as file:
        file.write(b"more")
    assert source.size == 200
    assert source.measure() == source.size == 204
    assert source.read_at(198, 10) == bytes((198, 199)) + b"more"
    assert bytes(source.read_resident(198, 10) or b"") == bytes((198, 199)) + b"more"
    assert source.resident_range(198, 6) is None, "what was not there when it was opened is copied"
    os.truncate(image, 100)
    assert source.measure() == 204, "what a file has lost is damage"
    source.close()
    assert source.measure() == 204
