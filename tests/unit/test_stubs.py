"""The stubs that stand for pyfuse3 in mypy's eyes agree with pyfuse3."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import CHECKOUT, environment

pytest.importorskip("pyfuse3")

# Cython does not tell the parameters of a class.
_UNKNOWN = "pyfuse3.FileInfo.__init__\n"


def test_mypys_stubtest_finds_no_difference(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text(_UNKNOWN)
    words = ("--ignore-missing-stub", "--ignore-disjoint-bases", "--allowlist", str(allowed))
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "pyfuse3", *words],
        env=environment({"MYPYPATH": str(CHECKOUT / "stubs")}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
