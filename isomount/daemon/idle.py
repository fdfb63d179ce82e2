"""``-o idle=MIN``: ending a mount that nobody has used for a while."""

import logging
import time

import trio

from isomount.errors import IsomountError
from isomount.fs import Use
from isomount.mounting.unmount import BusyError, unmount

_log = logging.getLogger("isomount.daemon")

_MINUTE = 60.0


async def end_when_idle(use: Use, path: str, minutes: float) -> None:
    """Unmount ``path`` once nothing was asked of it for that many minutes.

    A mount with files open, or with somebody's working folder in it, is in use however quiet it is:
    the kernel knows, and refuses. Then, and after any other failure, the time starts again.
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
            # In a worker, as the kernel may ask us something before it lets go.
            await trio.to_thread.run_sync(lambda: unmount(path, lazy=False))
        except BusyError:
            _log.info("%s: in use after all, so it stays", path)
        except IsomountError as error:
            _log.warning("%s", error)
        else:
            return
        use.now()
