"""A mount that always comes to an end, and what its daemon used."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.images import BIG_NAME, Image
from tests.benchmarks.peers import Peer, RawFile
from tests.benchmarks.places import cache_folder
from tests.benchmarks.programs import MeasurementError, run

_TICKS = os.sysconf("SC_CLK_TCK")
_UNMOUNT_LIMIT = 10.0  # seconds until a daemon is killed


@dataclass(frozen=True, slots=True)
class Usage:
    """What the daemon used since it started."""

    peak_kib: int  # resident memory at its highest
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Mounted:
    """A mounted image; ``seconds`` is how long the mount command took."""

    peer: Peer
    image: Image
    folder: Path
    seconds: float

    @property
    def big_file(self) -> Path:
        """The big file, or where it is read without a mount the image that holds it."""
        if isinstance(self.peer, RawFile):
            return self.image.iso
        return self.folder / self.peer.place(self.image) / BIG_NAME

    def usage(self) -> Usage | None:
        """What the daemon used until now; None where there is no daemon."""
        pids = _daemons(self.folder)
        if self.peer.ceiling or not pids:
            return None
        return Usage(sum(map(_peak, pids)), sum(map(_cpu, pids)))


@contextlib.contextmanager
def mounted(peer: Peer, image: Image, *, limit: float, readahead: int | None) -> Iterator[Mounted]:
    """Mount ``image`` afresh, with ``readahead`` KiB if that is given; unmount it in the end.

    MeasurementError is raised when the mount is not there after ``limit`` seconds.
    """
    if isinstance(peer, RawFile) or peer.only_unpacks:
        yield Mounted(peer, image, Path("/"), 0.0)
        return
    folder = Path(tempfile.mkdtemp(prefix="", dir=_mounts_folder()))
    try:
        ran = run(peer.command(image, folder), limit=limit)
        _wait_for_mount(folder)
        if readahead is not None:
            _set_readahead(folder, readahead)
        yield Mounted(peer, image, folder, ran.seconds)
    finally:
        _take_down(folder)


def sweep() -> None:
    """Take down what a run that was killed left mounted."""
    for folder in _mounts_folder().iterdir():
        _take_down(folder)


def _mounts_folder() -> Path:
    folder = cache_folder() / "mounts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _device(folder: Path) -> str | None:
    """MAJOR:MINOR of the mount on ``folder``, without touching it: it may be dead."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        words = line.split(" ")
        if re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[4]) == str(folder):
            return words[2]
    return None


def _wait_for_mount(folder: Path) -> None:
    deadline = time.monotonic() + _UNMOUNT_LIMIT
    while _device(folder) is None:
        if time.monotonic() > deadline:
            raise MeasurementError("the command ended, but nothing was mounted")
        time.sleep(0.005)


def _set_readahead(folder: Path, kib: int) -> None:
    try:
        Path(f"/sys/class/bdi/{_device(folder)}/read_ahead_kb").write_text(str(kib))
    except OSError as error:
        raise MeasurementError(f"readahead cannot be set: {error.strerror} (root can)") from None


def _take_down(folder: Path) -> None:
    """Unmount ``folder`` whatever state it is in, and wait for its daemon's end."""
    pids = _daemons(folder)
    deadline = time.monotonic() + _UNMOUNT_LIMIT
    while (device := _device(folder)) is not None:
        urgent = time.monotonic() > deadline
        if urgent:
            _abort(device)
        _unmount(folder, lazy=urgent)
        time.sleep(0.01)
    for pid in pids:
        _wait_for_end(pid)
    folder.rmdir()


def _unmount(folder: Path, *, lazy: bool) -> None:
    words = ["umount", *(["-l"] if lazy else [])]
    if os.geteuid() != 0:
        words = ["fusermount3", "-u", *(["-z"] if lazy else [])]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run([*words, str(folder)], capture_output=True, check=False, timeout=10)


def _abort(device: str) -> None:
    """End a FUSE connection: whoever waits for its daemon gets an error."""
    minor = device.partition(":")[2]
    with contextlib.suppress(OSError):
        Path(f"/sys/fs/fuse/connections/{minor}/abort").write_text("1")


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + _UNMOUNT_LIMIT
    while _is_alive(pid):
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.005)


def _is_alive(pid: int) -> bool:
    try:
        return _stat_fields(pid)[0] not in ("Z", "X")
    except OSError:
        return False


def _daemons(folder: Path) -> list[int]:
    """The processes that have ``folder`` as a word of their command line."""
    wanted = os.fsencode(folder)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def _stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on: proc(5) counts it as the third."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def _cpu(pid: int) -> float:
    fields = _stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS  # utime and stime


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)
    return int(found[1]) if found else 0
