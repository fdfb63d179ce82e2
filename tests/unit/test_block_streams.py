"""bzip2, xz, zstd and LZ4: random access by blocks and frames, and what has none of them."""

import bz2
import lzma
import struct
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import isomount
from isomount.containers.base import OtherKindError
from isomount.containers.copy import DecodedCopy
from isomount.containers.streams import lz4 as lz4_kind
from isomount.containers.streams import marks, zstd
from isomount.containers.streams.bzip2 import Bzip2Source
from isomount.containers.streams.units import UnitSource
from isomount.containers.streams.xz_index import indexed
from isomount.errors import DamagedDataError, DamagedImageError, NotAnImageError
from isomount.sources import LocalSource, Source
from isomount.workers import WORKERS
from tests.authoring import run_tool
from tests.containers.streams import cache, check_random, content, mutate, read_all, unpacked

__all__ = ["cache"]

_lz4: Any = import_module("lz4.frame")  # without types

_WHOLE = content(1_200_000)


def _by(*words: str) -> Callable[[Path], Path]:
    """Packs a file by a program, which is to write to the last of the words."""

    def pack(plain: Path) -> Path:
        packed = plain.with_name("packed")
        text = [word.format(plain=plain, packed=packed) for word in words]
        run_tool("sh", "-c", " ".join(text))
        return packed

    return pack


_APART = {
    "bzip2": _by("bzip2 -c -1 {plain} >{packed}"),
    "bzip2-two": _by("(bzip2 -c -9 {plain}; bzip2 -c -2 {plain}) >{packed}"),
    "xz": _by("xz -c -0 -T2 --block-size=300KiB {plain} >{packed}"),
    "xz-none": _by("xz -c -0 -C none --block-size=300KiB {plain} >{packed}"),
    "xz-two": _by("(xz -c -0 {plain}; head -c 8 /dev/zero; xz -c -1 {plain}) >{packed}"),
    "zstd-two": _by("(zstd -qc {plain}; zstd -qc --no-check {plain}) >{packed}"),
    "lz4": _by("lz4 -qc -B6 {plain} >{packed}"),
    "lz4-64k": _by("lz4 -qc -B4 -BX {plain} >{packed}"),
    "lz4-two": _by("(lz4 -qc -B5 --content-size {plain}; lz4 -qc -B4 {plain}) >{packed}"),
    "lz4-legacy": _by("lz4 -qc -l {plain} >{packed}"),
}


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain"
    path.write_bytes(_WHOLE)
    return path


@pytest.mark.parametrize("kind", _APART)
def test_any_block_is_decoded_alone(plain: Path, cache: Path, kind: str) -> None:
    whole = _WHOLE * (2 if kind.endswith("two") else 1)
    packed = _APART[kind](plain)
    notices: list[str] = []
    for _ in range(2):
        source = unpacked(packed, notices)
        assert isinstance(source, UnitSource | Bzip2Source)
        check_random(source, whole, 8)
        assert read_all(source, 400_000) == whole
        assert source.measure() == source.size == len(whole)
        source.close()
    assert not notices


_IN_ORDER = {
    "lz4-dependent": _by("lz4 -qc -BD -B4 {plain} >{packed}"),
    "zstd-unknown-size": _by("cat {plain} | zstd -qc >{packed}"),
    "lzma": _by("xz -c --format=lzma -0 {plain} >{packed}"),
}


@pytest.mark.parametrize("kind", _IN_ORDER)
def test_what_has_no_blocks_is_decoded_once(plain: Path, cache: Path, kind: str) -> None:
    packed = _IN_ORDER[kind](plain)
    notices: list[str] = []
    source = unpacked(packed, notices)
    assert isinstance(source, DecodedCopy)
    check_random(source, _WHOLE)
    assert read_all(source) == _WHOLE
    assert source.measure() == len(_WHOLE)
    source.close()
    assert len(notices) == 1
    assert f"{packed}: " in notices[0]
    source = unpacked(packed, notices)
    assert read_all(source) == _WHOLE
    assert source.name == str(packed)
    source.close()
    assert len(notices) == 1


def test_what_is_one_large_block_is_decoded_once(
    plain: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isomount.containers.streams.xz.UNIT_AT_MOST", 1 << 19)
    monkeypatch.setattr("isomount.containers.streams.zstd.UNIT_AT_MOST", 1 << 19)
    for command in ("xz -0", "zstd -q"):
        packed = _by(command, "-c {plain} >{packed}")(plain)
        notices: list[str] = []
        source = unpacked(packed, notices)
        assert isinstance(source, DecodedCopy)
        assert source.size == len(_WHOLE)
        assert "1.2 MB" in notices[0]
        check_random(source, _WHOLE)
        source.close()


def _seekable(pieces: list[bytes], *, checksums: bool) -> bytes:
    frames = [zstandard.ZstdCompressor(write_content_size=False).compress(p) for p in pieces]
    entries = b"".join(
        struct.pack("<II", len(frame), len(piece)) + (b"sum!" if checksums else b"")
        for frame, piece in zip(frames, pieces, strict=True)
    )
    table = entries + struct.pack("<IBI", len(frames), 0x80 if checksums else 0, 0x8F92EAB1)
    return b"".join(frames) + struct.pack("<II", 0x184D2A5E, len(table)) + table


@pytest.mark.parametrize("checksums", [False, True])
def test_seekable_zstd(tmp_path: Path, checksums: bool) -> None:
    pieces = [_WHOLE[at : at + 100_000] for at in range(0, len(_WHOLE), 100_000)]
    path = tmp_path / "seekable.zst"
    path.write_bytes(_seekable([*pieces, b""], checksums=checksums))
    source = unpacked(path)
    assert isinstance(source, UnitSource)
    assert len(source.units) == len(pieces)
    check_random(source, _WHOLE)
    assert read_all(source) == _WHOLE


def test_a_wrong_table_is_not_believed(tmp_path: Path) -> None:
    stored = _seekable([_WHOLE[:1000]], checksums=False)
    for at, value in ((-9, 0xFF), (-5, 0x7C), (-17, 0xFF)):
        changed = bytearray(stored)
        changed[at] = value
        path = tmp_path / "file.zst"
        path.write_bytes(changed)
        assert zstd._table(LocalSource(path)) is None
        assert read_all(unpacked(path)) == _WHOLE[:1000]


def test_skippable_frames_are_skipped(tmp_path: Path) -> None:
    skipped = struct.pack("<II", 0x184D2A53, 5) + b"words"
    path = tmp_path / "file.zst"
    path.write_bytes(skipped + zstandard.compress(_WHOLE) + skipped)
    assert read_all(unpacked(path)) == _WHOLE
    path.write_bytes(skipped + _lz4.compress(_WHOLE, block_linked=False) + skipped)
    surroundings: list[str] = []
    with pytest.raises(OtherKindError):  # by its mark it may be zstd
        unpacked(path, surroundings)
    units = lz4_kind._walked(LocalSource(path))
    assert units is not None
    assert units.size == len(_WHOLE)
    path.write_bytes(skipped)
    with pytest.raises(OtherKindError):
        unpacked(path)


def test_dictionaries_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.zst"
    samples: list[Any] = [b"sample %d of some" % n * 20 for n in range(300)]
    package: Any = zstandard  # its types are wrong here
    trained = package.train_dictionary(2000, samples)
    path.write_bytes(package.ZstdCompressor(dict_data=trained).compress(_WHOLE))
    with pytest.raises(NotAnImageError, match="dictionary"):
        unpacked(path)


@pytest.mark.parametrize("kind", ["bzip2", "xz", "zstd", "lz4"])
def test_a_damaged_block_alone_is_lost(plain: Path, kind: str) -> None:
    pieces = [_WHOLE[at : at + 300_000] for at in range(0, len(_WHOLE), 300_000)]
    packers: dict[str, Callable[[], bytes]] = {
        "bzip2": lambda: bz2.compress(_WHOLE, 1),
        "xz": lambda: _APART["xz"](plain).read_bytes(),
        "zstd": lambda: _seekable(pieces, checksums=False),
        "lz4": lambda: bytes(_lz4.compress(_WHOLE, block_size=4, block_linked=False)),
    }
    stored = bytearray(packers[kind]())
    middle = len(stored) // 2
    stored[middle : middle + 50] = b"\xff" * 50
    path = plain.with_name("damaged")
    path.write_bytes(stored)
    source = unpacked(path)
    assert source.read_at(0, 1000) == _WHOLE[:1000]
    lost = 0
    for at in range(0, len(_WHOLE), 50_000):
        try:
            assert source.read_at(at, 1000) == _WHOLE[at : at + 1000] or kind == "lz4"
        except DamagedDataError:
            lost += 1
    assert lost > 0 or kind != "xz"  # others have checksums only of what is read to its end
    if kind != "bzip2":  # where a block of bzip2 is lost, its length is, too
        assert source.read_at(len(_WHOLE) - 1000, 1000) == _WHOLE[-1000:]
    source.close()


@pytest.mark.parametrize("kind", sorted({*_APART, *_IN_ORDER} - {"lz4", "lz4-legacy"}))
def test_cut_off(plain: Path, kind: str) -> None:
    packed = (_APART | _IN_ORDER)[kind](plain)
    packed.write_bytes(packed.read_bytes()[: packed.stat().st_size * 5 // 6])
    source = unpacked(packed)
    got = b""
    try:
        while piece := source.read_at(len(got), 10_000):
            got += piece
    except DamagedDataError:
        pass
    assert got
    assert _WHOLE.startswith(got[: len(_WHOLE)])
    source.close()


def test_cut_off_in_the_first_block(plain: Path) -> None:
    for kind in ("lz4-legacy", "bzip2"):
        packed = _APART[kind](plain)
        packed.write_bytes(packed.read_bytes()[:10_000])
        with pytest.raises(DamagedImageError, match="copy it again"):
            unpacked(packed)


@pytest.mark.parametrize("kind", [*_APART, *_IN_ORDER])
def test_mutations(tmp_path: Path, kind: str) -> None:
    whole = content(60_000)
    plain = tmp_path / "plain"
    plain.write_bytes(whole)
    mutate(tmp_path / "file", (_APART | _IN_ORDER)[kind](plain).read_bytes(), whole, 6)


def test_many_zeros_are_not_held_at_once(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    path.write_bytes(bz2.compress(bytes(12 << 20)))
    source = unpacked(path)
    assert source.size == 12 << 20
    assert source.read_at(9 << 20, 1000) == bytes(1000)
    path.write_bytes(bz2.compress(b""))
    assert unpacked(path).size == 0


@given(st.binary(max_size=200), st.integers(0, 7), st.binary(max_size=30))
def test_a_mark_is_found_at_any_bit(before: bytes, bit: int, behind: bytes) -> None:
    value = int.from_bytes(before, "big") << bit
    value = (value << 48 | marks.BLOCK) << (8 * len(behind) + 8 - bit)
    data = (value | int.from_bytes(behind, "big")).to_bytes(len(before) + 7 + len(behind), "big")
    at = 8 * len(before) + bit
    file = _Bytes(data)
    assert marks.mark_at(file, at) == marks.BLOCK
    assert marks.next_mark(file, at) == at
    found = marks.next_mark(file, 0)
    assert found is not None
    assert found <= at


@given(st.binary(max_size=300))
def test_any_index_is_read_or_not(data: bytes) -> None:
    for head in (b"", lzma.compress(b"x")[:12]):
        units = indexed(_Bytes(head + data))
        assert units is None or units.size >= 0


@pytest.mark.parametrize("count", range(6))
def test_nothing_but_zeros_is_no_index(count: int) -> None:
    units = indexed(_Bytes(bytes(count)))
    assert units is None or not units.size


class _Bytes:
    """Bytes as a source, as far as these need one."""

    name = "bytes"
    block_size = None

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[max(0, offset) :][: max(0, length)]

    def measure(self) -> int:
        return self.size

    def read_resident(self, offset: int, length: int) -> bytes | None:
        return self.read_at(offset, length)

    def resident_range(self, offset: int, length: int) -> None:
        return None

    def close(self) -> None:
        pass


_: Source = _Bytes(b"")


def test_bzip2_begins_no_thread_before_a_fork(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "image.bz2"
    path.write_bytes(bz2.compress(_WHOLE, 1))
    source = unpacked(path)
    begun: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", begun.append)
    with WORKERS.held_back():
        assert read_all(source) == _WHOLE
    assert not begun
    source.close()


@pytest.mark.parametrize("form", [lzma.FORMAT_XZ, lzma.FORMAT_ALONE])
def test_a_dictionary_that_takes_too_much_memory_is_refused(tmp_path: Path, form: int) -> None:
    name = lzma.FILTER_LZMA2 if form == lzma.FORMAT_XZ else lzma.FILTER_LZMA1
    filters = [{"id": name, "dict_size": 256 << 20}]
    (tmp_path / "a").write_bytes(lzma.compress(b"image" * 9999, form, filters=filters))
    with pytest.raises(NotAnImageError, match=r"of memory .* with: xz -dc <"):
        isomount.open(tmp_path / "a")


def test_a_window_that_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    (tmp_path / "a").write_bytes(packer.compress(b"image" * 9999) + packer.flush())
    with pytest.raises(NotAnImageError, match=r"needs 268 MB .* with: zstd -dc --long=31"):
        isomount.open(tmp_path / "a")
