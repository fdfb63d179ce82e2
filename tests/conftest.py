"""Fixtures for every level of tests: images, real mounts, an ordinary user."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

from tests.authoring import genisoimage, write_tree
from tests.command import ORDINARY_USER, mount_points, mounted_image, take_down

# A machine with much to do is slow, and that is no failure.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_DEVICE = Path("/dev/fuse")
# Each run's own: two at once must not clean up each other's.
_USER_FOLDER = f"isomount-test-{os.getpid()}-"

MakeImage = Callable[..., Path]


class Mounted(Protocol):
    """The type of the fixture ``mounted``."""

    def __call__(
        self,
        image: Path,
        *options: str,
        at: Path | None = None,
        user: bool = False,
        allow: Iterable[str] = (),
    ) -> AbstractContextManager[Path]: ...


@pytest.fixture(autouse=True, scope="session")
def _no_memory() -> Iterator[None]:
    """What tests mount does not turn up among the images that the user mounted, nor is kept."""
    with pytest.MonkeyPatch.context() as patch:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        patch.setenv("PIP_CACHE_DIR", os.environ.get("PIP_CACHE_DIR") or f"{cache}/pip")
        patch.setenv("XDG_STATE_HOME", "/dev/null")
        patch.setenv("XDG_CACHE_HOME", "/dev/null")
        yield


@pytest.fixture(scope="session")
def fuse() -> None:
    """FUSE is there; without it the test fails, unless ISOMOUNT_SKIP_FUSE=1 is set."""
    if not _DEVICE.exists():
        if os.environ.get("ISOMOUNT_SKIP_FUSE") == "1":
            pytest.skip("no /dev/fuse, and ISOMOUNT_SKIP_FUSE=1")
        pytest.fail("no /dev/fuse: load the module fuse, or skip with ISOMOUNT_SKIP_FUSE=1")


@pytest.fixture(scope="session")
def as_root() -> None:
    """The test needs root."""
    if os.geteuid() != 0:
        pytest.skip("only root can do this")


@pytest.fixture(scope="session")
def ordinary_user(fuse: None, as_root: None) -> Iterator[None]:
    """An ordinary user may use FUSE, as on a desktop; some containers only let root."""
    before = stat.S_IMODE(_DEVICE.stat().st_mode)
    if before & 0o006 == 0o006:
        yield
        return
    _DEVICE.chmod(before | 0o666)
    yield
    _DEVICE.chmod(before)


@pytest.fixture
def user_folder(ordinary_user: None) -> Iterator[Path]:
    """A folder of the ordinary user's, where pytest's own is only for who runs it."""
    folder = Path(tempfile.mkdtemp(prefix=_USER_FOLDER, dir="/tmp"))
    os.chown(folder, ORDINARY_USER, ORDINARY_USER)
    yield folder
    for place in mount_points():
        if place.startswith(f"{folder}/"):
            take_down(Path(place))
    shutil.rmtree(folder)


@pytest.fixture
def make_image(tmp_path: Path) -> MakeImage:
    """``make_image({"a/b.txt": b"..."}, "-R", name="x.iso")``: an image by genisoimage."""

    def make(files: dict[str, bytes | str], *options: str, name: str = "image.iso") -> Path:
        folder = write_tree(Path(tempfile.mkdtemp(dir=tmp_path)), files)
        return genisoimage(tmp_path / name, folder, *options)

    return make


@pytest.fixture(scope="session")
def small_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with Rock Ridge and Joliet: two files, a folder, a link. Not to be changed."""
    folder = tmp_path_factory.mktemp("small")
    files: dict[str, bytes | str] = {
        "readme.txt": b"hello\n",
        "deep/er/data.bin": bytes(range(256)) * 4096,
        "link": "readme.txt",
    }
    image = folder / "small.iso"
    return genisoimage(image, write_tree(folder / "tree", files), "-R", "-J", "-V", "SMALL")


@pytest.fixture
def mounted(fuse: None, tmp_path: Path) -> Mounted:
    """``with mounted(image, "norock") as folder``: a real mount by the real command.

    Afterwards it is unmounted, its daemon has ended, and its log held no warning and no traceback
    but what ``allow`` (regular expressions) names.
    """
    count = 0

    def mount(
        image: Path,
        *options: str,
        at: Path | None = None,
        user: bool = False,
        allow: Iterable[str] = (),
    ) -> AbstractContextManager[Path]:
        nonlocal count
        count += 1
        place = at or tmp_path / f"mount{count}"
        log = (place.parent if user else tmp_path) / f"mount{count}.log"
        return mounted_image(image, *options, at=place, log=log, user=user, allow=allow)

    return mount


@pytest.fixture(autouse=True)
def _nothing_left_mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A test that leaves a mount behind fails; the mount is taken away from the next ones."""
    yield
    ours = (f"{tmp_path_factory.getbasetemp()}/", f"/tmp/{_USER_FOLDER}")
    left = [place for place in mount_points() if place.startswith(ours)]
    for place in left:
        take_down(Path(place))
    assert not left, f"left mounted: {left}"
