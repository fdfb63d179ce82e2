"""What is kept below the cache directory, and copies that grow while they are read."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from isomount.blocks import Store
from isomount.containers import behind
from isomount.containers.base import Surroundings
from isomount.containers.copy import Chunks, DecodedCopy, decoded_copy
from isomount.containers.kept import COPIES, INDEXES, Shelf, key_of
from isomount.containers.siblings import NoSiblings
from isomount.errors import DamagedDataError, ImageUnreadableError
from isomount.sources import LocalSource, Source
from tests.containers.streams import cache, content, read_all

__all__ = ["cache"]

_WHOLE = content(700_000)


def _chunks() -> Iterator[bytes]:
    for at in range(0, len(_WHOLE), 10_000):
        yield _WHOLE[at : at + 10_000]


def _copy(size: int | None = len(_WHOLE), chunks: Chunks = _chunks) -> Source:
    notices: list[str] = []
    surroundings = Surroundings(NoSiblings(), Store(), notices.append)
    return decoded_copy("image", size, "key", chunks, surroundings)


@pytest.mark.parametrize("size", [len(_WHOLE), None])
def test_a_copy_is_kept_when_it_is_complete(cache: Path, size: int | None) -> None:
    first = _copy(size)
    assert isinstance(first, DecodedCopy)
    assert first.read_at(100_000, 10) == _WHOLE[100_000:100_010]
    assert read_all(first) == _WHOLE
    assert first.measure() == len(_WHOLE)
    resident = first.read_resident(5, 10)
    assert resident is None or bytes(resident) == _WHOLE[5:15]
    first.close()
    second = _copy(size, chunks=lambda: iter(()))
    assert read_all(second) == _WHOLE
    second.close()
    (path,) = (cache / "copies").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_copy_that_is_not_complete_leaves_nothing(cache: Path) -> None:
    source = _copy()
    source.read_at(0, 10)
    source.close()
    assert not list((cache / "copies").iterdir())


def test_no_more_is_decoded_than_asked_for(cache: Path) -> None:
    given = []

    def chunks() -> Iterator[bytes]:
        for chunk in _chunks():
            given.append(len(chunk))
            yield chunk

    source = _copy(chunks=chunks)
    assert not given
    assert source.read_at(15_000, 1) == _WHOLE[15_000:15_001]
    assert sum(given) == 20_000
    source.close()


def test_without_a_home_it_works_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert INDEXES.directory is None
    source = _copy()
    assert read_all(source) == _WHOLE
    source.close()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert COPIES.directory is None


def test_what_cannot_be_decoded_is_lost_and_the_rest_is_not(cache: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield _WHOLE[:20_000]
        raise DamagedDataError("it is broken")

    source = _copy(chunks=chunks)
    assert source.size == len(_WHOLE)
    assert source.read_at(0, 20_000) == _WHOLE[:20_000]
    with pytest.raises(DamagedDataError, match="broken"):
        source.read_at(15_000, 10_000)
    source.close()
    assert not list((cache / "copies").iterdir())
    short = _copy(chunks=lambda: iter([b"short"]))
    with pytest.raises(DamagedDataError, match="cut off"):
        short.read_at(0, 10)
    short.close()
    unknown = _copy(None, chunks=chunks)
    assert unknown.measure() == 20_000
    unknown.close()


def test_no_more_than_was_declared(cache: Path) -> None:
    def chunks() -> Iterator[bytes]:
        while True:
            yield bytes(10_000)

    source = _copy(25_000, chunks=chunks)
    assert read_all(source) == bytes(25_000)
    source.close()


def test_a_disk_without_room(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImageUnreadableError, match="XDG_CACHE_HOME"):
        _copy(1 << 60)
    monkeypatch.setattr("isomount.containers.copy._ROOM_EVERY", 50_000)
    monkeypatch.setattr("isomount.containers.copy.room_in", lambda _: 0)
    source = _copy(None)
    assert isinstance(source, DecodedCopy)
    assert source.measure() < len(_WHOLE)
    source.close()


def test_it_goes_on_beside_reading(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind, "_begun", False)
    source = _copy()
    assert isinstance(source, DecodedCopy)
    assert not source.is_end_known
    behind.begin()
    deadline = time.monotonic() + 20
    while not source.is_end_known and time.monotonic() < deadline:
        time.sleep(0.01)
    assert source.is_end_known
    source.close()


def test_many_readers(cache: Path) -> None:
    source = _copy()
    wrong: list[int] = []

    def read(start: int) -> None:
        for at in range(start, len(_WHOLE), 100_000):
            if source.read_at(at, 3000) != _WHOLE[at : at + 3000]:
                wrong.append(at)

    threads = [threading.Thread(target=read, args=(start * 7000,)) for start in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    source.close()


def test_what_was_used_least_recently_goes(cache: Path) -> None:
    shelf = Shelf("some", 10_000)
    directory = shelf.directory
    assert directory is not None
    for number, name in enumerate(("old.a", "old.b", "middle", "new")):
        path = Path(directory, name)
        path.write_bytes(bytes(4000))
        os.utime(path, (number, number))
    assert shelf.find("old.a") == os.path.join(directory, "old.a")
    shelf.trim()
    assert {path.name for path in Path(directory).iterdir()} == {"old.a", "old.b"}
    Path(directory, "huge").write_bytes(bytes(50_000))
    shelf.trim()
    assert {path.name for path in Path(directory).iterdir()} == {"huge"}
    assert shelf.find("none") is None


def test_a_key_tells_files_apart(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def key(data: bytes, *made: str, at: int = 1) -> str | None:
        path.write_bytes(data)
        os.utime(path, (at, at))
        return key_of(LocalSource(path), *made)

    data = content(300_000)
    keys = {
        key(data, "a"),
        key(data, "b"),
        key(data + b"x", "a"),
        key(b"x" + data[1:], "a"),
        key(data[:-1] + b"x", "a"),
        key(data, "a", at=2),
    }
    assert len(keys) == 6
    assert key(data, "a") in keys
    assert key(b"", "a") not in keys
