"""Decompression: the same whichever package is installed."""

import importlib
import random
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from isomount import codecs
from isomount.errors import DamagedDataError

PACKAGES = ("isal.isal_zlib", "zlib_ng.zlib_ng", "zlib")
WORDS = b"".join(random.Random(1).choices([b"alpha ", b"beta ", b"gamma ", b"\n"], k=9000))
Inflate = Callable[[bytes, int], bytes]


@pytest.fixture(params=PACKAGES)
def deflate_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    monkeypatch.setattr(codecs, "_deflate", lambda: importlib.import_module(name))
    return name


def deflated(data: bytes, inflate: Inflate) -> bytes:
    window = zlib.MAX_WBITS if inflate is codecs.inflate else -zlib.MAX_WBITS
    writer = zlib.compressobj(wbits=window)
    return writer.compress(data) + writer.flush()


@pytest.mark.parametrize("inflate", [codecs.inflate, codecs.inflate_raw])
@pytest.mark.parametrize("data", [b"", b"x", WORDS[:2048], WORDS])
def test_what_was_deflated_comes_back(deflate_by: str, inflate: Inflate, data: bytes) -> None:
    stored = deflated(data, inflate)
    assert inflate(stored, len(data)) == data
    assert inflate(stored + b"garbage", len(data)) == data
    assert inflate(stored, len(data) + 1000) == data, "what is missing is not made up"


@pytest.mark.parametrize("inflate", [codecs.inflate, codecs.inflate_raw])
def test_no_more_comes_than_was_asked_for(deflate_by: str, inflate: Inflate) -> None:
    stored = deflated(WORDS, inflate)
    assert inflate(stored, 1000) == WORDS[:1000]
    assert inflate(stored, 0) == b""
    assert inflate(stored, -1) == b""


@pytest.mark.parametrize("inflate", [codecs.inflate, codecs.inflate_raw])
def test_what_is_cut_off_gives_what_there_is(deflate_by: str, inflate: Inflate) -> None:
    stored = deflated(WORDS, inflate)
    some = inflate(stored[: len(stored) // 2], len(WORDS))
    assert 0 < len(some) < len(WORDS)
    assert WORDS.startswith(some)
    assert inflate(b"", 100) == b""


@pytest.mark.parametrize("inflate", [codecs.inflate, codecs.inflate_raw])
def test_what_is_damaged_says_so_in_the_same_words(deflate_by: str, inflate: Inflate) -> None:
    with pytest.raises(DamagedDataError, match="data is damaged: Error -3 while"):
        inflate(b"\xff" * 100, 100)


def test_a_wrong_checksum_is_damage(deflate_by: str) -> None:
    stored = deflated(WORDS, codecs.inflate)
    with pytest.raises(DamagedDataError, match="incorrect data check"):
        codecs.inflate(stored[:-1] + bytes([stored[-1] ^ 1]), len(WORDS))


@given(st.integers(0, 5000), st.integers(1, 255), st.booleans())
def test_damage_past_what_is_wanted_is_none(at: int, flip: int, raw: bool) -> None:
    """Some packages decode farther than they were asked to."""
    inflate = codecs.inflate_raw if raw else codecs.inflate
    stored = bytearray(deflated(WORDS, inflate))
    stored[at % len(stored)] ^= flip
    by_zlib = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
    try:
        expected = by_zlib.decompress(bytes(stored), 1000)
    except zlib.error:
        return
    assert len(inflate(bytes(stored), 1000)) == len(expected)


@pytest.mark.parametrize("missing", range(len(PACKAGES)))
def test_the_fastest_that_is_installed_is_taken(
    missing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PACKAGES[:missing]:
        monkeypatch.setitem(sys.modules, name, None)
    codecs._deflate.cache_clear()
    try:
        assert codecs._deflate() is importlib.import_module(PACKAGES[missing])
    finally:
        codecs._deflate.cache_clear()


def test_a_zstd_frame_with_its_size_and_without() -> None:
    for told in (True, False):
        writer = zstandard.ZstdCompressor(write_content_size=told)
        stored = writer.compress(WORDS)
        assert codecs.unpack_zstd(stored, len(WORDS)) == WORDS
        assert codecs.unpack_zstd(stored, 1000) == WORDS[:1000]
        assert codecs.unpack_zstd(stored, len(WORDS) + 1) == WORDS
        with pytest.raises(DamagedDataError):
            codecs.unpack_zstd(b"x" + stored, len(WORDS))


def test_zstd_in_many_threads() -> None:
    stored = [zstandard.compress(WORDS[n:]) for n in range(50)]
    with ThreadPoolExecutor(8) as pool:
        unpacked = pool.map(lambda each: codecs.unpack_zstd(each, len(WORDS)), stored * 4)
        assert list(unpacked) == [WORDS[n:] for n in range(50)] * 4
