"""How often a range is asked for until it counts as unreadable, and what is said then."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator

from isomount.sources.remote.failures import FetchError

_log = logging.getLogger("isomount.sources")

# Seconds to wait before each further try, of which a random part is taken off: readers who failed
# together do not come back together.
_PAUSES = (0.25, 1.0)
_JITTER = 0.5
# Once it has failed, nobody waits for as long again: for so many seconds all fail at once.
_REST = 3.0


class Patience:
    """Tries again what may pass, and gives up for a while where it does not. Thread-safe."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._failure: FetchError | None = None
        self._until = 0.0

    def tried(self, ask: Callable[[], memoryview]) -> memoryview:
        """What ``ask`` returns in the end. Raises its FetchError, at once if it was just so."""
        pauses = self._pauses()
        while True:
            try:
                data = ask()
            except FetchError as failure:
                pause = next(pauses, None) if failure.is_passing else None
                if pause is None:
                    self._give_up(failure)
                    raise
                time.sleep(pause)
            else:
                self._recover()
                return data

    def _pauses(self) -> Iterator[float]:
        with self._lock:
            failure = self._failure
            if failure is not None and time.monotonic() < self._until:
                raise FetchError(failure.reason, failure.remedy, is_passing=True)
        # Where it failed last time, once is enough to find out whether it is over.
        pauses = () if failure is not None else _PAUSES
        return iter([pause * (1 - _JITTER * random.random()) for pause in pauses])

    def _give_up(self, failure: FetchError) -> None:
        if not failure.is_passing:
            return
        with self._lock:
            is_new = self._failure is None
            self._failure, self._until = failure, time.monotonic() + _REST
        if is_new:
            _log.warning("%s: cannot be read for now: %s", self._name, failure.reason)

    def _recover(self) -> None:
        if self._failure is None:
            return
        with self._lock:
            had_failed, self._failure = self._failure is not None, None
        if had_failed:
            _log.warning("%s: can be read again", self._name)
