"""A desktop session beside the machine's own world: guest.sh says how that is safe."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import public
from tests.command import ORDINARY_USER, PATIENCE, wait_until

_SCRIPT = Path(__file__).with_name("guest.sh")

USER = "alex"
HOME = Path("/home", USER)
MEDIA = Path("/run/media", USER)
RUNTIME = Path(f"/run/user/{ORDINARY_USER}")

_ENVIRONMENT = {
    "HOME": str(HOME),
    "USER": USER,
    "LOGNAME": USER,
    "PATH": "/usr/local/sbin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "DISPLAY": ":0",
    "XDG_RUNTIME_DIR": str(RUNTIME),
    "DBUS_SESSION_BUS_ADDRESS": f"unix:path={RUNTIME}/bus",
    "GSETTINGS_BACKEND": "memory",
    "XDG_CURRENT_DESKTOP": "GNOME",
    "LANG": "C.UTF-8",
    "GTK_A11Y": "atspi",
    "LIBGL_ALWAYS_SOFTWARE": "1",
}


class Session:
    """The running session. ``home`` is the user's home as seen from outside."""

    def __init__(self, pid: int, work: Path) -> None:
        self.pid = pid
        self.home = work / "home"
        self.log = work / "log"

    def command(self, *words: str | Path, root: bool = False) -> list[str]:
        """The words that run a program in the session."""
        enter = f"nsenter --target={self.pid} -m -p -n -u -i --wd=/ --".split()
        ids = f"setpriv --reuid={ORDINARY_USER} --regid={ORDINARY_USER} --clear-groups".split()
        variables = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
        return [*enter, *([] if root else ids), "env", "-i", *variables, *map(str, words)]

    def run(self, *words: str | Path, root: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run a program in the session to its end, as its user or as root."""
        return subprocess.run(
            self.command(*words, root=root),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def says(self, *words: str | Path, root: bool = False) -> str:
        """What a program that has to succeed prints."""
        done = self.run(*words, root=root)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}{self.said()}"
        return done.stdout

    def start(self, *words: str | Path, log: Path | None = None) -> "subprocess.Popen[bytes]":
        """Start a program that stays; what it says goes into ``log``, or else the session's."""
        with (log or self.log).open("ab") as said:
            return subprocess.Popen(
                self.command(*words), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    def use_file_manager(self, name: str) -> None:
        """What opens folders from now on, by the name of its .desktop file."""
        self.says("gio", "mime", "inode/directory", f"{name}.desktop")

    def outside(self, path: Path) -> Path:
        """Where ``path`` of the session is seen from here."""
        return Path(f"/proc/{self.pid}/root", path.relative_to("/"))

    def mounts(self) -> list[str]:
        """The mount points of isomount's in the session, without touching any."""
        lines = Path(f"/proc/{self.pid}/mountinfo").read_text().splitlines()
        ours = [line.split(" ")[4] for line in lines if " - fuse.isomount " in line]
        return [place.replace("\\040", " ") for place in ours]

    def is_running(self, pid: int) -> bool:
        """Whether the process with that number in the session is there."""
        return self.outside(Path(f"/proc/{pid}")).exists()

    def said(self) -> str:
        """The end of what all programs in the session have said."""
        return f"\nthe session's log:\n{self.log.read_text(errors='replace')[-5000:]}"


@contextmanager
def session() -> Iterator[Session]:
    """A session; in the end every program and every mount of it is gone."""
    work = Path(tempfile.mkdtemp(prefix=f"isomount-desktop-{os.getpid()}-", dir="/tmp"))
    work.chmod(0o755)
    process = None
    try:
        _prepare(work)
        process = _start(work)
        running = Session(_first_process(process, work), work)
        _await_ready(process, running)
        yield running
    finally:
        if process is not None:
            process.kill()  # and by --kill-child the session's process 1, and so all the others
            process.wait(PATIENCE)
        shutil.rmtree(work)


def _prepare(work: Path) -> None:
    """The user's home, and the command for everyone."""
    home = work / "home"
    home.mkdir()
    os.chown(home, ORDINARY_USER, ORDINARY_USER)
    command = work / "isomount"
    command.write_text(f'#!/bin/sh\nexec {public.python()} -m isomount "$@"\n')
    command.chmod(0o755)


def _start(work: Path) -> "subprocess.Popen[bytes]":
    with (work / "log").open("wb") as log:
        return subprocess.Popen(
            [
                # Also when the tests are killed, it ends.
                *("setpriv", "--pdeathsig=KILL"),
                *("unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL"),
                *("--uts", "--ipc", "--net", "--mount-proc"),
                *("sh", str(_SCRIPT), str(work)),
            ],
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "OUTER_MOUNT_NAMESPACE": os.readlink("/proc/self/ns/mnt"),
                "SHOW_ISOMOUNT": public.SHOW,
                "USER": USER,
                "USER_ID": str(ORDINARY_USER),
                "SESSION": " ".join(f"{name}={value}" for name, value in _ENVIRONMENT.items()),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _first_process(process: "subprocess.Popen[bytes]", work: Path) -> int:
    """The session's process 1, by the number that it has out here."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

    def started() -> bool:
        assert process.poll() is None, (work / "log").read_text()
        return bool(children.read_text())

    wait_until("the session is started", started)
    return int(children.read_text().split()[0])


def _await_ready(process: "subprocess.Popen[bytes]", running: Session) -> None:
    ready = running.outside(Path("/run/ready"))
    try:
        wait_until("the session is ready", lambda: ready.exists() or process.poll() is not None)
        assert process.poll() is None
    except AssertionError as error:
        raise AssertionError(f"{error}{running.said()}") from None
