"""The demo: what a newcomer runs first, from the script behind `make demo`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import CHECKOUT, mount_points, take_down

BIN = Path(sys.executable).parent


@pytest.fixture
def scratch(fuse: None, tmp_path: Path) -> Iterator[Path]:
    """The demo's temporary folder, which must be empty afterwards whatever happened."""
    if not (BIN / "isomount").exists():
        pytest.skip(f"the command is not installed in {BIN}; `make setup` does it")
    folder = tmp_path / "scratch"
    folder.mkdir()
    yield folder
    left = [place for place in mount_points() if place.startswith(f"{folder}/")]
    for place in left:
        take_down(Path(place))
    assert not left
    assert not list(folder.iterdir())


def demo(scratch: Path, *words: str | Path, path: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CHECKOUT / "tools/demo", *words],
        cwd="/",
        env={
            **os.environ,
            "BIN": str(BIN),
            "TMPDIR": str(scratch),
            "PATH": f"{path}:{os.environ['PATH']}",
        },
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_the_sample_is_mounted_and_every_sum_agrees(scratch: Path) -> None:
    done = demo(scratch)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": OK\n") == 6
    assert "link-to-readme -> README.txt" in done.stdout
    assert "make demo IMAGE=path" in done.stdout
    assert done.stdout.count("\n") <= 23  # with setup's line before it, a screen


def test_an_image_of_ones_own(scratch: Path, small_image: Path) -> None:
    done = demo(scratch, os.path.relpath(small_image, "/"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "link -> readme.txt" in done.stdout
    sum_of_hello = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    assert sum_of_hello in done.stdout
    assert done.stdout.count("\n") <= 23


def test_a_failure_is_the_commands_own_line_and_code(scratch: Path, tmp_path: Path) -> None:
    done = demo(scratch, tmp_path / "missing.iso")
    assert done.returncode == 11
    assert done.stderr.startswith("isomount: ")
    assert done.stderr.count("\n") == 1


def test_stopped_while_mounted(scratch: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ls").write_text("#!/bin/sh\nkill -TERM $PPID\n")
    (tools / "ls").chmod(0o755)
    done = demo(scratch, path=str(tools))
    assert done.returncode == 1
    assert "sha256sum" not in done.stdout
