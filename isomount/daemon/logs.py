"""Where a mount's log goes: the terminal, a file, or the system log.

Without a system log, a thread writes to a file in the user's state directory.
"""

import contextlib
import logging
import logging.handlers
import os
import queue
import socket as sockets
import sys
import threading

from isomount.daemon.request import MountRequest
from isomount.errors import UsageError
from isomount.state.directory import state_directory

SYSLOG = "/dev/log"

_FORMAT = "%(asctime)s isomount[%(process)d] %(levelname)s: %(message)s"

# Our own log file is renamed to log.old when it is larger than this; in bytes.
_LARGE = 1 << 20
# How long shutdown waits for that file to be written, in seconds.
_PATIENCE = 2.0


class _SystemLog(logging.handlers.SysLogHandler):
    """The system log, which may be missing (as in containers), restart, or block.

    Records that cannot be sent are passed to ``otherwise``.
    """

    socket: sockets.socket  # set by the base class, but missing from its type stubs

    def __init__(self, address: str, otherwise: logging.Handler) -> None:
        super().__init__(address, facility=logging.handlers.SysLogHandler.LOG_DAEMON)
        self._otherwise = otherwise

    def _connect_unixsocket(self, address: str) -> None:
        super()._connect_unixsocket(address)  # type: ignore[misc]  # not in the type stubs
        self.socket.setblocking(False)  # a log that hangs must not hang the mount

    def format(self, record: logging.LogRecord) -> str:
        """The message with undecodable bytes of file names escaped."""
        return super().format(record).encode("utf-8", "backslashreplace").decode()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Pass on what could not be sent, instead of printing a traceback to standard error."""
        if isinstance(sys.exception(), OSError):
            self._otherwise.handle(record)
        else:
            super().handleError(record)


class _OwnLog(logging.Handler):
    """A log file, created with its directory when first written to; errors are ignored."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def acquire(self) -> None:
        """Do nothing: only one thread writes, and logging.shutdown() must not wait for it."""

    def release(self) -> None:
        """Do nothing, as above."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        with contextlib.suppress(OSError):  # there is no other place to log to
            self._make_room()
            with open(self._path, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(self.format(record) + "\n")

    def _make_room(self) -> None:
        os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if os.stat(self._path).st_size > _LARGE:
                os.replace(self._path, f"{self._path}.old")


class Aside(logging.handlers.QueueHandler):
    """Passes records to ``target`` in a thread, as ``target`` may block forever.

    The daemon itself must not block: the home directory may be inside its own mount or on a server
    that does not respond. In the process that created the handler, from which the daemon is forked,
    records are handled directly: there is no mount yet, and a thread would not survive the fork.
    """

    def __init__(self, target: logging.Handler) -> None:
        super().__init__(queue.SimpleQueue())
        self._target = target
        self._thread: logging.handlers.QueueListener | None = None
        self.maker = os.getpid()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record."""
        if os.getpid() == self.maker:
            self._target.handle(record)
            return
        if self._thread is None:
            self._thread = logging.handlers.QueueListener(self.queue, self._target)
            self._thread.start()
        super().emit(record)

    def close(self) -> None:
        """Wait for the queue to be written, for a limited time."""
        thread, self._thread = self._thread, None
        if thread is not None:
            end = threading.Thread(target=thread.stop, daemon=True)  # stop() has no timeout
            end.start()
            end.join(_PATIENCE)
        super().close()


def configure(request: MountRequest) -> None:
    """Set up logging as ``request`` says.

    In the foreground, and to the file ``log``, messages are written from INFO on, with ``debug``
    every request. Without either, warnings and errors go to the system log, or if there is none to
    the file "log" in the user's state directory. Raises UsageError if ``log`` cannot be written.
    """
    handlers: list[logging.Handler] = []
    if request.foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    if request.log is not None:
        handlers.append(_file_handler(request.log))
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    for handler in handlers or [syslog_handler(SYSLOG, _own_log())]:
        root.addHandler(handler)
    root.setLevel(logging.INFO if handlers else logging.WARNING)
    logging.getLogger("isomount").setLevel(logging.DEBUG if request.debug else logging.INFO)


def syslog_handler(address: str, otherwise: logging.Handler) -> logging.Handler:
    """A handler for warnings and errors: to syslog at ``address``, or else to ``otherwise``."""
    handler = _SystemLog(address, otherwise)
    handler.setFormatter(logging.Formatter("isomount[%(process)d]: %(message)s"))
    handler.setLevel(logging.WARNING)
    return handler


def _own_log() -> logging.Handler:
    directory = state_directory()
    if directory is None:
        return logging.NullHandler()
    handler = _OwnLog(os.path.join(directory, "log"))
    handler.setFormatter(logging.Formatter(_FORMAT))
    return Aside(handler)


def _file_handler(path: str) -> logging.Handler:
    try:
        return logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(
            f"log={path}: cannot be written: {error.strerror}; "
            "name a file in a folder that is there and that you may write to"
        ) from error
