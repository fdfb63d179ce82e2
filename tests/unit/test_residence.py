"""What is in memory of a file, told without reading it."""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from isomount.sources import LocalSource
from isomount.sources.local.residence import RANGE_AT_MOST, Residence

_SIZE = 4 << 20


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(_SIZE))
    descriptor = os.open(path, os.O_RDWR)
    os.fsync(descriptor)
    yield descriptor
    os.close(descriptor)


def drop(descriptor: int, residence: Residence) -> None:
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    if residence.holds(0, 4096):
        pytest.skip("the temporary folder's file system keeps everything in memory")


def test_what_was_read_is_there_and_what_was_dropped_is_not(file: int) -> None:
    residence = Residence(file, _SIZE)
    os.pread(file, _SIZE, 0)
    assert residence.holds(0, RANGE_AT_MOST)
    assert residence.holds(1 << 20 | 2048, 128 << 10)
    assert residence.holds(_SIZE - 1, 1)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    drop(file, residence)
    os.pread(file, 1 << 20, 0)
    assert residence.holds(0, 1 << 20)
    assert not residence.holds(4096, 1 << 20)
    assert not residence.holds(3 << 20, 4096)
    residence.close()


def test_one_page_that_is_missing_is_enough(file: int) -> None:
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    residence = Residence(file, _SIZE)
    drop(file, residence)
    for page in range(32):
        assert not residence.holds(0, 32 * mmap.PAGESIZE)
        os.pread(file, 1, page * mmap.PAGESIZE)
    assert residence.holds(0, 32 * mmap.PAGESIZE)
    residence.close()


def test_a_file_that_became_shorter_is_not_there(file: int) -> None:
    residence = Residence(file, _SIZE)
    os.truncate(file, 1 << 20)
    os.pread(file, 1 << 20, 0)
    assert residence.holds(0, 1 << 20)
    assert not residence.holds((1 << 20) - 4096, 8192)
    assert not residence.holds(2 << 20, 4096)
    residence.close()


@pytest.mark.parametrize("owns", [False, True])
@pytest.mark.parametrize("writes", [False, True])
def test_who_neither_owns_a_file_nor_may_write_to_it_is_not_told(
    file: int, monkeypatch: pytest.MonkeyPatch, owns: bool, writes: bool
) -> None:
    """To him the kernel says that all of it is in memory."""
    monkeypatch.setattr(os, "geteuid", lambda: os.fstat(file).st_uid + (not owns))
    monkeypatch.setattr(os, "access", lambda *args, **words: writes)
    if owns or writes:
        Residence(file, _SIZE).close()
    else:
        with pytest.raises(PermissionError):
            Residence(file, _SIZE)


def test_where_reading_may_wait_whatever_is_in_memory_nothing_is_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(_SIZE))
    source = LocalSource(path)
    assert source.resident_range(0, 100_000) is not None
    source._flag = None  # as of a file system on a network
    assert source.resident_range(0, 100_000) is None
    source.close()


def test_ranges_of_an_image(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(_SIZE))
    source = LocalSource(path)
    source.read_at(0, _SIZE)
    found = source.resident_range(2048, 100_000)
    assert found is not None
    assert (found.offset, len(found)) == (2048, 100_000)
    assert os.pread(found.descriptor, 10, 0) == bytes(10)
    assert source.resident_range(_SIZE - 10, 11) is None
    assert source.resident_range(0, RANGE_AT_MOST + 1) is None
    source.close()
