"""Where a mount's log goes: the terminal, a file, or the system's log."""

import contextlib
import logging
import logging.handlers
import sys

from isomount.daemon.request import MountRequest
from isomount.errors import UsageError

SYSLOG = "/dev/log"

_FORMAT = "%(asctime)s isomount[%(process)d] %(levelname)s: %(message)s"


class _SystemLog(logging.handlers.SysLogHandler):
    """The system's log, which may be missing, come and go: containers often have none."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Lose what cannot be sent, rather than print a traceback between the command's words."""
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)


def configure(request: MountRequest) -> None:
    """Send the log where ``request`` says.

    In the foreground to standard error, from INFO on, with ``debug`` every request; to ``log`` the
    same; and without either warnings and errors to the system's log, where there is one.
    Raises UsageError when the file cannot be written.
    """
    handlers: list[logging.Handler] = []
    if request.foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    if request.log is not None:
        handlers.append(_file_handler(request.log))
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_FORMAT))
    if not handlers:
        with contextlib.suppress(OSError):  # no system log here: then there is none to write to
            handlers.append(syslog_handler(SYSLOG))
    root = logging.getLogger()
    for handler in handlers or [logging.NullHandler()]:
        root.addHandler(handler)
    root.setLevel(logging.INFO if handlers else logging.WARNING)
    logging.getLogger("isomount").setLevel(logging.DEBUG if request.debug else logging.INFO)


def syslog_handler(address: str) -> logging.Handler:
    """Warnings and errors to the syslog or journal that listens at ``address``.

    Raises OSError where none does.
    """
    handler = _SystemLog(address, facility=logging.handlers.SysLogHandler.LOG_DAEMON)
    handler.setFormatter(logging.Formatter("isomount[%(process)d]: %(message)s"))
    handler.setLevel(logging.WARNING)
    return handler


def _file_handler(path: str) -> logging.Handler:
    try:
        return logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(f"log={path}: cannot be written: {error.strerror}") from error
