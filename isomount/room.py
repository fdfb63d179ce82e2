"""Where there is room for what can be made or fetched again."""

import os

# A disk is not filled to the last byte: this much is left to others.
_RESERVE = 256 << 20


def room_in(directory: str) -> int:
    """How many bytes may be written to the disk of ``directory``, with some left to others."""
    try:
        status = os.statvfs(directory)
    except OSError:
        return 0
    return max(0, status.f_bavail * status.f_frsize - _RESERVE)


def cache_directory() -> str | None:
    """The user's, by the XDG Base Directory Specification; None without a home."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(cache):
        return cache
    home = os.environ.get("HOME", "")
    if not (os.path.isabs(home) and os.path.isdir(home)):
        return None
    return os.path.join(home, ".cache")
