"""`isomount extract --verify` as an ordinary user without any capability."""

import stat
import subprocess
from pathlib import Path

from tests import public
from tests.authoring import genisoimage, write_tree
from tests.command import PATIENCE


def test_files_that_nobody_may_read_are_verified(as_root: None, user_folder: Path) -> None:
    """Mode 0000 keeps out their owner as well, who has no capabilities here."""
    tree = write_tree(user_folder / "tree", {"secret": b"x" * 5000})
    (tree / "secret").chmod(0)
    image = genisoimage(user_folder / "x.iso", tree, "-R")
    image.chmod(0o644)
    command = f"{public.AS_USER} {public.python()} -m isomount extract --verify x.iso -C out"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", f"{public.SHOW} cd {user_folder}; {command}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no differences" in done.stdout
    assert "failed" not in done.stdout
    assert stat.S_IMODE((user_folder / "out/secret").stat().st_mode) == 0
