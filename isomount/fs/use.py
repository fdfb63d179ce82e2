"""When the mount was used last, for those who end it when nobody does."""

from dataclasses import dataclass
from time import monotonic


@dataclass
class Use:
    """``last_used`` is a time as time.monotonic tells it."""

    last_used: float = 0.0

    def now(self) -> None:
        """It is being used."""
        self.last_used = monotonic()
