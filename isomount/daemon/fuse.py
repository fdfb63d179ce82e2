"""Whether FUSE can be used here, and how a mount is told to libfuse."""

import errno
import os
import sys

from isomount.daemon.detach import find_program
from isomount.daemon.request import FuseOptions
from isomount.errors import FuseUnavailableError

_DEVICE = "/dev/fuse"
_CONFIGURATION = "/etc/fuse.conf"

# What every mount is, whatever was asked for.
_ALWAYS = ("ro", "nosuid", "nodev", "default_permissions")
_FLAGS = ("allow_other", "allow_root", "auto_unmount", "noatime", "noexec")


class _Encoded(str):
    """An option for pyfuse3, which encodes options as ASCII: paths can be any bytes."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """The bytes that the path has on disk, whatever encoding is asked for."""
        return super().encode(sys.getfilesystemencoding(), "surrogateescape")


def require_fuse(options: FuseOptions) -> None:
    """Check what can be checked before mounting.

    Raises FuseUnavailableError with the reason and the remedy.
    """
    _require_device()
    needs_helper = os.geteuid() != 0 or options.auto_unmount
    if needs_helper and find_program("fusermount3") is None:
        raise FuseUnavailableError(
            "FUSE is not available: fusermount3 is missing; install the package fuse3"
        )
    if os.geteuid() == 0:
        return
    for name in ("allow_other", "allow_root"):
        if getattr(options, name) and not _users_may_allow_other():
            raise FuseUnavailableError(
                f"option {name} is not permitted for ordinary users here; "
                f'root can permit it with the line "user_allow_other" in {_CONFIGURATION}'
            )
    if options.nosymfollow:
        raise FuseUnavailableError(
            "option nosymfollow is only permitted for root: fusermount3 does not know it"
        )


def libfuse_options(options: FuseOptions, image: str) -> set[str]:
    """The options that pyfuse3.init takes for a mount of ``image``."""
    words = {*_ALWAYS, f"fsname={_quoted(options.fsname or image)}"}
    words.add(f"subtype={_quoted(options.subtype)}")
    words.update(name for name in _FLAGS if getattr(options, name))
    if options.max_read is not None:
        words.add(f"max_read={options.max_read}")
    return {_Encoded(word) for word in words}


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,")


def _require_device() -> None:
    try:
        os.close(os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        raise FuseUnavailableError(f"FUSE is not available: {_device_reason(error)}") from error


def _device_reason(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return (
            f"{_DEVICE} is missing; load the kernel's module with: modprobe fuse (as root; "
            "a container has to be started with that device)"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{_DEVICE} may not be opened by you; root can permit it with: chmod 666 {_DEVICE}"
    if error.errno in (errno.ENODEV, errno.ENXIO):
        return f"the kernel behind {_DEVICE} has no FUSE; load it with: modprobe fuse (as root)"
    return f"{_DEVICE} cannot be opened: {error.strerror}"


def _users_may_allow_other() -> bool:
    try:
        with open(_CONFIGURATION, encoding="utf-8", errors="replace") as lines:
            return any(line.strip() == "user_allow_other" for line in lines)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # unreadable for us, not for fusermount3: it will tell
