"""Threads for work that nobody waits for: reading and decoding ahead.

They are started when there is something to do, end when there is not, and keep no process alive.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_log = logging.getLogger("isomount.workers")

# More threads hardly decode faster: Python's own part of the work is done by one at a time.
_THREADS_AT_MOST = 4
# Work that waits for a thread. More is refused: whoever needs it does it then.
_WAITING_AT_MOST = 64
# A thread without work ends after so many seconds.
_IDLE = 5.0

Work = Callable[[], object]


class Workers:
    """At most ``at_most`` threads, which do what is handed over in that order. Thread-safe.

    Work may wait for other work that has begun, never for some that may still wait for a thread.
    """

    def __init__(self, at_most: int) -> None:
        self.at_most = at_most
        self._held_back = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all threads and what waits for one: in a child process there are none.

        Else work would be left to idle threads of the parent, and a lock that one of them held
        at the fork would never be free.
        """
        self._changed = threading.Condition()
        self._waiting: deque[Work] = deque()
        self._threads = 0
        self._idle = 0

    def begin(self, work: Work) -> bool:
        """Have ``work`` done soon; False if it is not taken. Never waits."""
        with self._changed:
            if self._held_back or len(self._waiting) >= _WAITING_AT_MOST:
                return False
            self._waiting.append(work)
            if self._idle:
                self._changed.notify()
            elif self._threads < self.at_most:
                self._threads += 1
                try:
                    threading.Thread(target=self._run, name="isomount-ahead", daemon=True).start()
                except RuntimeError:  # no further thread can be had
                    self._threads -= 1
                    self._waiting.pop()
                    return False
        return True

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Take no work meanwhile: before a fork, which threads and their locks do not survive."""
        with self._changed:
            self._held_back += 1
        try:
            yield
        finally:
            with self._changed:
                self._held_back -= 1

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except Exception:  # nobody waits for it, and the thread is there for others too
                _log.debug("work ahead failed", exc_info=True)
            del work  # else it is kept until there is more

    def _next(self) -> Work | None:
        with self._changed:
            while not self._waiting:
                self._idle += 1
                has_come = self._changed.wait(_IDLE)
                self._idle -= 1
                if not has_come and not self._waiting:
                    self._threads -= 1
                    return None
            return self._waiting.popleft()


# All images' together, as there are no more processors for many of them.
WORKERS = Workers(min(_THREADS_AT_MOST, len(os.sched_getaffinity(0))))
os.register_at_fork(after_in_child=WORKERS.begin_anew)
