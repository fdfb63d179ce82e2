"""The session bus, through which the programs of a desktop talk to each other."""

import os
import re


def has_session_bus() -> bool:
    """Whether there seems to be one. It is not asked."""
    default = f"unix:path={os.environ.get('XDG_RUNTIME_DIR', '')}/bus"
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS") or default
    path = re.match(r"unix:path=([^,;]*)", address)
    return path is None or os.path.exists(path[1])
