"""A real systemd, booted beside the machine's own world: systemd_guest.sh says how that is safe."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.command import ORDINARY_USER, PATIENCE, wait_until

SCRIPT = Path(__file__).with_name("systemd_guest.sh")
SYSTEMD = Path("/lib/systemd/systemd")

# Targets that units refer to by default; here they are empty, so nothing of a machine's boot runs.
_TARGETS = """
    basic default local-fs-pre local-fs multi-user remote-fs-pre remote-fs shutdown sysinit umount
"""
_TARGET = "[Unit]\nDescription={name}\nDefaultDependencies=no\n"

# A user's manager, as user@.service starts it at login.
_USER_MANAGER = f"""[Unit]
DefaultDependencies=no
[Service]
Type=notify
User={ORDINARY_USER}
Group={ORDINARY_USER}
Delegate=yes
RuntimeDirectory=user
RuntimeDirectoryMode=0700
Environment=XDG_RUNTIME_DIR=/run/user HOME=/run/user
Environment=SYSTEMD_UNIT_PATH=/run/units/user:/usr/local/lib/systemd/user
ExecStart={SYSTEMD} --user --log-target=console --unit=default.target
"""

# udev with no rules but those that were installed. It is told of new devices wherever it runs; here
# it has its own /dev, and sysfs, which is the machine's, for as little as those rules ask of it.
_UDEV = """[Unit]
DefaultDependencies=no
[Service]
Type=notify
NotifyAccess=all
ExecStart=unshare --mount --propagation slave sh -c \\
    'mount -o remount,bind,rw /sys && mount -t tmpfs none /usr/lib/udev/rules.d && \\
    exec /lib/systemd/systemd-udevd'
"""


class Guest:
    """The running guest. ``log`` has what its systemd says."""

    def __init__(self, pid: int, log: Path) -> None:
        self._pid = pid
        self.log = log

    def run(self, *words: str, user: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run a program in the guest to its end, as the ordinary user if ``user``."""
        enter = ["nsenter", f"--target={self._pid}", "-m", "-p", "-n", "-u", "-i", "-C", "--"]
        ids = f"--reuid={ORDINARY_USER} --regid={ORDINARY_USER} --clear-groups".split()
        return subprocess.run(
            [*enter, *(["setpriv", *ids] if user else []), *words],
            env={
                "PATH": "/usr/local/bin:/usr/sbin:/usr/bin",
                "XDG_RUNTIME_DIR": "/run/user",
                "SYSTEMD_UNIT_PATH": "/run/units:/usr/local/lib/systemd/system",
                "LC_ALL": "C.UTF-8",
            },
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def systemctl(self, *words: str, user: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run ``systemctl`` in the guest; for the user's manager if ``user``."""
        return self.run("systemctl", *(["--user"] if user else []), *words, user=user)

    def shows(self, unit: str, name: str, *, user: bool = False) -> str:
        """The property ``name`` of ``unit``."""
        return self.systemctl("show", f"--property={name}", "--value", unit, user=user).stdout[:-1]


@contextlib.contextmanager
def booted(work: Path, destination: Path) -> Iterator[Guest]:
    """A guest with what is in ``destination`` installed; nothing of it is left in the end."""
    _write_units(work / "units")
    (work / "etc").mkdir(exist_ok=True)
    group = _cgroup_root() / f"isomount-test-{os.getpid()}"
    group.mkdir()
    log = work / "console"
    process = None
    try:
        with log.open("wb") as console:
            process = subprocess.Popen(
                [
                    *("sh", "-c", 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"', "sh"),
                    str(group),
                    # Also when the tests are killed, it ends.
                    *("setpriv", "--pdeathsig=KILL"),
                    *("unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--cgroup"),
                    *("--uts", "--ipc", "--net", "--mount-proc"),
                    *("sh", str(SCRIPT), str(work), str(destination)),
                ],
                env={**os.environ, "OUTER_MOUNT_NAMESPACE": os.readlink("/proc/self/ns/mnt")},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        guest = Guest(_first_process(process, log), log)
        wait_until("systemd has booted", lambda: _is_up(guest, process))
        yield guest
    finally:
        if process is not None:
            process.kill()  # and by --kill-child the guest's process 1, and so all the others
            process.wait(PATIENCE)
        wait_until("the guest is gone", lambda: _remove(group))


def _is_up(guest: Guest, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, guest.log.read_text(errors="replace")
    return guest.systemctl("is-system-running").stdout.strip() in ("running", "degraded")


def _first_process(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """The guest's process 1, by the number that it has out here."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    prepared = log.parent / "prepared"

    def started() -> bool:
        assert process.poll() is None, log.read_text(errors="replace")
        return prepared.exists()

    wait_until("the guest is prepared", started)
    return int(children.read_text().split()[0])


def _write_units(folder: Path) -> None:
    for place in (folder, folder / "user"):
        place.mkdir(parents=True, exist_ok=True)
        for name in _TARGETS.split():
            (place / f"{name}.target").write_text(_TARGET.format(name=name))
    (folder / "udev.service").write_text(_UDEV)
    (folder / "user-manager.service").write_text(_USER_MANAGER)


def _cgroup_root() -> Path:
    """Where the control groups of version 2 are."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if "cgroup2" in fields[6:]:
            return Path(fields[4])
    raise AssertionError("no control groups of version 2: systemd's guest cannot be tried")


def _remove(group: Path) -> bool:
    """Remove the group with those in it, the inner ones first; whether they are gone."""
    for place, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):  # a process is still ending in it
            os.rmdir(place)
    return not group.exists()
