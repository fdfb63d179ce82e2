"""Archives in archives, sheets in archives, and that nothing stays open whatever goes wrong."""

import gzip
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from isomount.containers import Archive, unpack
from isomount.containers.archives.zip import ZipArchive
from isomount.errors import IsomountError, MissingImageError, NotAnImageError
from isomount.sources import LocalSource, Source
from tests.authoring import run_tool
from tests.containers.archives import image, rar4, rar5, surroundings, tarred, zipped

IMAGE = image(400_000)


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


def content(path: Path | str) -> tuple[str, bytes]:
    """What the image is called, and all of it."""
    found = unpack(path)
    try:
        return found.source.name, found.source.read_at(0, found.source.size)
    finally:
        found.source.close()
        found.source.close()  # twice does no harm


def sevenzipped(folder: Path, data: bytes) -> bytes:
    (folder / "x.iso").write_bytes(data)
    run_tool("7z", "a", str(folder / "made.7z"), str(folder / "x.iso"))
    return (folder / "made.7z").read_bytes()


@pytest.mark.parametrize(
    "kind", ["stored", "deflated", "lzma", "tar", "tar.gz", "7z", "rar4", "rar5"]
)
def test_every_kind_is_read_whole_and_closed(tmp_path: Path, kind: str) -> None:
    members = [("readme.txt", b"hello"), ("x.iso", IMAGE)]
    if kind == "7z":
        pytest.importorskip("libarchive")
        data = sevenzipped(tmp_path, IMAGE)
    elif kind.startswith("rar"):
        pytest.importorskip("libarchive")
        data = (rar4 if kind == "rar4" else rar5)(members)
    elif kind.startswith("tar"):
        data = tarred(members)
        data = gzip.compress(data) if kind == "tar.gz" else data
    else:
        methods = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}
        data = zipped(members, methods.get(kind, zipfile.ZIP_LZMA))
    (tmp_path / "a").write_bytes(data)
    assert content(tmp_path / "a") == (f"{tmp_path}/a/x.iso", IMAGE)
    assert content(tmp_path / "a/x.iso") == (f"{tmp_path}/a/x.iso", IMAGE)
    with pytest.raises(MissingImageError, match=r"a/y: there is no such file .*; it holds "):
        unpack(tmp_path / "a/y")
    with pytest.raises(MissingImageError, match=r"a/x\.iso/z: .* is a disc image and no archive"):
        unpack(tmp_path / "a/x.iso/z")
    (tmp_path / "half").write_bytes(data[: len(data) // 3])
    try:
        content(tmp_path / "half")
    except IsomountError as error:
        assert str(tmp_path / "half") in str(error)  # noqa: PT017


def test_archives_in_archives(tmp_path: Path) -> None:
    inner = zipped([("c.iso", IMAGE), ("d.iso", image(seed=3))])
    middle = gzip.compress(tarred([("i.zip", inner)]))
    (tmp_path / "a.zip").write_bytes(zipped([("sub/b.tar.gz", middle)]))
    name = f"{tmp_path}/a.zip/sub/b.tar.gz/i.zip/c.iso"
    assert content(name) == (name, IMAGE)
    with pytest.raises(NotAnImageError, match=r"several images; .*c\.iso, .*/i\.zip/d\.iso"):
        unpack(tmp_path / "a.zip")


def test_a_directory_in_an_archive(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped([("d/x.iso", IMAGE), ("e/y.iso", b"y")]))
    assert content(tmp_path / "a.zip/d")[0] == f"{tmp_path}/a.zip/d/x.iso"


def test_pieces_of_archives_and_in_archives(tmp_path: Path) -> None:
    whole = zipped([("x.iso", IMAGE)])
    for number in range(3):
        at = number * (len(whole) // 2)
        (tmp_path / f"a.zip.00{number + 1}").write_bytes(whole[at : at + len(whole) // 2])
    assert content(tmp_path / "a.zip.002") == (f"{tmp_path}/a.zip.001/x.iso", IMAGE)
    pieces = [(f"x.iso.part{n + 1}", IMAGE[n * 150_000 :][:150_000]) for n in range(3)]
    (tmp_path / "p.zip").write_bytes(zipped(pieces))
    assert content(tmp_path / "p.zip") == (f"{tmp_path}/p.zip/x.iso.part1", IMAGE)
    (tmp_path / "q.zip").write_bytes(zipped([pieces[0], pieces[2]]))
    with pytest.raises(MissingImageError, match=r"q\.zip/x\.iso\.part2: is missing"):
        unpack(tmp_path / "q.zip/x.iso.part1")


def test_too_many_containers(tmp_path: Path) -> None:
    data = IMAGE
    for number in range(9):
        data = zipped([(f"{number}.zip", data)], zipfile.ZIP_STORED)
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(NotAnImageError, match="container in a container, too many times"):
        unpack(tmp_path / "a.zip")


@pytest.mark.parametrize(
    "data",
    [
        zipped([]),
        zipped([("a.txt", b"hello")]),
        zipped([("a.iso", b"1"), ("b.iso", b"2")]),
        tarred([("a.txt", b"hello")]),
        b"PK\3\4" * 1000,
        rar4([], flags=1),
        rar4([("a.txt", b"x")]),
    ],
)
def test_what_is_refused_is_closed(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    for path in (tmp_path / "a", tmp_path / "a/x"):
        with pytest.raises(IsomountError):
            unpack(path)


def test_a_file_object(tmp_path: Path) -> None:
    found = unpack(io.BytesIO(zipped([("x.iso", IMAGE)])))
    assert found.source.read_at(0, 1 << 20) == IMAGE
    found.source.close()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_last_to_be_closed_closes_the_archive(tmp_path: Path, order: tuple[int, ...]) -> None:
    members = [("a", IMAGE), ("b", b"b")]
    (tmp_path / "a.zip").write_bytes(zipped(members, zipfile.ZIP_STORED))
    archive = ZipArchive(LocalSource(tmp_path / "a.zip"), surroundings())
    things: list[Source | Archive] = [archive.open("a"), archive.open("b"), archive]
    for number in order[:2]:
        things[number].close()
        things[number].close()
    left = things[order[2]]
    if isinstance(left, Archive):
        left = left.open("b")
        archive.close()
    assert left.read_at(0, 1) in (b"b", IMAGE[:1])
    left.close()


SOUND = b"""FILE "y.wav" WAVE
  TRACK 01 AUDIO
    INDEX 01 00:00:00
"""
SHEET = b"""FILE "x.bin" BINARY
  TRACK 01 MODE1/2048
    INDEX 01 00:00:00
FILE "y.wav" WAVE
  TRACK 02 AUDIO
    INDEX 01 00:00:00
"""


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_sheet_and_its_data_in_an_archive(tmp_path: Path, method: int) -> None:
    members = [
        ("d/x.cue", SHEET),
        ("d/x.bin", IMAGE[:399_360]),
        ("d/y.wav", b"silence" * 999),
    ]
    (tmp_path / "a.zip").write_bytes(zipped(members, method))
    assert content(tmp_path / "a.zip") == (f"{tmp_path}/a.zip/d/x.cue", IMAGE[:399_360])
    (tmp_path / "b.zip").write_bytes(zipped([("x.cue", SOUND), ("y.wav", IMAGE)], method))
    with pytest.raises(NotAnImageError, match="audio disc"):
        unpack(tmp_path / "b.zip")
    (tmp_path / "c.zip").write_bytes(zipped([("x.cue", SHEET)], method))
    with pytest.raises(MissingImageError, match=r"c\.zip/x\.bin: is named by x.cue and missing"):
        unpack(tmp_path / "c.zip")


def test_decompressed_once_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "a.zip").write_bytes(zipped([("x.iso", IMAGE)], zipfile.ZIP_BZIP2))
    for _ in range(2):  # the second time out of the cache
        assert content(tmp_path / "a.zip")[1] == IMAGE
