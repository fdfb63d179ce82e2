"""The command for everyone: what an ordinary user's mount(8) runs, wherever the checkout lies.

A checkout or a Python in root's home is nobody else's. A script in a mount namespace of its own
shows both at a place where everyone may look.
"""

import os
import shlex
import subprocess
import sys
import sysconfig

from tests.command import CHECKOUT, ORDINARY_USER, PATIENCE

AS_USER = f"setpriv --reuid={ORDINARY_USER} --regid={ORDINARY_USER} --clear-groups"

_PLACE = "/usr/local/lib"  # a tmpfs of the script's own lies over it

# The shell commands that a script begins with, in its own mount namespace.
SHOW = (
    f"mount -t tmpfs -o mode=755 none {_PLACE}; mkdir {_PLACE}/checkout {_PLACE}/packages; "
    f"mount --bind {shlex.quote(str(CHECKOUT))} {_PLACE}/checkout; "
    f"mount --bind {shlex.quote(sysconfig.get_path('platlib'))} {_PLACE}/packages; "
)


def python() -> str:
    """The shell words that start a Python which finds isomount, after ``SHOW``."""
    # The one that runs this, or the system's own of the same version, which its packages fit too.
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    pythons = [os.path.realpath(sys.executable), system]
    works = [each for each in pythons if _user_runs(each)]
    assert works, f"an ordinary user can run none of {pythons}"
    where = f"PYTHONPATH={_PLACE}/checkout:{_PLACE}/packages"
    return f"/usr/bin/env {where} {shlex.quote(works[0])} -W error"


def _user_runs(program: str) -> bool:
    # By a shell: setpriv itself still has root's rights when it looks for the program.
    words = [*AS_USER.split(), "sh", "-c", f"exec {shlex.quote(program)} -c pass"]
    done = subprocess.run(words, capture_output=True, check=False, cwd="/", timeout=PATIENCE)
    return done.returncode == 0
