"""``-o idle=MIN``: unmounting after a period without use."""

import logging
import time

import trio

from isomount.errors import IsomountError
from isomount.fs import Use
from isomount.mounting.unmount import BusyError, unmount

_log = logging.getLogger("isomount.daemon")

_MINUTE = 60.0


async def end_when_idle(use: Use, path: str, minutes: float) -> None:
    """Unmount ``path`` after that many minutes without a request.

    The kernel refuses (EBUSY) while files are open or a process has its working directory there.
    After that, or any other failure, the period starts again.
    """
    patience = minutes * _MINUTE
    use.now()
    while True:
        left = use.last_used + patience - time.monotonic()
        if left > 0:
            await trio.sleep(left)
            continue
        _log.info("%s: not used for %g minutes, unmounting", path, minutes)
        try:
            # In a worker thread: the kernel may send requests before it unmounts.
            await trio.to_thread.run_sync(lambda: unmount(path, lazy=False))
        except BusyError:
            _log.info("%s: in use after all, so it stays", path)
        except IsomountError as error:
            _log.warning("%s", error)
        else:
            return
        use.now()
