"""What is compressed is not decoded to its end but where the end may say something."""

import os
import struct
import zipfile
from pathlib import Path

import pytest

import isomount
from isomount.sources import is_end_near
from tests.authoring import genisoimage, write_tree
from tests.formats.multisession import Sessions

_SECTOR = 2048
_BEHIND = 400 * _SECTOR
_SYNC = b"\0" + b"\xff" * 10 + b"\0"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("plain")
    tree = write_tree(folder / "tree", {"large": os.urandom(12_000_000), "small": b"text"})
    return genisoimage(folder / "plain.iso", tree, "-R").read_bytes()


def _zipped(folder: Path, name: str, data: bytes) -> Path:
    path = folder / "image.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, data)
    return path


def _partitioned(image: bytes, end: int) -> bytes:
    """With an MBR whose one partition ends at byte ``end``."""
    entry = struct.pack("<B3xB3xII", 0, 0xEE, 1, end // 512 - 1)
    return image[:446] + entry.ljust(64, b"\0") + b"\x55\xaa" + image[512:]


def test_what_partitions_cover_is_no_session(tmp_path: Path, plain: bytes) -> None:
    whole = _partitioned(plain + os.urandom(_BEHIND), len(plain) + _BEHIND)
    with isomount.open(_zipped(tmp_path, "hybrid.iso", whole)) as image:
        assert (image.root / "small").read_bytes() == b"text"
        assert not is_end_near(image.blocks)


def test_a_session_behind_the_partitions_is_found(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, ("-R",))
    whole = _partitioned(sessions.joined().read_bytes(), sessions.first.stat().st_size)
    with isomount.open(_zipped(tmp_path, "disc.iso", whole)) as image:
        assert (image.root / "changed").read_bytes() == b"changed"


def test_raw_sectors_are_known_by_name_and_beginning(tmp_path: Path, plain: bytes) -> None:
    raw = bytearray()
    for number in range(len(plain) // _SECTOR):
        minute, rest = divmod(number + 150, 4500)
        address = bytes(value // 10 << 4 | value % 10 for value in (minute, *divmod(rest, 75)))
        data = plain[number * _SECTOR : (number + 1) * _SECTOR]
        raw += _SYNC + address + b"\1" + data + bytes(288)
    with isomount.open(_zipped(tmp_path, "disc.bin", bytes(raw))) as image:
        assert (image.root / "small").read_bytes() == b"text"
        disc = image.disc
        assert disc is not None
        assert not any(is_end_near(file) for file in disc.files)
