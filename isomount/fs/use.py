"""The time of the mount's last use, for ``-o idle``."""

from dataclasses import dataclass
from time import monotonic


@dataclass
class Use:
    """``last_used`` is a time of time.monotonic()."""

    last_used: float = 0.0

    def now(self) -> None:
        """Note that the mount is used now."""
        self.last_used = monotonic()
