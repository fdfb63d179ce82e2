"""Programs of the system that are run on the way."""

import shutil

# Where PATH may not lead: fusermount3 and mount helpers are in sbin on some systems.
_SYSTEM_PATH = "/usr/bin:/bin:/usr/local/bin:/usr/sbin:/sbin"


def find_program(name: str) -> str | None:
    """The path of the program ``name``: from PATH, else from the system's own folders."""
    return shutil.which(name) or shutil.which(name, path=_SYSTEM_PATH)
