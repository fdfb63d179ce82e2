"""Extended attributes of a Rock Ridge tree through a real mount."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.command import PATIENCE
from tests.conftest import Mounted
from tests.formats.iso_builder import IsoImage, directory_record, field, nm, px, record


def _al(name: bytes, value: bytes) -> bytes:
    return field(b"AL", bytes((0, 0, len(name))) + name + bytes((0, len(value))) + value)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    builder = IsoImage()
    file, folder = px(stat.S_IFREG | 0o644), px(stat.S_IFDIR | 0o755)
    builder.directory(30, directory_record(b"\0", 30), directory_record(b"\1", 20))
    builder.rock_ridge(
        record(b"A", use=file + nm(b"a") + _al(b"\3color", b"blue")),
        record(b"B", use=file + nm(b"b") + _al(b"", b"\x16\xaf\x01\x09\x34\x57\x64")),
        record(b"C", use=file + nm(b"c")),
        directory_record(b"D", 30, use=folder + nm(b"d") + _al(b"\3kind", b"folder")),
    )
    return builder.write(tmp_path / "x.iso")


def test_getfattr_shows_them_on_request(image: Path, mounted: Mounted) -> None:
    with mounted(image, "xattr") as folder:
        words = ("getfattr", "-d", "-m", "-", "--absolute-names", "a", "b", "c", "d")
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, check=True, timeout=PATIENCE
        )
        shown = [line for line in done.stdout.splitlines() if line]
        assert shown[:2] == ["# file: a", 'user.color="blue"']
        assert shown[2:4] == ["# file: b", shown[3]]
        assert shown[3].startswith("system.posix_acl_access=0sAgAAAAEABgD/////AgAHAAkAAAAEA")
        assert shown[4:] == ["# file: d", 'user.kind="folder"']
        assert done.stderr == ""
        with pytest.raises(OSError, match="No data"):
            os.getxattr(folder / "a", "user.other")


def test_nobody_sees_them_otherwise(image: Path, mounted: Mounted) -> None:
    with mounted(image) as folder, pytest.raises(OSError, match="not supported"):
        os.getxattr(folder / "a", "user.color")
