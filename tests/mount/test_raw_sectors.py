"""Mounts of raw CD sectors: the same bytes as those of the plain image, and no more."""

import os
from pathlib import Path

import pytest

from tests.authoring import run_tool
from tests.command import run
from tests.conftest import Mounted
from tests.containers import raw_sectors
from tests.formats.test_raw_sectors import movie_disc


def test_raw_sectors_are_mounted(small_image: Path, tmp_path: Path, mounted: Mounted) -> None:
    image = tmp_path / "small.bin"
    image.write_bytes(raw_sectors.raw(small_image.read_bytes(), 2, 0, 96))
    with mounted(image) as folder, mounted(small_image) as plain:
        run_tool("diff", "-r", str(folder), str(plain))
        assert (folder / "deep/er/data.bin").read_bytes() == bytes(range(256)) * 4096
    movie, files = movie_disc()
    image.write_bytes(movie)
    with mounted(image) as folder:
        for name, data in files.items():
            assert (folder / name).stat().st_size == len(data)
            assert (folder / name).read_bytes() == data


def test_a_sector_whose_checksum_fails(small_image: Path, tmp_path: Path, mounted: Mounted) -> None:
    """The pages with it cannot be read, all others can; without check=edc nobody notices."""
    data = bytearray(raw_sectors.raw(small_image.read_bytes()))
    at = data.index(bytes(range(256)) * 8)
    sector = at // 2352 + 101
    data[sector * 2352 + 20] ^= 1
    image = tmp_path / "small.bin"
    image.write_bytes(data)
    said = (f"sector {sector} is damaged: its checksum \\(EDC\\) is wrong",)
    with mounted(image, "check=edc", allow=said) as folder:
        descriptor = os.open(folder / "deep/er/data.bin", os.O_RDONLY)
        try:
            assert len(os.pread(descriptor, 4096, 0)) == 4096
            with pytest.raises(OSError, match="Input/output error"):
                os.pread(descriptor, 2048, 101 * 2048)
            assert os.pread(descriptor, 2048, 104 * 2048) == bytes(range(256)) * 8
        finally:
            os.close(descriptor)
        assert (folder / "readme.txt").read_bytes() == b"hello\n"
    assert run("info", small_image, "-o", "check=edc").returncode == 2
