"""The life of a mount: from mounting to the end of the session, in trio's loop.

Imported only in the serving process: trio must not be loaded before a fork.
"""

import enum
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

import pyfuse3
import trio

from isomount.containers import behind
from isomount.daemon.idle import end_when_idle
from isomount.daemon.memory import use_one_arena
from isomount.daemon.notify import notify
from isomount.daemon.request import MountRequest
from isomount.errors import FuseUnavailableError, IsomountError
from isomount.fs import Policy, Session, Use
from isomount.fs.lane.gate import Gate
from isomount.fs.lane.handlers import Handlers
from isomount.fs.operations import Operations
from isomount.fs.patience import WAITING, WAITING_FAR
from isomount.image import Image, absolute, is_remote, shown
from isomount.mounting import device
from isomount.mounting.mountpoint import MountPoint
from isomount.mounting.readahead import raise_readahead
from isomount.mounting.unmount import unmount
from isomount.state.recent import remember
from isomount.state.register import Registration

_log = logging.getLogger("isomount.daemon")

# Thresholds of the garbage collector. Serving creates no reference cycles, but reading a tree
# creates thousands of long-lived objects: with the defaults, collection took a quarter of the time.
_GARBAGE_THRESHOLDS = (20_000, 20, 20)

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def serve(request: MountRequest, image: Image, point: MountPoint, ready: Callable[[], None]) -> int:
    """Mount, serve until the session ends, clean up. Returns the exit code.

    ``ready`` is called once the mount answers; if it raises OSError, the process that waited for
    the mount is gone, and the mount ends. Raises FuseUnavailableError if it cannot be mounted.
    """
    life = _Life(image, point, request, ready)
    use_one_arena()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    # Block signals until the loop handles them: one would kill the process and leave a dead mount.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        return life.run(life.mount())
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        point.remove()


class _State(enum.Enum):
    MOUNTED = enum.auto()
    DETACHING = enum.auto()
    DETACHED = enum.auto()


class _Life:
    """The state of the daemon between mount and unmount."""

    def __init__(
        self,
        image: Image,
        point: MountPoint,
        request: MountRequest,
        ready: Callable[[], None],
    ) -> None:
        self._image = image
        self._request = request
        self._point = point
        self._ready = ready
        self._state = _State.MOUNTED
        self._answered = False
        self._initialised = trio.Event()
        self._registration = Registration()
        self._use = Use()
        self._session = Session(image.volume, self._use, _policy(request))

    def mount(self) -> Gate | None:
        """Mount. Requests are queued until ``run``. Returns None if pyfuse3 reads the device."""
        path, options = self._point.path, self._request.fuse
        operations = Operations(self._session, ready=self._initialised.set)
        number = device.mount(path, shown(self._request.image), options)
        with ExitStack() as undo:  # if libfuse fails, or Ctrl-C: the kernel has mounted already
            undo.callback(unmount, path, lazy=True)
            gate = None
            if self._request.lane:
                gate = Gate(number, waiting=self._session.policy.waiting)
                undo.callback(gate.close)
            # By this name libfuse takes an already mounted descriptor as its mount point.
            place = f"/dev/fd/{number if gate is None else gate.for_pyfuse3}"
            pyfuse3.init(operations, place, {"allow_root"} if options.allow_root else set())
            undo.pop_all()
        return gate

    def run(self, gate: Gate | None) -> int:
        """Serve until the kernel closes the session."""
        try:
            trio.run(self._main, gate)
        except BaseException:  # reported in the log and by the exit code
            # Left mounted, but dead: an empty directory could make a mirror job delete its copy.
            _log.exception("%s: crashed", self._point.path)
            return 1
        finally:
            self._registration.leave()
            pyfuse3.close(unmount=False)
            if gate is not None:
                gate.close()
        if not self._answered:
            raise FuseUnavailableError(f"{self._point.path}: the mount ended before it answered")
        _log.info("%s: unmounted", self._point.path)
        return 0

    async def _main(self, gate: Gate | None) -> None:
        with trio.open_signal_receiver(*_SIGNALS) as signals:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._obey, signals, nursery)
                nursery.start_soon(self._announce)
                if self._request.idle is not None:
                    nursery.start_soon(
                        end_when_idle, self._use, self._point.path, self._request.idle
                    )
                await self._serve(gate)
                notify("STOPPING=1")
                nursery.cancel_scope.cancel()

    async def _serve(self, gate: Gate | None) -> None:
        if gate is None:
            await pyfuse3.main()
        else:
            handlers = Handlers(self._session, gate.send, spliced_at_most=gate.spliced_at_most)
            await gate.run(handlers)

    async def _announce(self) -> None:
        """Wait until the mount answers a request, then report it as ready."""
        await self._initialised.wait()
        try:
            await trio.to_thread.run_sync(self._ask_the_mount)
        except OSError as error:
            _log.error("%s: does not answer: %s", self._point.path, error.strerror)
            os.kill(os.getpid(), signal.SIGTERM)
            return
        await trio.lowlevel.checkpoint()  # stops here if the session has ended in the meantime
        self._answered = True
        # Not in a thread, so that nothing can happen in between. It writes one small file in a
        # runtime directory and does not access the mount.
        self._registration.enter(self._image, self._point.path)
        _log.info(
            "%s: has %s; showing %s on %s",
            self._image.name,
            ", ".join(self._image.views),
            self._image.shown,
            self._point.path,
        )
        behind.begin()
        if self._image.remark:
            _log.info("%s: %s", self._image.name, self._image.remark)
        shown = f"showing {self._image.name} ({self._image.shown}) on {self._point.path}"
        notify("READY=1", f"STATUS={shown}")
        try:
            self._ready()
        except OSError as error:
            _log.info("%s: unmounting, who asked for it is gone: %s", self._point.path, error)
            os.kill(os.getpid(), signal.SIGTERM)
        # After "ready", and abandoned on shutdown: the home directory may be slow or unreachable.
        image = absolute(self._image.name)
        await trio.to_thread.run_sync(remember, image, abandon_on_cancel=True)

    def _ask_the_mount(self) -> None:
        os.statvfs(self._point.path)  # stat may be cached
        raise_readahead(self._point.path, self._request.fuse.readahead)

    async def _obey(self, signals: AsyncIterator[int], nursery: trio.Nursery) -> None:
        """First signal: detach, and serve open files until they are closed. Second: exit."""
        async for number in signals:
            name = signal.Signals(number).name
            if self._state is _State.DETACHED:
                _log.warning("%s: %s again, ending with files open", self._point.path, name)
                logging.shutdown()
                os._exit(1)
            if self._state is _State.MOUNTED:
                _log.info("%s: %s, unmounting", self._point.path, name)
                self._state = _State.DETACHING
                notify("STOPPING=1", "STATUS=unmounted, still serving the files that are open")
                nursery.start_soon(self._detach)

    async def _detach(self) -> None:
        try:
            # In a worker thread: the kernel may send requests before it unmounts. With a limiter
            # of its own: all other workers may be blocked in reads.
            await trio.to_thread.run_sync(
                lambda: unmount(self._point.path, lazy=True), limiter=trio.CapacityLimiter(1)
            )
        except IsomountError as error:
            _log.warning("%s; another signal ends the daemon", error)
        else:
            self._point.remove()
        self._state = _State.DETACHED


def _policy(request: MountRequest) -> Policy:
    root_and_me = frozenset((0, os.getuid()))
    return Policy(
        only_for=root_and_me if request.fuse.allow_root else None,
        sees_visits=request.idle is not None,
        xattrs=request.xattr,
        waiting=WAITING_FAR if is_remote(request.image) else WAITING,
    )
