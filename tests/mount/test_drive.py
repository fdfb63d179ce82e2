"""A disc in a genuine drive, in a guest, where the material for one is beside the checkout."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.authoring import genisoimage, write_tree
from tests.command import CHECKOUT
from tests.corpus import SHARED

WITH_DRIVE = SHARED / "drive" / "with-drive"

pytestmark = [
    pytest.mark.skipif(
        not (WITH_DRIVE.is_file() and shutil.which("linux.uml") and os.geteuid() == 0),
        reason="a guest with a drive needs root, user-mode-linux and what is beside the checkout",
    ),
    pytest.mark.skipif(
        sys.prefix.startswith("/tmp/"),
        reason="this Python is in /tmp, of which the guest has its own",
    ),
]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the guest sees too, with the command in it: its /tmp is its own."""
    folder = Path(tempfile.mkdtemp(prefix="isomount-drive-", dir="/var/tmp"))
    shutil.copytree(CHECKOUT / "isomount", folder / "code" / "isomount")
    yield folder
    shutil.rmtree(folder)


def in_guest(place: Path, spec: dict[str, Any], script: str) -> str:
    """What ``script`` prints in a guest whose drive has the disc of ``spec``."""
    (place / "spec.json").write_text(json.dumps(spec))
    command = f"{sys.executable} -m isomount"
    (place / "script").write_text(
        f"set -e\nexport PYTHONPATH={place}/code XDG_STATE_HOME=/dev/null\n"
        "echo 1 >/proc/sys/kernel/printk\n"  # what the kernel says of bad sectors
        f'isomount() {{ {command} "$@"; }}\nmkdir /tmp/m\necho BEGIN\n{script}'
    )
    done = subprocess.run(
        [WITH_DRIVE.resolve(), place / "spec.json", place / "script"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "SCRIPT EXIT 0\n" in done.stdout, done.stdout + done.stderr
    return done.stdout.partition("BEGIN\n")[2].partition("SCRIPT EXIT")[0]


_LOOK = """
isomount info --json /dev/sr0
echo END
isomount /dev/sr0 /tmp/m -o log=/tmp/log
sha256sum /tmp/m/big /tmp/m/last | cut -c 1-64
umount /tmp/m
grep -c "WARNING\\|ERROR" /tmp/log || true
"""


def test_run_out_and_sessions_are_no_damage(place: Path) -> None:
    files: dict[str, bytes | str] = {"big": os.urandom(300_000), "last": os.urandom(2048)}
    tree = write_tree(place / "one", files)
    # Rock Ridge and UDF: its second anchor is sought at the disc's end.
    first = genisoimage(place / "one.iso", tree, "-no-pad", "-R", "-udf")
    sectors = first.stat().st_size // 2048
    track = {"file": str(first), "lba": 0, "mode": "data", "session": 1}
    run_out = [sectors, sectors + 1]
    spec = {"tracks": [track], "bad": run_out, "leadout": sectors + 2}
    said = in_guest(place, spec, _LOOK)
    found = json.loads(said.partition("END\n")[0])
    assert (found["damage"], found["missing"]) == ([], 0)
    assert found["size"] == first.stat().st_size, "the good sector before them stays"
    sums = subprocess.run(
        ["sha256sum", tree / "big", tree / "last"], capture_output=True, text=True, check=True
    )
    expected = [line[:64] for line in sums.stdout.splitlines()]
    assert said.partition("END\n")[2].splitlines()[-3:] == [*expected, "0"]

    start = sectors + 2 + 11400
    again = write_tree(place / "two", {"big": os.urandom(9_000), "last": b"newest"})
    words = ("-no-pad", "-R", "-C", f"0,{start}", "-M", str(first))
    second = genisoimage(place / "two.iso", again, *words)
    length = second.stat().st_size // 2048
    other = {"file": str(second), "lba": start, "mode": "data", "session": 2}
    bad = [*range(sectors, start), start + length, start + length + 1]
    spec = {"tracks": [track, other], "bad": bad, "leadout": start + length + 2}
    said = in_guest(place, spec, _LOOK.replace("-o log", "-o session=last,view=iso9660,log"))
    found = json.loads(said.partition("END\n")[0])
    assert (found["damage"], found["sessions"]) == ([], [0, start])
    sums = subprocess.run(
        ["sha256sum", again / "big", again / "last"], capture_output=True, text=True, check=True
    )
    expected = [line[:64] for line in sums.stdout.splitlines()]
    assert said.partition("END\n")[2].splitlines()[-3:] == [*expected, "0"]
