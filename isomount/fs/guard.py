"""Exceptions become errno here, once: anything else that escaped a handler would end the mount."""

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import pyfuse3

from isomount.errors import IsomountError

log = logging.getLogger("isomount.fs")

_Handler = TypeVar("_Handler", bound=Callable[..., Awaitable[Any]])


@dataclass
class Use:
    """When the mount was used last, as time.monotonic tells it."""

    last_used: float = 0.0

    def now(self) -> None:
        """It is being used."""
        self.last_used = monotonic()


def guarded(handler: _Handler) -> _Handler:
    """A handler of pyfuse3's that answers every failure with an errno, and logs at DEBUG."""
    # Programs that only watch how full disks are do not use what is on them.
    is_use = handler.__name__ != "statfs"

    @functools.wraps(handler)
    async def guard(self: Any, *args: Any) -> Any:
        if is_use:
            self.use.now()
        try:
            answer = await handler(self, *args)
        except pyfuse3.FUSEError as error:
            log.debug("%s%r: %s", handler.__name__, args, error)
            raise
        except Exception as error:  # one that got past here would end the mount for everybody
            refusal = pyfuse3.FUSEError(errno_of(handler.__name__, args, error))
            try:
                raise refusal from error
            finally:
                # Else its traceback and this frame would hold each other, and all that was read.
                del refusal
        log.debug("%s%r", handler.__name__, args)
        return answer

    return guard  # type: ignore[return-value]  # the same signature, which wraps() cannot say


def errno_of(request: str, args: tuple[Any, ...], error: Exception) -> int:
    """The errno that answers a request which failed so; what should not happen is logged."""
    known = error.errno if isinstance(error, IsomountError | OSError) else None
    if not known:
        log.error("%s%r failed in a way that it should not", request, args, exc_info=error)
    code = known or IsomountError.errno
    log.debug("%s%r: errno %d", request, args, code)
    return code
