"""Work that goes on beside reading.

Threads do not outlive a fork, and a mount forks after it has opened the image. So nothing is begun
until the process that stays says so: the daemon does, a program that uses the library need not.
"""

import threading
from collections.abc import Callable

_lock = threading.Lock()
_waiting: list[Callable[[], bool]] = []
_begun = False


def work(step: Callable[[], bool]) -> None:
    """Call ``step`` in a thread, again and again until it returns False, from ``begin`` on."""
    with _lock:
        if not _begun:
            _waiting.append(step)
            return
    _start(step)


def begin() -> None:
    """This process stays: begin what waits, and what comes at once."""
    global _begun
    with _lock:
        _begun = True
        steps, _waiting[:] = list(_waiting), []
    for step in steps:
        _start(step)


def forget(step: Callable[[], bool]) -> None:
    """It need not be begun any more."""
    with _lock:
        if step in _waiting:
            _waiting.remove(step)


def _start(step: Callable[[], bool]) -> None:
    def run() -> None:
        while step():
            pass

    # The process may end at any time: what the thread makes is complete or worth nothing.
    threading.Thread(target=run, name="isomount-behind", daemon=True).start()
