"""tools/setup on machines that lack something: what it says."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import CHECKOUT, PATIENCE

_NEEDED = "sh dirname cat cmp mktemp rm mkdir chmod sleep env"

# In the place of Python: makes an environment whose pip takes a while.
_SLOW_PYTHON = """#!/bin/sh
case "$*" in
*venv*) mkdir -p .venv/bin && cat "$0" >.venv/bin/python && chmod 755 .venv/bin/python ;;
*"pip install"*) sleep 6 ;;
-VV) echo Python 3.99 ;;
esac
"""


class Machine:
    """A copy of the script, and the programs that it finds."""

    def __init__(self, folder: Path) -> None:
        self.sources, self.programs = folder / "sources", folder / "bin"
        (self.sources / "tools").mkdir(parents=True)
        for name in ("tools/setup", "pyproject.toml"):
            shutil.copy(CHECKOUT / name, self.sources / name)
        self.programs.mkdir()
        for name in _NEEDED.split():
            (self.programs / name).symlink_to(shutil.which(name) or name)

    def add(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def setup(self) -> "subprocess.CompletedProcess[str]":
        # Without the folders for root's programs: a machine may have what is not to be there.
        text = (self.sources / "tools/setup").read_text()
        (self.sources / "tools/setup").write_text(text.replace("$PATH:/usr/sbin:/sbin", "$PATH"))
        return subprocess.run(
            [self.sources / "tools/setup"],
            env={**os.environ, "PATH": str(self.programs)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.add("python3", _SLOW_PYTHON)
    machine.add("id", "echo 1000")
    return machine


@pytest.mark.parametrize(
    ("sudo", "said"),
    [
        ("", "not root and no sudo; as root run: apt-get install fuse3 "),
        (
            "echo alex is not in the sudoers file. >&2; exit 1",
            "sudo does not let you do that; as root run: apt-get install fuse3 ",
        ),
    ],
)
def test_who_may_not_install_is_told_in_a_sentence(machine: Machine, sudo: str, said: str) -> None:
    machine.add("apt-get", "exit 99")
    if sudo:
        machine.add("sudo", sudo)
    done = machine.setup()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"setup: {said}")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_progress_while_it_compiles(machine: Machine) -> None:
    for name in ("fusermount3", "cc", "pkg-config"):
        machine.add(name, "exit 0")
    done = machine.setup()
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n==> setup: still installing (5 s)\n==> setup: ready: " in done.stdout
