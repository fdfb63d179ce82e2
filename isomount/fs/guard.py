"""Converting exceptions to errno: an exception that escapes a handler would end the mount."""

import errno
import logging
from typing import Any

from isomount.errors import IsomountError

log = logging.getLogger("isomount.fs")


def errno_of(request: str, args: tuple[Any, ...], error: Exception) -> int:
    """The errno to answer a failed request with. Unexpected exceptions are logged."""
    known = error.errno if isinstance(error, IsomountError | OSError) else None
    if not known:
        log.error("%s%r failed in a way that it should not", request, args, exc_info=error)
    code = known or errno.EIO
    log.debug("%s%r: errno %d", request, args, code)
    return code
