"""The record of an image's damage: each finding logged once, all of them counted."""

import logging
import threading

_log = logging.getLogger("isomount.damage")

# A hostile image can hold millions of distinct faults; past this many the log adds nothing.
LOGGED_AT_MOST = 200


class Damage:
    """Notes faults of one image. Thread-safe.

    ``count`` is the number of distinct faults among the first ones logged, plus every further one.
    """

    def __init__(self) -> None:
        self.count = 0
        self._seen: set[tuple[int, str]] = set()
        self._remarks: set[str] = set()
        self._lock = threading.Lock()

    @property
    def findings(self) -> list[tuple[int, str]]:
        """What was noted, image byte and words, as far as it was logged; in the image's order."""
        with self._lock:
            return sorted(self._seen)

    def note(self, offset: int, what: str) -> None:
        """Log ``what`` is wrong at image byte ``offset``, unless it was said before."""
        with self._lock:
            if (offset, what) in self._seen:
                return
            self.count += 1
            if len(self._seen) >= LOGGED_AT_MOST:
                return
            self._seen.add((offset, what))
            last = len(self._seen) == LOGGED_AT_MOST
        _log.warning("damaged image, at byte %d: %s", offset, what)
        if last:
            _log.warning("damaged image: further damage is counted but no longer logged")

    def remark(self, words: str) -> None:
        """Log what is no damage but worth knowing, unless it was said before."""
        with self._lock:
            if words in self._remarks:
                return
            self._remarks.add(words)
        _log.warning("%s", words)


class Unheard(Damage):
    """Keeps no record: for a look at what may never be shown."""

    def note(self, offset: int, what: str) -> None:
        """Nothing."""

    def remark(self, words: str) -> None:
        """Nothing."""
