"""What lies in a FUSE mount of somebody else's: even root is not let in, which is explained."""

from pathlib import Path

import pytest

from isomount.mounting import shut_out
from isomount.mounting.mounts import Mount
from tests.authoring import genisoimage, write_tree
from tests.cli.words import assert_failed
from tests.command import run
from tests.conftest import Mounted

_LINE = "which shuts out all but its owner, root and fusermount3 too: mount that with allow_other"


@pytest.fixture
def shelf(small_image: Path, user_folder: Path, tmp_path: Path) -> Path:
    """An image with an image and a folder in it."""
    tree = write_tree(tmp_path / "tree", {"inner.iso": small_image.read_bytes()})
    (tree / "folder").mkdir()
    return genisoimage(user_folder / "shelf.iso", tree, "-R")


def test_in_a_users_mount(
    mounted: Mounted, shelf: Path, small_image: Path, user_folder: Path, tmp_path: Path
) -> None:
    with mounted(shelf, at=user_folder / "m", user=True) as place:
        said = f"; it lies in the FUSE mount {place}, {_LINE}"
        for words in (("info",), ("open",), ()):
            assert_failed(
                run(*words, place / "inner.iso"),
                11,
                f"no permission to read it; ask its owner for read access{said}",
            )
        done = run(small_image, place / "folder")
        assert_failed(done, 10, f"cannot be used as mount point: Permission denied{said}")
        assert run("info", place / "inner.iso", user=True).returncode == 0


def test_elsewhere_nothing_is_advised(
    mounted: Mounted, shelf: Path, user_folder: Path, tmp_path: Path
) -> None:
    with mounted(shelf, "allow_other", at=tmp_path / "m") as place:
        assert shut_out.advice(str(place / "inner.iso")) == ""
    image = user_folder / "private.iso"
    image.write_bytes(shelf.read_bytes())
    image.chmod(0o000)
    done = run("info", image, user=True, prefix=("env",))
    assert shut_out.advice(str(image)) == ""
    assert "FUSE mount" not in done.stderr


def test_the_innermost_mount_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [
        Mount("/", "ext4", "/dev/a", "8:1"),
        Mount("/home/a", "fuse.bindfs", "/x", "0:40", "rw,user_id=0,group_id=0"),
        Mount("/home/a/open", "fuse.bindfs", "/y", "0:41", "rw,user_id=0,allow_other"),
        Mount("/home/a/disk", "ext4", "/dev/b", "8:2"),
    ]
    monkeypatch.setattr("isomount.mounting.mounts.all_mounts", lambda: table)
    assert shut_out.advice("/home/a/x.iso").startswith("; it lies in the FUSE mount /home/a, which")
    for path in ("/home/ab/x.iso", "/home/a/open/x.iso", "/home/a/disk/x.iso", "/x.iso"):
        assert shut_out.advice(path) == ""
