"""What tests of the command say again and again."""

import subprocess
from pathlib import Path


def assert_failed(done: "subprocess.CompletedProcess[str]", code: int, said: str) -> None:
    """The command failed with ``code`` and one line that has ``said`` in it."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("isomount: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr


def mount_line(path: Path) -> str:
    """The line of mountinfo for ``path``."""
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    return next(line for line in lines if line.split(" ")[4] == str(path))
