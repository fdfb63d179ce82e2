"""Mounting: getting a descriptor of /dev/fuse that receives the requests of a mount.

libfuse could mount as well, but not with every option (max_read= needs a hook that pyfuse3 lacks,
and it does not know nosymfollow), and it prints errors instead of returning them. It takes an open
descriptor as the mount point "/dev/fd/N".
"""

import ctypes
import os
import socket
import subprocess

from isomount.errors import FuseUnavailableError, MountPointError
from isomount.mounting.options import FuseOptions
from isomount.mounting.shut_out import advice
from isomount.programs import find_program

DEVICE = "/dev/fuse"

# mount(2), <linux/mount.h>.
_MS_RDONLY = 1
_MS_NOSUID = 2
_MS_NODEV = 4
_MS_NOEXEC = 8
_MS_NOSYMFOLLOW = 256
_MS_NOATIME = 1024

# fusermount3 processes for auto_unmount. They end after this process, so are not waited for.
_watchers: list["subprocess.Popen[bytes]"] = []


def needs_helper(options: FuseOptions) -> bool:
    """Whether fusermount3 has to mount: for ordinary users, and for auto_unmount."""
    return os.geteuid() != 0 or options.auto_unmount


def mount(path: str, image: str, options: FuseOptions) -> int:
    """Mount on ``path`` and return the descriptor. Requests are queued until it is read.

    Always read-only, nosuid, nodev and default_permissions. Raises
    FuseUnavailableError or MountPointError with the kernel's or fusermount3's reason.
    """
    if needs_helper(options):
        return _mount_by_helper(path, image, options)
    return _mount_by_kernel(path, image, options)


def _kernel_options(options: FuseOptions) -> list[str]:
    words = ["default_permissions"]
    # The kernel only knows allow_other; for allow_root libfuse rejects other users itself.
    if options.allow_other or options.allow_root:
        words.append("allow_other")
    if options.max_read is not None:
        words.append(f"max_read={options.max_read}")
    return words


def _mount_by_kernel(path: str, image: str, options: FuseOptions) -> int:
    device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV
    flags |= _MS_NOEXEC if options.noexec else 0
    flags |= _MS_NOATIME if options.noatime else 0
    flags |= _MS_NOSYMFOLLOW if options.nosymfollow else 0
    # "rootmode" is the file type of the root in octal: a directory.
    identity = [
        f"fd={device}",
        "rootmode=40000",
        f"user_id={os.getuid()}",
        f"group_id={os.getgid()}",
    ]
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.mount(
        os.fsencode(options.fsname or image),
        os.fsencode(path),
        os.fsencode(f"fuse.{options.subtype}"),
        ctypes.c_ulong(flags),
        ",".join(identity + _kernel_options(options)).encode(),
    )
    if result != 0:
        os.close(device)
        reason = os.strerror(ctypes.get_errno())
        raise FuseUnavailableError(f"{path}: the kernel refuses to mount on it: {reason}")
    return device


def _mount_by_helper(path: str, image: str, options: FuseOptions) -> int:
    """Have fusermount3 mount and send the descriptor over the socket in _FUSE_COMMFD."""
    words = ["ro", "nosuid", "nodev", *_kernel_options(options)]
    words += [name for name in ("noexec", "noatime", "auto_unmount") if getattr(options, name)]
    words += [f"fsname={_quoted(options.fsname or image)}", f"subtype={_quoted(options.subtype)}"]
    ours, theirs = socket.socketpair()
    with ours, theirs, open(os.memfd_create("errors"), "w+b") as errors:
        helper = subprocess.Popen(
            [find_program("fusermount3") or "fusermount3", "-o", ",".join(words), "--", path],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "LC_ALL": "C", "_FUSE_COMMFD": str(theirs.fileno())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        theirs.close()
        _, devices, _, _ = socket.recv_fds(ours, 1, 1, socket.MSG_CMSG_CLOEXEC)
        if devices and options.auto_unmount:
            ours.detach()  # left open: fusermount3 unmounts when it is closed
            _watchers.append(helper)
            return devices[0]
        code = helper.wait()
        if devices:
            return devices[0]
        errors.seek(0)
        said = errors.read().decode(errors="backslashreplace").strip().splitlines()
    reason = said[-1].rpartition("fusermount3: ")[2] if said else f"fusermount3 ended with {code}"
    raise _refusal(path, reason)


def _refusal(path: str, reason: str) -> FuseUnavailableError | MountPointError:
    is_the_place = "mountpoint" in reason or "mounting over" in reason
    kind = MountPointError if is_the_place else FuseUnavailableError
    more = advice(path) if "Permission denied" in reason else ""
    return kind(f"{path}: fusermount3 refuses to mount on it: {reason}{more}")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,")
