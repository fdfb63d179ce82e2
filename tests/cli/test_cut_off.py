"""An image that is too short says so wherever it is shown, and how much of it is missing."""

import json
import signal
from pathlib import Path

import pytest

from isomount.image import ViewOptions, open_image
from tests.command import daemon_pid, end_mount, foreground, run, wait_for_end
from tests.conftest import MakeImage

_SIZE = 716_800


@pytest.fixture(params=["-R", "-udf"])
def cut(make_image: MakeImage, request: pytest.FixtureRequest) -> Path:
    """The first 700 KiB of an image of 3 MB."""
    files: dict[str, bytes | str] = {"picture.jpg": bytes(range(256)) * 12_000}
    image = make_image(files, request.param, "-V", "CUT")
    with image.open("r+b") as file:
        file.truncate(_SIZE)
    return image


@pytest.fixture
def whole(small_image: Path) -> Path:
    return small_image


def missing(image: Path) -> int:
    with open_image(image, ViewOptions()) as opened:
        return opened.missing


def test_how_much_is_missing(cut: Path, whole: Path) -> None:
    assert 2_300_000 < missing(cut) < 3_300_000
    assert missing(whole) == 0
    assert missing(cut) == json.loads(run("info", "--json", cut).stdout)["missing"]


def test_it_is_said_at_mount_and_in_list(fuse: None, cut: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    done = run(cut, folder, "-o", f"log={log}")
    try:
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr.startswith(f"isomount: {cut}: is cut off: the last ")
        assert done.stderr.endswith("; copy or download the image again\n")
        assert done.stderr.count("\n") == 1
        (mount,) = [
            each
            for each in json.loads(run("list", "--json").stdout)
            if each["mountpoint"] == str(folder)
        ]
        assert (mount["size"], mount["missing"]) == (_SIZE, missing(cut))
        (line,) = [each for each in run("list").stdout.splitlines() if f" {folder} " in each]
        assert "  717 KB (" in line
        assert " MB missing)  20" in line
    finally:
        end_mount(folder)
    wait_for_end(daemon_pid(log))


def test_it_is_said_in_the_foreground(fuse: None, cut: Path, tmp_path: Path) -> None:
    with foreground(cut, tmp_path / "m") as process:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate()
    assert said.count(f"isomount: {cut}: is cut off: ") == 1


def test_a_whole_image_says_nothing(fuse: None, whole: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    done = run(whole, folder, "-o", f"log={log}")
    try:
        assert (done.returncode, done.stderr) == (0, "")
        (mount,) = [
            each
            for each in json.loads(run("list", "--json").stdout)
            if each["mountpoint"] == str(folder)
        ]
        assert mount["missing"] == 0
        assert "missing" not in run("list").stdout
    finally:
        end_mount(folder)
    wait_for_end(daemon_pid(log))
