"""What is kept on the disk of images that are far away: where, and how much."""

import os
from typing import NamedTuple

from isomount.room import cache_directory

# For all images together, unless said otherwise.
USUAL_LIMIT = 4 << 30
_NAME = "remote"


class Keeping(NamedTuple):
    """Keep at most ``limit`` bytes in ``directory``; the user's cache directory if it is None.

    Nothing is kept with a limit of 0, or where there is no such directory.
    """

    limit: int = USUAL_LIMIT
    directory: str | None = None

    @property
    def place(self) -> str | None:
        """The directory, which may have to be made; None if nothing is kept."""
        if self.limit <= 0:
            return None
        if self.directory is not None:
            return self.directory
        cache = cache_directory()
        return None if cache is None else os.path.join(cache, "isomount", _NAME)


USUAL = Keeping()
