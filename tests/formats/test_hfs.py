"""Discs for Macs: an empty tree beside an HFS volume says where the files are."""

import json
import struct
from pathlib import Path

import pytest

from isomount.blocks import BlockCache
from isomount.formats.disc.hfs import HfsVolume, files_elsewhere, hfs_volumes
from tests.command import run
from tests.corpus import SHARED
from tests.formats.iso_builder import IsoImage, MemorySource, opened, record

CASE = SHARED / "cases" / "hfsempty.iso"
START = 64 * 2048
SAID = f"the files are in partition 1 (HFS, from byte {START})"


def hybrid(*records: bytes, kind: bytes = b"BD") -> IsoImage:
    """An image whose Apple partition 1 holds a volume of ``kind``."""
    image = IsoImage(blocks=200)
    image.root(*records)
    entry = b"PM\0\0" + struct.pack(">III", 1, START // 512, 200)
    image.at(512, entry + b"disc".ljust(32, b"\0") + b"Apple_HFS".ljust(88, b"\0"))
    image.at(START + 1024, kind.ljust(512, b"\0"))
    return image


def test_an_empty_tree_says_where_the_files_are(caplog: pytest.LogCaptureFixture) -> None:
    view = hybrid().open()
    assert SAID in files_elsewhere(view.blocks, view.view)
    full = hybrid(record(b"A;1")).open()
    assert files_elsewhere(full.blocks, full.view) == ""
    plain = IsoImage()
    plain.root()
    empty = plain.open()
    assert files_elsewhere(empty.blocks, empty.view) == ""
    assert not caplog.records


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (b"BD", "HFS"),
        (b"H+\0\4", "HFS+"),
        (b"HX\0\5", "HFS+"),
        (b"BD".ljust(0x7C, b"\0") + b"H+", "HFS+"),
    ],
)
def test_kinds(header: bytes, kind: str) -> None:
    data = hybrid(kind=header).data()
    assert hfs_volumes(BlockCache(MemorySource(data))) == [HfsVolume(kind, START, 1)]
    bare = bytes(1024) + header.ljust(2048, b"\0")
    assert hfs_volumes(BlockCache(MemorySource(bare))) == [HfsVolume(kind, 0, 0)]


def test_the_verbs_say_so(tmp_path: Path) -> None:
    image = hybrid().write(tmp_path / "mac.iso")
    assert SAID in run("info", image).stdout
    assert SAID in json.loads(run("info", "--json", image).stdout)["remark"]
    done = run("ls", image)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count(SAID) == 1


def test_a_mount_says_so(fuse: None, tmp_path: Path) -> None:
    pytest.importorskip("pyfuse3")  # which make check does without
    image = hybrid().write(tmp_path / "mac.iso")
    done = run(image, tmp_path / "m")
    try:
        assert done.returncode == 0
        assert done.stderr.count(SAID) == 1
    finally:
        run("umount", tmp_path / "m")


@pytest.mark.skipif(not CASE.is_file(), reason="the cases are not beside the checkout")
def test_the_case() -> None:
    view = opened(CASE.read_bytes())
    assert "partition 2 (HFS, from byte 8192)" in files_elsewhere(view.blocks, view.view)
