"""The user's own folder for what outlives a mount, by the XDG Base Directory Specification."""

import os

_FOLDER = "isomount"


def state_folder() -> str | None:
    """Its path, whether it is there or not; None without a home."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):
        return os.path.join(state, _FOLDER)
    home = os.environ.get("HOME", "")
    return os.path.join(home, ".local/state", _FOLDER) if os.path.isabs(home) else None
