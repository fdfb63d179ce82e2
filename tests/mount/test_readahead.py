"""How far the kernel reads ahead on a mount."""

import os
from pathlib import Path

import pytest

from tests.conftest import Mounted


def _readahead(folder: Path) -> int:
    number = folder.stat().st_dev
    setting = Path(f"/sys/class/bdi/{os.major(number)}:{os.minor(number)}/read_ahead_kb")
    if not os.access(setting, os.W_OK):
        pytest.skip("/sys cannot be written here")
    return int(setting.read_text())


@pytest.mark.usefixtures("as_root")
def test_root_reads_further_ahead(small_image: Path, mounted: Mounted) -> None:
    with mounted(small_image) as folder:
        assert _readahead(folder) == 1024
    with mounted(small_image, "readahead=256") as folder:
        assert _readahead(folder) == 256


def test_a_user_is_told_that_it_cannot_be_set(
    small_image: Path, mounted: Mounted, user_folder: Path
) -> None:
    image = user_folder / "image.iso"
    image.write_bytes(small_image.read_bytes())
    allow = ("readahead=256 cannot be set",)
    at = user_folder / "mount"
    with mounted(image, "readahead=256", at=at, user=True, allow=allow):
        pass
    assert "only root can" in (user_folder / "mount1.log").read_text()
