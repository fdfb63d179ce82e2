"""Without the fast lane pyfuse3 has the real descriptor, and no socket exists."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import command
from tests.command import (
    PATIENCE,
    check_log,
    daemon_pid,
    environment,
    take_down,
    wait_for_end,
)
from tests.conftest import Mounted
from tests.snapshot import snapshot

# The command, with a lane that does not know a single flag of INIT.
_UNFIT = """
import sys
from isomount.fs.lane import negotiation
negotiation._HARMLESS = 0
from isomount.cli import main
sys.exit(main())
"""
_SEQPACKET = "0005"


def _message_sockets(pid: int) -> int:
    """How many sockets of the kind that stands for /dev/fuse a process has."""
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    kinds = {line.split()[6]: line.split()[4] for line in lines}
    links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    found = [re.fullmatch(r"socket:\[(\d+)\]", link) for link in links]
    return sum(kinds.get(each[1]) == _SEQPACKET for each in found if each)


def _devices(pid: int) -> int:
    return [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()].count("/dev/fuse")


def test_only_the_lane_has_a_socket(
    small_image: Path, mounted: Mounted, tmp_path: Path, way: str
) -> None:
    with mounted(small_image):
        pid = daemon_pid(tmp_path / "mount1.log")
        assert _devices(pid) == 1
        assert _message_sockets(pid) == (2 if way == "lane" else 0)


@pytest.mark.parametrize("way", ["lane"], indirect=True)
def test_a_lane_that_does_not_fit_leaves_everything_to_pyfuse3(
    small_image: Path, mounted: Mounted, tmp_path: Path
) -> None:
    with mounted(small_image) as folder:
        usual = snapshot(folder)
    place, log = tmp_path / "place", tmp_path / "log"
    subprocess.run(
        [sys.executable, "-c", _UNFIT, str(small_image), str(place), "-o", f"log={log}"],
        env=environment(),
        check=True,
        timeout=PATIENCE,
    )
    try:
        pid = daemon_pid(log)
        assert snapshot(place) == usual
        assert _devices(pid) == 1
        assert _message_sockets(pid) == 0
    finally:
        take_down(place)
    wait_for_end(daemon_pid(log))
    check_log(log, allow=("the fast lane is off, pyfuse3 answers everything: unknown flags",))


def test_a_misspelt_option_is_told(small_image: Path, tmp_path: Path) -> None:
    done = command.run(small_image, tmp_path / "m", "-o", "nolanes")
    assert done.returncode == 2
    assert 'did you mean "nolane"?' in done.stderr
