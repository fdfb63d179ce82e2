"""Tar archives: what is in them, sparse members, and headers that lead nowhere."""

import io
import random
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.containers.archives.sparse import Run, Sparse
from isomount.containers.archives.tar import TarArchive
from isomount.containers.base import OtherKindError
from isomount.errors import DamagedImageError, IsomountError
from isomount.sources import FileObjectSource
from tests.authoring import run_tool
from tests.containers.archives import image, tarred

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def opened(data: bytes) -> TarArchive:
    return TarArchive(FileObjectSource(io.BytesIO(data)))


@pytest.mark.parametrize("form", FORMATS)
def test_members_of_every_format(form: int) -> None:
    name = "/".join(["directory"] * 12 + ["x.iso"])
    found = opened(tarred([("a", b"1"), (name, image()), ("b", b"2")], form))
    assert [each.name for each in found.members] == ["a", name, "b"]
    source = found.open(name)
    assert source.read_at(0, source.size) == image()
    assert source.read_at(99_990, 100) == image()[-10:]


@pytest.mark.parametrize("version", ["0.0", "0.1", "1.0", "gnu"])
def test_sparse_members(tmp_path: Path, version: str) -> None:
    with open(tmp_path / "x.iso", "wb") as file:
        file.write(image())
        file.truncate(5_000_000)
        file.seek(3_000_000)
        file.write(b"behind a hole")
    how = ["--format=gnu"] if version == "gnu" else ["--format=pax", f"--sparse-version={version}"]
    run_tool("tar", "-C", str(tmp_path), "-S", *how, "-cf", str(tmp_path / "t"), "x.iso")
    data = (tmp_path / "t").read_bytes()
    assert len(data) < 1_000_000
    source = opened(data).open("x.iso")
    assert source.size == 5_000_000
    assert source.read_at(0, source.size) == (tmp_path / "x.iso").read_bytes()
    assert source.read_at(2_999_998, 8) == b"\0\0behind"


def test_names_and_what_is_no_file() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind in (
            ("../../x", tarfile.REGTYPE),
            ("/etc/y", tarfile.REGTYPE),
            ("link.iso", tarfile.SYMTYPE),
            ("hard.iso", tarfile.LNKTYPE),
            ("pipe.iso", tarfile.FIFOTYPE),
            ("d", tarfile.DIRTYPE),
        ):
            header = tarfile.TarInfo(name)
            header.type = kind
            archive.addfile(header)
    assert [each.name for each in opened(file.getvalue()).members] == ["x", "etc/y"]


def test_of_namesakes_the_last_counts() -> None:
    assert opened(tarred([("a", b"old"), ("a", b"new")])).open("a").read_at(0, 9) == b"new"


def test_an_archive_that_is_cut_off_shows_what_is_there() -> None:
    data = tarred([("a", b"1"), ("x.iso", image())])
    found = opened(data[:50_000])
    assert [each.name for each in found.members] == ["a", "x.iso"]
    assert found.open("x.iso").size < 100_000


def test_what_is_no_archive() -> None:
    for data in (b"", bytes(257) + b"ustar" + bytes(1000)):
        with pytest.raises(OtherKindError):
            opened(data)


def _header(kind: bytes, size: bytes, name: bytes = b"x") -> bytes:
    """A header with its checksum right."""
    head = bytearray(512)
    head[: len(name)] = name
    head[100:108] = b"0000644\0"
    head[124 : 124 + len(size)] = size
    head[156:157] = kind
    head[257:265] = b"ustar  \0"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_header(b"L", b"77777777777"), id="a long name without end"),
        pytest.param(_header(b"x", b"77777777777") + bytes(600), id="pax headers without end"),
        pytest.param(_header(b"x", b"\xff" * 12) + bytes(2000), id="a negative size"),
        pytest.param(_header(b"0", b"\xff" * 12) + bytes(2000), id="a negative member"),
        pytest.param(_header(b"S", b"00000001000") + bytes(2000), id="a sparse table of nothing"),
        pytest.param(b"".join([_header(b"L", b"1")] * 4000), id="names of names of names"),
    ],
)
def test_headers_that_lead_nowhere(data: bytes) -> None:
    began = time.monotonic()
    _tried(data)
    assert time.monotonic() - began < 5


def test_a_member_longer_than_memory_is_not_read() -> None:
    # pax headers of 2 GB, of which nothing is there: what is asked for is bounded before.
    data = _header(b"x", b"17777777777") + bytes(4096)
    with pytest.raises(DamagedImageError, match="made to do harm"):
        opened(data)


def _tried(data: bytes) -> None:
    """All is read, or it is refused in words."""
    try:
        archive = opened(data)
        for member in archive.members[:5]:
            source = archive.open(member.name)
            source.read_at(0, 100)
            source.read_at(max(0, source.size - 100), 100)
    except (OtherKindError, IsomountError, OSError):
        pass


def test_mutations(tmp_path: Path) -> None:
    with open(tmp_path / "s", "wb") as file:
        file.truncate(100_000)
        file.seek(50_000)
        file.write(b"x")
    originals = [tarred([("a" * 90, b"x" * 30), ("b", b"y")], form) for form in FORMATS]
    for how in ("gnu", "pax"):
        run_tool(
            "tar", "-C", str(tmp_path), "-S", f"--format={how}", "-cf", f"{tmp_path}/{how}", "s"
        )
        originals.append((tmp_path / how).read_bytes())
    rng = random.Random(5)
    for _ in range(500):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data) // 2)] = rng.choice((0, 0x20, 0x37, 0x80, 0xFF))
        at = 0
        while at + 512 <= len(data):  # the checksums right, or nothing is looked at
            head = data[at : at + 512]
            if head[257:262] == b"ustar":
                head[148:156] = b" " * 8
                data[at + 148 : at + 156] = b"%06o\0 " % sum(head)
            at += 512
        _tried(bytes(data))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=8), st.data())
def test_sparse_reads_are_those_of_the_whole(
    table: list[tuple[int, int]], data: st.DataObject
) -> None:
    runs: list[Run] = []
    whole, stored = bytearray(), bytearray()
    for hole, length in table:
        piece = random.Random(length).randbytes(length)
        whole += bytes(hole)
        runs.append(Run(len(whole), length, len(stored)))
        whole += piece
        stored += piece
    source = Sparse(FileObjectSource(io.BytesIO(bytes(stored))), runs, len(whole) + 7)
    expected = bytes(whole) + bytes(7)
    offset = data.draw(st.integers(0, len(expected) + 5))
    length = data.draw(st.integers(0, 200))
    assert source.read_at(offset, length) == expected[offset : offset + length]
