"""7z, RAR and cabinets through libarchive: out of any source, and what is refused."""

import io
import random
import sys
from pathlib import Path

import pytest

from isomount.containers.archives.libarchive import unpack
from isomount.containers.base import Archive, OtherKindError
from isomount.errors import DamagedDataError, DamagedImageError, IsomountError, NotAnImageError
from isomount.sources import FileObjectSource
from tests.authoring import run_tool
from tests.containers.archives import image, rar4, rar5, surroundings

pytest.importorskip("libarchive")


def opened(data: bytes) -> Archive:
    return unpack(FileObjectSource(io.BytesIO(data)), surroundings())


def content(data: bytes, name: str) -> bytes:
    source = opened(data).open(name)
    try:
        return source.read_at(0, source.size)
    finally:
        source.close()


def sevenzipped(folder: Path, *options: str, size: int = 400_000) -> bytes:
    (folder / "d").mkdir(exist_ok=True)
    (folder / "d" / "x.iso").write_bytes(image(size))
    (folder / "readme.txt").write_bytes(b"hello")
    run_tool(
        "7z", "a", *options, str(folder / "a.7z"), str(folder / "d"), str(folder / "readme.txt")
    )
    return (folder / "a.7z").read_bytes()


@pytest.mark.parametrize("method", ["lzma2", "lzma", "copy", "bzip2", "ppmd", "deflate"])
def test_7z(tmp_path: Path, method: str) -> None:
    data = sevenzipped(tmp_path, f"-m0={method}")
    assert {(each.name, each.size) for each in opened(data).members} == {
        ("d/x.iso", 400_000),
        ("readme.txt", 5),
    }
    assert content(data, "d/x.iso") == image(400_000)
    assert content(data, "readme.txt") == b"hello"


@pytest.mark.parametrize("make", [rar4, rar5])
def test_rar(make: object) -> None:
    data = make([("d/x.iso", image(400_000)), ("b.txt", b"hello")])  # type: ignore[operator]
    assert [each.name for each in opened(data).members] == ["d/x.iso", "b.txt"]
    assert content(data, "d/x.iso") == image(400_000)
    assert content(data, "b.txt") == b"hello"


def test_names_lead_nowhere_outside() -> None:
    found = opened(rar5([("../../x", b"1"), ("/etc/y", b"2")]))
    assert [each.name for each in found.members] == ["x", "etc/y"]


def test_encrypted_members(tmp_path: Path) -> None:
    found = opened(sevenzipped(tmp_path, "-psecret"))
    with pytest.raises(NotAnImageError, match=r"x\.iso: is encrypted; unpack it with its password"):
        found.open("d/x.iso")


def test_encrypted_headers(tmp_path: Path) -> None:
    with pytest.raises(NotAnImageError, match="is encrypted; unpack it with its password"):
        opened(sevenzipped(tmp_path, "-psecret", "-mhe=on"))
    for data in (rar4([], flags=0x80), rar5([], kind=4)):
        with pytest.raises(NotAnImageError, match=r"is encrypted; .* unrar x"):
            opened(data)


@pytest.mark.parametrize("data", [rar4([("a", b"x")], flags=1), rar5([("a", b"x")], flags=1)])
def test_volumes_of_rar(data: bytes) -> None:
    with pytest.raises(NotAnImageError, match="is a RAR archive in several files"):
        opened(data)


def test_an_archive_that_is_cut_off(tmp_path: Path) -> None:
    data = sevenzipped(tmp_path)
    with pytest.raises(DamagedImageError, match=r"the archive cannot be read: .* 7z x"):
        opened(data[: len(data) // 2])
    stored = rar5([("x.iso", image(400_000))])
    source = opened(stored[:300_000]).open("x.iso")
    assert source.read_at(32768, 6) == b"\1CD001"
    with pytest.raises(DamagedDataError):
        source.read_at(350_000, 100)
    source.close()


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libarchive", None)
    with pytest.raises(NotAnImageError, match=r"install isomount\[archives\] and .* libarchive13"):
        opened(rar4([]))


def test_what_reading_the_file_raises_comes_through(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if size and self.tell() > 100:
                raise OSError(5, "a bad sector")
            return super().read(min(size or 0, 50))

    data = rar4([("a", b"x" * 300), ("b", b"y" * 300)])
    source = FileObjectSource(Failing(data))
    with pytest.raises(OSError, match="a bad sector"):
        unpack(source, surroundings())


def test_mutations(tmp_path: Path) -> None:
    rng = random.Random(6)
    originals = [
        sevenzipped(tmp_path, "-mx=1", size=3000),
        rar4([("a", b"x" * 300)]),
        rar5([("a", b"x" * 300)]),
    ]
    for _ in range(300):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(8, len(data))] = rng.randrange(256)
        try:
            archive = opened(bytes(data))
            for member in archive.members[:3]:
                source = archive.open(member.name)
                source.read_at(0, 100)
                source.close()
        except (OtherKindError, IsomountError, OSError):
            pass
