"""What several tests of the installed command share."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import CHECKOUT, environment


def make(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run make with the Python of the tests in the place of what `make setup` makes."""
    return subprocess.run(
        ["make", "-s", "-o", "setup", f"BIN={Path(sys.executable).parent}", *words],
        cwd=CHECKOUT,
        env=environment({"PIP_NO_COLOR": "1"}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DESTDIR with what `make install` puts there. Not to be changed."""
    destination = tmp_path_factory.mktemp("installed")
    done = make("install", f"DESTDIR={destination}")
    assert done.returncode == 0, done.stderr
    return destination


@pytest.fixture
def image(small_image: Path, user_folder: Path) -> Path:
    """The small image where the ordinary user can read it."""
    image = user_folder / "small.iso"
    image.write_bytes(small_image.read_bytes())
    return image
