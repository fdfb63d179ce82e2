"""The user's state directory, according to the XDG Base Directory Specification."""

import os

_DIRECTORY = "isomount"


def state_directory() -> str | None:
    """Its path, which may not exist yet; None if the user has no home directory."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):
        return os.path.join(state, _DIRECTORY)
    home = os.environ.get("HOME", "")
    if not (os.path.isabs(home) and os.path.isdir(home)):
        return None
    return os.path.join(home, ".local/state", _DIRECTORY)
