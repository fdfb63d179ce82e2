"""Starting a mount: all checks, then the fork; the parent returns once the mount answers."""

import contextlib
import logging
import os
import signal
from collections.abc import Callable

from isomount.daemon import logs
from isomount.daemon.notify import forget_manager, notify
from isomount.daemon.prepare import prepare
from isomount.daemon.request import MountRequest
from isomount.errors import IsomountError
from isomount.image import Image, open_image
from isomount.mounting.fuse import require_fuse
from isomount.mounting.mountpoint import MountPoint
from isomount.mounting.mounts import mount_at
from isomount.mounting.shut_out import advising
from isomount.mounting.unmount import unmount
from isomount.sources import is_remote
from isomount.text import readable_size
from isomount.workers import WORKERS

_log = logging.getLogger("isomount.daemon")

_READY = b"ready"


def start(request: MountRequest, tell: Callable[[str], None] = lambda _: None) -> int:
    """Mount as ``request`` says. Returns the exit code.

    Returns when the mount answers, or in the foreground when it has ended. ``tell`` is called with
    each notice for the user. Raises IsomountError, and leaves nothing behind then.
    """
    logs.forget()  # that of an image which this process mounted before
    inherited = _inherited_descriptors()
    logs.configure(request)

    def announce(words: str) -> None:  # what takes long
        _log.info("%s", words)
        notify(f"STATUS={words}")
        if not request.foreground:  # where the log is on the terminal
            tell(words)

    if is_remote(request.image) and not request.foreground:
        return _start_remote(request, announce, tell, inherited)
    # Threads that decode ahead would not come along into the daemon, nor what they had claimed.
    with WORKERS.held_back(), advising(request.image):
        image = open_image(request.image, request.view, announce, request.keeping)
    with image:
        require_fuse(request.fuse)
        with WORKERS.held_back():
            incomplete = _incomplete(image)
        point = prepare(request.mountpoint, request.image, nonempty=request.nonempty, tell=tell)

        def ready() -> None:
            _tell_lacks(image, incomplete, tell)

        try:
            if request.foreground:
                return _serve(request, image, point, ready)
            code = _start_daemon(
                point, inherited, lambda report: _serve(request, image, point, report.ready)
            )
        except BaseException:  # also KeyboardInterrupt: a directory made for the mount is removed
            point.remove()
            raise
        point.leave_to_daemon()
        ready()
        return code


def _start_remote(
    request: MountRequest,
    announce: Callable[[str], None],
    tell: Callable[[str], None],
    inherited: list[int],
) -> int:
    """Mount what is far away: the daemon opens it, as connections do not survive a fork."""
    require_fuse(request.fuse)
    point = prepare(request.mountpoint, request.image, nonempty=request.nonempty, tell=tell)

    def serve(report: "_Report") -> int:
        with open_image(request.image, request.view, announce, request.keeping) as image:
            incomplete = _incomplete(image)

            def ready() -> None:
                _tell_lacks(image, incomplete, tell)
                report.ready()

            return _serve(request, image, point, ready)

    try:
        code = _start_daemon(point, inherited, serve)
    except BaseException:  # as above
        point.remove()
        raise
    point.leave_to_daemon()
    return code


def _tell_lacks(image: Image, incomplete: str, tell: Callable[[str], None]) -> None:
    """Say what is missing of ``image``, or of what is shown of it."""
    if incomplete:
        tell(incomplete)
    if image.elsewhere:
        tell(f"{image.name}: {image.elsewhere}")


def _incomplete(image: Image) -> str:
    """How much of ``image`` is missing, as a sentence; "" when it is whole."""
    missing = image.missing
    if not missing:
        return ""
    whole = image.size + missing
    return (
        f"{image.name}: is cut off: the last {readable_size(missing)} of {readable_size(whole)} "
        "are missing, and what lies there cannot be read; copy or download the image again"
    )


def _serve(
    request: MountRequest, image: Image, point: MountPoint, ready: Callable[[], None]
) -> int:
    # Imported late: trio must not be loaded before a fork, and loading it takes time.
    from isomount.daemon.life import serve

    return serve(request, image, point, ready)


def _start_daemon(
    point: MountPoint, inherited: list[int], serve: Callable[["_Report"], int]
) -> int:
    """Fork, and have ``serve`` done by the child. Returns when it has reported that it is ready."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        forget_manager()
        os._exit(_daemon(point, serve, _Report(writer, inherited)))
    os.close(writer)
    try:
        return _await_daemon(child, reader, point)
    except KeyboardInterrupt:
        # In a terminal the daemon got the same signal already; a second one is harmless here.
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        raise


def _await_daemon(child: int, reader: int, point: MountPoint) -> int:
    with open(reader, "rb") as pipe:
        said = pipe.read()
    if said == _READY:
        return 0
    _, status = os.waitpid(child, 0)
    if not said:
        _clear_away(point)
        code = os.waitstatus_to_exitcode(status)
        how = f"killed by signal {-code}" if code < 0 else f"ended with code {code}"
        raise IsomountError(f"{point.path}: not mounted, the daemon was {how} without a word")
    code_text, _, message = said.decode("utf-8", "surrogateescape").partition(":")
    error = IsomountError(message)
    error.exit_code = int(code_text)
    raise error


def _clear_away(point: MountPoint) -> None:
    """Unmount what a daemon that died while starting left behind."""
    left = mount_at(point.path)
    if left is not None and left.is_isomount:
        with contextlib.suppress(IsomountError):  # the caller raises the original error
            unmount(point.path, lazy=True)


def _daemon(point: MountPoint, serve: Callable[["_Report"], int], report: "_Report") -> int:
    """Run the child. No exception may escape it, only an exit code."""
    try:
        return serve(report)
    except IsomountError as error:
        report.failed(error.exit_code, str(error))
        return error.exit_code
    except BaseException as error:
        _log.exception("%s: not mounted", point.path)
        report.failed(1, f"{point.path}: not mounted: {type(error).__name__}: {error}")
        return 1
    finally:
        point.remove()
        logging.shutdown()


class _Report:
    """The daemon's end of the pipe that the parent reads."""

    def __init__(self, writer: int, inherited: list[int]) -> None:
        self._writer = writer
        self._inherited = inherited

    def ready(self) -> None:
        """Become a daemon and release the parent. Raises OSError if the parent is gone.

        Not called earlier: until the mount answers, the process must stay in its caller's process
        group, the only one that systemd's automount lets through to the mount point.
        """
        os.setsid()
        os.chdir("/")
        os.umask(0o077)
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        for descriptor in (nothing, *self._inherited):
            os.close(descriptor)
        self._write(_READY)

    def failed(self, code: int, message: str) -> None:
        """Report the reason and the exit code to the parent."""
        with contextlib.suppress(OSError):  # the parent is gone
            self._write(f"{code}:{message}".encode("utf-8", "surrogateescape"))

    def _write(self, message: bytes) -> None:
        writer, self._writer = self._writer, -1
        if writer < 0:
            return  # "ready" was sent before; later errors go to the log
        try:
            os.write(writer, message)
        finally:
            os.close(writer)


def _inherited_descriptors() -> list[int]:
    """Descriptors inherited from the caller, except 0 to 2; a daemon must not keep them open.

    Opens /dev/null for any of 0 to 2 that is closed: else the image could become one of them.
    """
    while (number := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)) <= 2:
        continue
    os.close(number)
    # One of them belonged to listdir itself and is closed by now.
    return [n for n in map(int, os.listdir("/proc/self/fd")) if n > 2 and _is_open(n)]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
