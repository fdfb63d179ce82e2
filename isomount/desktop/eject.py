"""Unmounting as the eject button of file managers does: whoever shows the mount lets go first."""

import os
import subprocess

from isomount.programs import find_program

# For the programs of the desktop to let go, in seconds.
_PATIENCE = 10.0


def eject(path: str) -> bool:
    """Have the desktop unmount ``path``. Returns whether it did.

    GIO tells all its programs before it unmounts ("mount-pre-unmount"), upon which file managers
    leave the directory; fusermount3 tells nobody.
    """
    program = find_program("gio")
    if program is None:
        return False
    try:
        done = subprocess.run(
            [program, "mount", "--unmount", path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
