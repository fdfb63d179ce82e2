"""gzip: random access, many members, sizes, damage, what is kept."""

import gzip
import os
import random
import struct
import subprocess
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.containers.base import OtherKindError
from isomount.containers.streams import inflate
from isomount.containers.streams.deflated import SPACING, DeflateStream
from isomount.containers.streams.gzip import Guess, GzipSource, guessed
from isomount.errors import ClosedError, DamagedDataError, DamagedImageError, MissingPackageError
from isomount.sources import LocalSource, Window
from tests.authoring import run_tool
from tests.containers.streams import cache, check_random, content, mutate, read_all, unpacked

__all__ = ["cache"]

_WHOLE = content(5_000_000)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gzip") / "image.bin"
    path.write_bytes(_WHOLE)
    run_tool("gzip", "-6", "-k", str(path))
    return path.with_suffix(".bin.gz")


def _opened(path: Path) -> GzipSource:
    source = unpacked(path)
    assert isinstance(source, GzipSource)
    return source


def test_in_order_and_at_random(packed: Path) -> None:
    source = _opened(packed)
    assert source.size == len(_WHOLE)
    assert read_all(source) == _WHOLE
    check_random(source, _WHOLE)
    assert source.measure() == len(_WHOLE)
    source.close()


def test_at_random_first(packed: Path) -> None:
    source = _opened(packed)
    assert source.read_at(len(_WHOLE) - 10, 100) == _WHOLE[-10:]
    check_random(source, _WHOLE)
    source.close()
    with pytest.raises(ClosedError):
        source.read_at(0, 1)


def test_nothing_is_decoded_that_is_not_asked_for(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "large.gz"
    path.write_bytes(gzip.compress(content(3_000_000) + os.urandom(9_000_000), 1))
    source = _opened(path)
    assert source.points.end is None
    assert source.points.last == 0
    source.read_at(1_000_000, 1)
    assert source.points.last <= 1_000_000
    source.close()


def test_the_index_is_kept(packed: Path, cache: Path) -> None:
    first = _opened(packed)
    read_all(first)
    points = first.points.last
    first.close()
    second = _opened(packed)
    assert second.points.end == len(_WHOLE)
    assert second.points.last == points > SPACING
    check_random(second, _WHOLE)
    second.close()
    assert {path.suffix for path in (cache / "indexes").iterdir()} == {".points", ".windows"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (cache / "indexes").iterdir())
    assert (cache / "indexes").stat().st_mode & 0o777 == 0o700


def test_an_index_of_another_file_is_not_used(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(content(2_000_000, 1), 1))
    read_all(_opened(path))
    path.write_bytes(gzip.compress(content(2_000_000, 2), 1))
    source = _opened(path)
    assert read_all(source) == content(2_000_000, 2)
    check_random(source, content(2_000_000, 2))


@pytest.mark.parametrize("name", ["points", "windows"])
@pytest.mark.parametrize("harm", ["cut", "changed", "emptied", "removed"])
def test_a_damaged_index_does_no_harm(packed: Path, cache: Path, name: str, harm: str) -> None:
    source = _opened(packed)
    read_all(source)
    source.close()
    (path,) = (cache / "indexes").glob(f"*.{name}")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle] ^= 0xFF
    path.write_bytes({"cut": data[:middle], "changed": data}.get(harm, b""))
    if harm == "removed":
        path.unlink()
    for _ in range(2):
        source = _opened(packed)
        check_random(source, _WHOLE)
        assert read_all(source) == _WHOLE
        source.close()


def test_two_at_once(packed: Path, cache: Path) -> None:
    first, second = _opened(packed), _opened(packed)
    assert read_all(first) == read_all(second) == _WHOLE
    check_random(first, _WHOLE)
    check_random(second, _WHOLE)
    first.close()
    second.close()
    assert _opened(packed).points.end == len(_WHOLE)


def test_many_threads(packed: Path) -> None:
    source = _opened(packed)
    wrong: list[int] = []

    def read(seed: int) -> None:
        chance = random.Random(seed)
        at = chance.randrange(len(_WHOLE))
        for _ in range(15):
            if source.read_at(at, 65536) != _WHOLE[at : at + 65536]:
                wrong.append(at)
            at = chance.choice((at + 65536, at + 131072, max(0, at - 65536), at // 2))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    source.close()


def test_members(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "members.gz"
    pieces = [content(700_000, seed) for seed in range(6)]
    extra = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\5\0extra" + b"name\0" + b"comment\0" + b"\0\0"
    members = [gzip.compress(piece, 1) for piece in pieces]
    members[2] = extra + members[2][10:]
    path.write_bytes(b"".join(members) + bytes(100))
    whole = b"".join(pieces)
    for _ in range(2):
        source = _opened(path)
        assert source.size == len(whole)
        check_random(source, whole)
        assert read_all(source) == whole
        source.close()


def test_cut_off(packed: Path, tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(packed.read_bytes()[:1_000_000])
    source = _opened(path)
    got = read_all(source)
    assert len(got) > 500_000
    assert got == _WHOLE[: len(got)]
    assert source.measure() == len(got)
    source.close()


def test_damage_is_damage_from_there_on(tmp_path: Path) -> None:
    stored = bytearray(gzip.compress(content(12_000_000), 1))
    stored[len(stored) // 2 :] = b"\xff" * (len(stored) - len(stored) // 2)
    path = tmp_path / "damaged.gz"
    path.write_bytes(stored)
    source = _opened(path)
    assert source.read_at(3_000_000, 1000) == content(12_000_000)[3_000_000:3_001_000]
    with pytest.raises(DamagedDataError):
        source.read_at(11_000_000, 1000)
    assert source.read_at(3_000_000, 1000) == content(12_000_000)[3_000_000:3_001_000]


def test_no_gzip(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\x1f\x8b\x08\x18" + bytes(6) + b"name without an end" * 10_000)
    with pytest.raises(OtherKindError):
        _opened(path)
    path.write_bytes(gzip.compress(b"")[:10] + b"\xff" * 100)
    with pytest.raises(DamagedImageError):
        _opened(path)
    path.write_bytes(gzip.compress(b""))
    assert _opened(path).size == 0


def test_mutations(tmp_path: Path) -> None:
    whole = content(200_000)
    stored = gzip.compress(whole[:100_000]) + gzip.compress(whole[100_000:])
    mutate(tmp_path / "file", stored, whole, 60)


_GIB = 1 << 30


@pytest.mark.parametrize(
    ("stored", "whole", "stated", "found"),
    [
        (500 << 20, 700 << 20, 700 << 20, Guess(700 << 20, is_likely=True)),
        (100 << 20, 9 * _GIB, 9 * _GIB - 5, Guess(9 * _GIB, is_likely=True)),
        (3 * _GIB, 9 * _GIB, 9 * _GIB, Guess(9 * _GIB, is_likely=True)),
        (500 << 20, 700 << 20, 300 << 20, Guess(700 << 20, is_likely=True)),
        (500 << 20, 700 << 20, 0, Guess(700 << 20, is_likely=False)),
        (6 * _GIB, 7 * _GIB, 0, Guess(7 * _GIB, is_likely=False)),
    ],
)
def test_the_size_that_is_likely(stored: int, whole: int, stated: int, found: Guess) -> None:
    assert guessed(stored, whole % (4 * _GIB), stated) == found


def test_the_size_of_many_members_is_what_the_image_says() -> None:
    assert guessed(500 << 20, 1000, 700 << 20) == Guess(700 << 20, is_likely=False)


@given(st.integers(0, 1 << 40), st.integers(0, (1 << 32) - 1), st.integers(0, 1 << 40))
def test_a_guess_is_never_less_than_what_is_stored(stored: int, isize: int, stated: int) -> None:
    size, _ = guessed(stored, isize, stated)
    assert size >= stored - stored // 256 - (64 << 10)


def test_a_raw_stream(tmp_path: Path, cache: Path) -> None:
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    path = tmp_path / "archive"
    stored = compressor.compress(_WHOLE) + compressor.flush()
    path.write_bytes(b"before" + stored + b"behind")
    source = DeflateStream(Window(LocalSource(path), 6, len(stored)), len(_WHOLE), None)
    assert source.measure() == source.size == len(_WHOLE)
    check_random(source, _WHOLE)
    assert source.read_at(len(_WHOLE) - 5, 100) == _WHOLE[-5:]
    source.close()
    longer = DeflateStream(Window(LocalSource(path), 6, len(stored)), len(_WHOLE) + 9, None)
    with pytest.raises(DamagedDataError):
        longer.read_at(len(_WHOLE), 9)


@pytest.mark.parametrize("missing", ["zlib-ng", "both"])
def test_with_other_libraries(packed: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    def without() -> None:
        raise MissingPackageError

    monkeypatch.setattr(inflate, "_zlib_ng", without)
    if missing == "both":
        monkeypatch.setattr(inflate, "_zlib", without)
    inflate._library.cache_clear()
    try:
        source = _opened(packed)
        check_random(source, _WHOLE, 5)
        assert read_all(source) == _WHOLE
        assert bool(source.points.last) == (missing != "both")
        source.close()
    finally:
        inflate._library.cache_clear()


def test_a_structure_that_is_another_is_not_used() -> None:
    library = inflate._library()
    assert library is not None
    if library.stream is inflate._ZlibStream:
        pytest.skip("zlib-ng is not installed")
    assert struct.calcsize("P") == 8
    assert inflate._works(library)


def test_as_gzip_has_it(packed: Path) -> None:
    unpacked_by_gzip = subprocess.run(["gzip", "-dc", packed], capture_output=True, check=True)
    assert unpacked_by_gzip.stdout == _WHOLE
