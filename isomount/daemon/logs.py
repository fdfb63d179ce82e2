"""Where a mount's log goes: the terminal, a file, or the system's log.

Where there is no system's log it is a file in the user's state directory, which a thread writes.
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

# Our own log file, when it is larger than this before a line, is put aside as log.old; in bytes.
_LARGE = 1 << 20
# How long the end of a daemon waits for what that file does not take, in seconds.
_PATIENCE = 2.0

# The handlers that configure() has added.
_configured: list[logging.Handler] = []


class _SystemLog(logging.handlers.SysLogHandler):
    """The system's log, which may be missing, come and go, or take nothing: containers have none.

    What cannot be sent is handed to ``otherwise``.
    """

    socket: sockets.socket  # the base class's own, which its type stubs leave out

    def __init__(self, address: str, otherwise: logging.Handler) -> None:
        super().__init__(address, facility=logging.handlers.SysLogHandler.LOG_DAEMON)
        self._otherwise = otherwise

    def _connect_unixsocket(self, address: str) -> None:
        super()._connect_unixsocket(address)  # type: ignore[misc]  # not in the type stubs
        self.socket.setblocking(False)  # a log that hangs must not hang the mount

    def format(self, record: logging.LogRecord) -> str:
        """As it can be sent, whatever bytes a file's name has."""
        return super().format(record).encode("utf-8", "backslashreplace").decode()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Nothing is printed between the command's words."""
        if isinstance(sys.exception(), OSError):
            self._otherwise.handle(record)
        else:
            super().handleError(record)


class _OwnLog(logging.Handler):
    """A file that is made, with its directory, by the first line in it; lost where that fails."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def acquire(self) -> None:
        """Nothing: one thread writes, and logging.shutdown() must not wait for it."""

    def release(self) -> None:
        """Nothing, as above."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        with contextlib.suppress(OSError):  # a home that cannot be written: then nobody is told
            self._make_room()
            with open(self._path, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(self.format(record) + "\n")

    def _make_room(self) -> None:
        os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if os.stat(self._path).st_size > _LARGE:
                os.replace(self._path, f"{self._path}.old")


class Aside(logging.handlers.QueueHandler):
    """Lets a thread hand records to ``target``, which may keep it waiting for ever.

    The daemon must not wait itself: the home may lie in its own mount, or on a server that is gone.
    In the process that made it, which the daemon is forked from, there is no mount and no thread
    yet, and none may be begun: it would not be there after the fork.
    """

    def __init__(self, target: logging.Handler) -> None:
        super().__init__(queue.SimpleQueue())
        self._target = target
        self._thread: logging.handlers.QueueListener | None = None
        self.maker = os.getpid()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand it over."""
        if os.getpid() == self.maker:
            self._target.handle(record)
            return
        if self._thread is None:
            self._thread = logging.handlers.QueueListener(self.queue, self._target)
            self._thread.start()
        super().emit(record)

    def close(self) -> None:
        """Wait a while until everything is written."""
        thread, self._thread = self._thread, None
        if thread is not None:
            end = threading.Thread(target=thread.stop, daemon=True)  # which waits without a limit
            end.start()
            end.join(_PATIENCE)
        super().close()


def configure(request: MountRequest) -> None:
    """Send the log where ``request`` says.

    In the foreground to standard error, from INFO on, with ``debug`` every request; to ``log`` the
    same; and without either warnings and errors to the system's log, or where there is none to the
    file log in the user's state directory. Raises UsageError when ``log`` cannot be written.
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
        _configured.append(handler)
    root.setLevel(logging.INFO if handlers else logging.WARNING)
    logging.getLogger("isomount").setLevel(logging.DEBUG if request.debug else logging.INFO)


def forget() -> None:
    """Undo ``configure``, so that the log of the next mount can go elsewhere."""
    while _configured:
        handler = _configured.pop()
        logging.getLogger().removeHandler(handler)
        handler.close()


def syslog_handler(address: str, otherwise: logging.Handler) -> logging.Handler:
    """Warnings and errors to the syslog or journal at ``address``, or else to ``otherwise``."""
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
