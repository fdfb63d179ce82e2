"""Checks whether FUSE is available, with a remedy for each reason why not."""

import errno
import importlib.util
import os

from isomount.errors import FuseUnavailableError
from isomount.mounting.device import DEVICE, needs_helper
from isomount.mounting.options import FuseOptions
from isomount.programs import find_program

_CONFIGURATION = "/etc/fuse.conf"
# What the daemon imports, and the library does not: neither has to be there to read an image.
_PACKAGES = ("pyfuse3", "trio")


def require_fuse(options: FuseOptions) -> None:
    """Check what can be checked before mounting.

    Raises FuseUnavailableError with the reason and the remedy.
    """
    _require_packages()
    _require_device()
    if needs_helper(options) and find_program("fusermount3") is None:
        raise FuseUnavailableError(
            "FUSE is not available: fusermount3 is missing; install the package fuse3"
        )
    if needs_helper(options) and options.nosymfollow:
        raise FuseUnavailableError(
            "option nosymfollow is only for root and not with auto_unmount: "
            "fusermount3 does not know it"
        )
    if os.geteuid() == 0:
        return
    for name in ("allow_other", "allow_root"):
        if getattr(options, name) and not _users_may_allow_other():
            raise FuseUnavailableError(
                f"option {name} is not permitted for ordinary users here; "
                f'root can permit it with the line "user_allow_other" in {_CONFIGURATION}'
            )


def _require_packages() -> None:
    """They are looked for, not imported: trio must not be there before a fork."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise FuseUnavailableError(
            f"FUSE is not available: Python has no {' and no '.join(missing)}; get what mounting "
            "needs with: pip install isomount (which needs a C compiler, pkg-config and libfuse3's "
            "development files), or install your distribution's packages, such as "
            f"{' and '.join(f'python3-{name}' for name in missing)}"
        )


def _require_device() -> None:
    try:
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        raise FuseUnavailableError(f"FUSE is not available: {_device_reason(error)}") from error


def _device_reason(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return (
            f"{DEVICE} is missing; load the kernel's module with: modprobe fuse (as root; "
            "a container has to be started with that device)"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{DEVICE} may not be opened by you; root can permit it with: chmod 666 {DEVICE}"
    if error.errno in (errno.ENODEV, errno.ENXIO):
        return f"the kernel behind {DEVICE} has no FUSE; load it with: modprobe fuse (as root)"
    return f"{DEVICE} cannot be opened: {error.strerror}"


def _users_may_allow_other() -> bool:
    try:
        with open(_CONFIGURATION, encoding="utf-8", errors="replace") as lines:
            return any(line.strip() == "user_allow_other" for line in lines)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # unreadable for this user; fusermount3 will check it
