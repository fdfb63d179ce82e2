"""The user's own directory for what outlives a mount, by the XDG Base Directory Specification."""

import os

_DIRECTORY = "isomount"


def state_directory() -> str | None:
    """Its path, whether it is there or not; None without a home, which is never made."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):
        return os.path.join(state, _DIRECTORY)
    home = os.environ.get("HOME", "")
    if not (os.path.isabs(home) and os.path.isdir(home)):
        return None
    return os.path.join(home, ".local/state", _DIRECTORY)
