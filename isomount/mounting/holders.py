"""Which processes keep a mount busy, from /proc: accessing the mount itself might hang."""

import os
from typing import NamedTuple

from isomount.mounting.mounts import Mount, all_mounts

_PROC = "/proc"
# Links in /proc/PID to files that a process uses (proc(5)).
_LINKS = ("cwd", "root", "exe")
_NAMED_AT_MOST = 5


class Holder(NamedTuple):
    """A process: its pid and name."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})"


def holders(mount: Mount) -> list[Holder]:
    """The processes that use ``mount``: open or mapped files, working directory, executable.

    Other users' processes are only seen by root.
    """
    pids = sorted(int(name) for name in os.listdir(_PROC) if name.isdigit())
    return [Holder(pid, _name(pid)) for pid in pids if pid != os.getpid() and _holds(pid, mount)]


def mounts_within(mount: Mount) -> list[str]:
    """The mount points below ``mount``, which keep it busy as well."""
    prefix = mount.path.rstrip("/") + "/"
    return [each.path for each in all_mounts() if each.path.startswith(prefix)]


def loop_devices(mount: Mount) -> list[str]:
    """The loop devices whose backing file lies in ``mount``."""
    found: list[str] = []
    for name in _listed("/sys/block"):
        try:
            with open(f"/sys/block/{name}/loop/backing_file", "rb") as file:
                backing = os.fsdecode(file.read().rstrip(b"\n"))
        except OSError:
            continue  # not a loop device, or not in use
        if _is_within(backing, mount.path):
            found.append(f"/dev/{name}")
    return found


def who_holds(mount: Mount) -> str:
    """The holders as part of a sentence; "" if none can be seen."""
    names = [str(each) for each in holders(mount)]
    names += [f"the mount on {path}" for path in mounts_within(mount)]
    names += [f"the loop device {path}" for path in loop_devices(mount)]
    more = len(names) - _NAMED_AT_MOST
    if more > 0:
        names[_NAMED_AT_MOST:] = [f"{more} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _holds(pid: int, mount: Mount) -> bool:
    directory = f"{_PROC}/{pid}"
    if any(_is_within(_target(f"{directory}/{name}"), mount.path) for name in _LINKS):
        return True
    descriptors = _listed(f"{directory}/fdinfo")
    return any(_is_on(f"{directory}/fdinfo/{each}", mount) for each in descriptors) or _maps(
        directory, mount
    )


def _is_on(description: str, mount: Mount) -> bool:
    """Whether an open file belongs to the mount; its path could be in one mounted below."""
    try:
        with open(description, "rb") as lines:
            return any(line.split() == [b"mnt_id:", b"%d" % mount.number] for line in lines)
    except OSError:
        return False  # closed in the meantime


def _maps(directory: str, mount: Mount) -> bool:
    """Whether a file of the mount is mapped; the fourth field of maps is the device."""
    major, _, minor = mount.device.partition(":")
    device = f"{int(major):02x}:{int(minor):02x}".encode()
    try:
        with open(f"{directory}/maps", "rb") as lines:
            return any(line.split(maxsplit=4)[3] == device for line in lines)
    except (OSError, IndexError):
        return False  # ended, or another user's


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _is_within(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")


def _listed(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        with open(f"{_PROC}/{pid}/comm", "rb") as file:
            return os.fsdecode(file.read().rstrip(b"\n"))
    except OSError:
        return "a process"
