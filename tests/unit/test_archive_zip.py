"""Zip archives: what is in them, and what is said of those that cannot be read."""

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.containers.archives.zip import ZipArchive
from isomount.containers.base import OtherKindError
from isomount.errors import DamagedDataError, DamagedImageError, IsomountError, NotAnImageError
from isomount.sources import FileObjectSource
from tests.authoring import run_tool
from tests.containers.archives import image, surroundings, zipped

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def opened(data: bytes) -> ZipArchive:
    return ZipArchive(FileObjectSource(io.BytesIO(data)), surroundings())


def content(data: bytes, name: str = "a") -> bytes:
    source = opened(data).open(name)
    try:
        return source.read_at(0, source.size)
    finally:
        source.close()


@pytest.mark.parametrize("method", METHODS)
def test_members_by_every_method_of_python(method: int) -> None:
    data = zipped([("d/", b""), ("d/a", b"x" * 70_000), ("b", image())], method)
    assert [(each.name, each.size) for each in opened(data).members] == [
        ("d/a", 70_000),
        ("b", 100_000),
    ]
    assert content(data, "d/a") == b"x" * 70_000
    assert content(data, "b") == image()


@pytest.mark.parametrize("method", ["Copy", "Deflate", "BZip2", "LZMA", "xz"])
def test_members_by_methods_of_7zip(tmp_path: Path, method: str) -> None:
    (tmp_path / "a").write_bytes(image())
    run_tool("7z", "a", "-tzip", f"-mm={method}", str(tmp_path / "z.zip"), str(tmp_path / "a"))
    assert content((tmp_path / "z.zip").read_bytes()) == image()


def test_a_stored_member_is_read_where_it_stands() -> None:
    data = zipped([("b", b"y" * 10), ("a", image())], zipfile.ZIP_STORED)
    source = opened(data).open("a")
    assert source.read_at(32768, 6) == b"\1CD001"
    assert source.read_at(99_990, 100) == image()[-10:]


def test_zip64(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(image())
    assert content(file.getvalue()) == image()


def test_more_members_than_16_bits_count() -> None:
    data = zipped([("000000.iso", b"")])
    central, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry = data[central:end]
    many = b"".join(entry.replace(b"000000", b"%06d" % number) for number in range(100_000))
    record = struct.pack(
        "<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 100_000, 100_000, len(many), central
    )
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, central + len(many), 1)
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    archive = opened(data[:central] + many + record + locator + tail)
    assert len(archive.members) == 100_000
    assert archive.members[-1].name == "099999.iso"


def test_bytes_before_and_after() -> None:
    data = zipped([("a", image())])
    assert content(b"MZ" + bytes(5000) + data) == image()
    assert content(data + bytes(100)) == image()


def test_names() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("../x", "/etc/passwd", "a/../b", "./c", "..", "é", "twice", "new\nline"):
            archive.writestr(name, name)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("twice", "the later")
    found = opened(file.getvalue())
    names = [each.name for each in found.members]
    assert names == ["x", "etc/passwd", "a/b", "c", "é", "twice", "new\nline"]
    assert found.open("twice").read_at(0, 9) == b"the later"
    assert found.open("x").read_at(0, 9) == b"../x"


def test_names_of_windows_and_of_old() -> None:
    data = zipped([("dXa.iso", b"1"), ("\x80", b"2")])
    windows = data.replace(b"dXa.iso", b"d\\a.iso")
    central = windows.index(b"PK\1\2")
    windows = windows[: central + 5] + b"\0" + windows[central + 6 :]
    assert opened(windows).members[0].name == "d/a.iso"
    old = zipped([("AB", b"2")]).replace(b"AB", b"\x80\xe1")
    assert opened(old).members[0].name == "Çß"


def test_symbolic_links_are_no_members() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("link.iso")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert not opened(file.getvalue()).members


def test_encrypted_members_are_refused_when_they_are_opened() -> None:
    data = bytearray(zipped([("a", image()), ("b", b"free")]))
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(NotAnImageError, match="a: is encrypted; unpack it with its password"):
        opened(bytes(data)).open("a")
    assert content(bytes(data), "b") == b"free"


@pytest.mark.parametrize(
    ("method", "name"), [(9, "Deflate64"), (99, "AES"), (1, "shrunk"), (77, "method 77")]
)
def test_methods_that_are_not_read_are_named(method: int, name: str) -> None:
    data = bytearray(zipped([("a", b"x" * 100)]))
    data[data.index(b"PK\1\2") + 10] = method
    with pytest.raises(NotAnImageError, match=rf"a way that is not read \({name}\)"):
        opened(bytes(data)).open("a")


def test_parts_of_an_archive_are_refused() -> None:
    data = bytearray(zipped([("a", b"x")]))
    data[-18] = 1  # the number of this disk
    with pytest.raises(NotAnImageError, match="is a part of a zip archive in several files"):
        opened(bytes(data))
    with pytest.raises(NotAnImageError, match="is a part of a zip archive in several files"):
        opened(b"PK\7\x08" + bytes(1000))


def test_an_archive_that_is_cut_off() -> None:
    with pytest.raises(DamagedImageError, match="is cut off at byte 9000: the zip archive's dir"):
        opened(zipped([("a", image())])[:9000])
    with pytest.raises(DamagedImageError):
        opened(b"PK\3\4")


def test_a_bomb_is_told_from_an_image() -> None:
    data = bytearray(zipped([("a", b"x" * 1000)]))
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, 0xFFFFFFF0)
    with pytest.raises(DamagedImageError, match=r"says that 4\.29 GB come of \d+ bytes"):
        opened(bytes(data)).open("a")


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isomount.containers.archives.members.MEMBERS_AT_MOST", 10)
    with pytest.raises(NotAnImageError, match="is an archive of more than 10 files"):
        opened(zipped([(str(n), b"x") for n in range(11)]))


@pytest.mark.parametrize("method", METHODS)
def test_damage_costs_what_is_behind_it(method: int) -> None:
    data = bytearray(zipped([("a", image(2_000_000))], method))
    behind = len(data) * 9 // 10
    data[behind : behind + 200] = bytes(200)
    if method == zipfile.ZIP_STORED:
        assert len(content(bytes(data))) == 2_000_000
        return
    source = opened(bytes(data)).open("a")
    assert source.read_at(32768, 6) == b"\1CD001"
    if method != zipfile.ZIP_DEFLATED:  # whose damage need not show
        with pytest.raises(DamagedDataError):
            source.read_at(0, source.size)
    source.close()


def _tried(data: bytes) -> None:
    """All is read, or it is refused in words."""
    try:
        archive = opened(data)
        for member in archive.members[:5]:
            source = archive.open(member.name)
            try:
                source.read_at(0, 100)
                source.read_at(max(0, source.size - 100), 100)
            finally:
                source.close()
    except (OtherKindError, IsomountError, OSError):
        pass


def test_mutations() -> None:
    rng = random.Random(4)
    originals = [zipped([("a.iso", b"x" * 3000), ("b", b"y" * 50)], each) for each in METHODS]
    for _ in range(400):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
        _tried(bytes(data[: rng.randrange(len(data))] if rng.random() < 0.2 else data))


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_any_bytes(middle: bytes, end: bytes) -> None:
    _tried(b"PK\3\4" + middle + b"PK\5\6" + bytes(4) + end)


def test_members_packed_by_zstd() -> None:
    zstandard = pytest.importorskip("zstandard")
    packed = zstandard.ZstdCompressor().compress(image())
    data = bytearray(zipped([("a", packed)], zipfile.ZIP_STORED))
    central = data.index(b"PK\1\2", len(packed))
    data[central + 10] = 93
    struct.pack_into("<I", data, central + 24, len(image()))
    assert content(bytes(data)) == image()


def test_deflated_members_are_read_in_any_order() -> None:
    whole = image(3_000_000)
    source = opened(zipped([("b", b"before"), ("a", whole), ("c", b"behind")])).open("a")
    rng = random.Random(1)
    for at in [2_999_000, *(rng.randrange(3_000_000) for _ in range(20)), 0]:
        assert source.read_at(at, 5000) == whole[at : at + 5000]
    source.close()
