"""Ranges of a file sent as they are, on pipes in the place of /dev/fuse."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from isomount.fs.lane.splice import Splice, UnspliceableError
from isomount.sources import FileRange

_SIZE = 2 << 20
_HEAD = b"sixteen bytes..."


class Line:
    """A splice, what comes out of it, and a file to send from."""

    def __init__(self, place: Path) -> None:
        self.data = os.urandom(_SIZE)
        place.write_bytes(self.data)
        self.path = place
        self.file = os.open(place, os.O_RDONLY)
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK)
        fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.splice = Splice(self._writer)

    def arrives(self) -> bytes:
        try:
            return os.read(self._reader, _SIZE)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        self.splice.close()
        for descriptor in (self.file, self._reader, self._writer):
            os.close(descriptor)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path / "file")
    yield made
    made.close()


@pytest.mark.parametrize("offset", [0, 1, 2048, 4095])
@pytest.mark.parametrize("length", [1, 4096, 128 << 10, None])
def test_a_range_arrives_behind_its_header(line: Line, offset: int, length: int | None) -> None:
    count = line.splice.at_most if length is None else length
    for start in (offset, offset + 65536):
        line.splice.send(_HEAD, FileRange(line.file, start, count))
        assert line.arrives() == _HEAD + line.data[start : start + count]


def test_there_is_room_for_what_the_kernel_asks_for_by_itself(line: Line) -> None:
    assert line.splice.at_most >= 128 << 10


def test_a_file_that_became_shorter_leaves_nothing_behind(line: Line) -> None:
    os.truncate(line.path, 100_000)
    with pytest.raises(UnspliceableError):
        line.splice.send(_HEAD, FileRange(line.file, 50_000, 60_000))
    assert line.arrives() == b""
    line.splice.send(_HEAD, FileRange(line.file, 0, 50_000))
    assert line.arrives() == _HEAD + line.data[:50_000]


def test_what_the_device_does_not_take_leaves_nothing_behind(line: Line) -> None:
    line.splice.send(_HEAD, FileRange(line.file, 0, line.splice.at_most))
    with pytest.raises(OSError, match="a part"):  # there is room for a page more
        line.splice.send(_HEAD, FileRange(line.file, 0, line.splice.at_most))
    with pytest.raises(BlockingIOError):
        line.splice.send(_HEAD, FileRange(line.file, 0, 5000))
    while line.arrives():
        pass
    line.splice.send(_HEAD, FileRange(line.file, 0, 5000))
    assert line.arrives() == _HEAD + line.data[:5000]
