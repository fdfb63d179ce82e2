"""Exceptions become errno here, once: anything else that escaped a handler would end the mount."""

import functools
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

import pyfuse3

from isomount.errors import IsomountError

log = logging.getLogger("isomount.fs")

_Handler = TypeVar("_Handler", bound=Callable[..., Awaitable[Any]])


def guarded(handler: _Handler) -> _Handler:
    """A request handler that answers every failure with an errno, and logs requests at DEBUG."""
    # Programs that only watch how full disks are do not use what is on them.
    is_use = handler.__name__ != "statfs"

    @functools.wraps(handler)
    async def guard(self: Any, *args: Any) -> Any:
        if is_use:
            self.last_used = monotonic()
        try:
            answer = await handler(self, *args)
        except Exception as error:  # one that got past here would end the mount for everybody
            refusal = _refusal(handler.__name__, args, error)
            log.debug("%s%r: %s", handler.__name__, args, refusal)
            try:
                raise refusal from error
            finally:
                # Else its traceback and this frame would hold each other, and all that was read.
                del refusal
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s%r", handler.__name__, args)
        return answer

    return guard  # type: ignore[return-value]  # the same signature, which wraps() cannot say


def _refusal(request: str, args: tuple[Any, ...], error: Exception) -> pyfuse3.FUSEError:
    if isinstance(error, pyfuse3.FUSEError):
        return error
    if isinstance(error, IsomountError):
        return pyfuse3.FUSEError(error.errno)
    if isinstance(error, OSError) and error.errno:
        return pyfuse3.FUSEError(error.errno)
    log.error("%s%r failed in a way that it should not", request, args, exc_info=error)
    return pyfuse3.FUSEError(IsomountError.errno)
