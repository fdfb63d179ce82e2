"""How far ahead the kernel reads a mounted file: root may raise it from its 128 KiB."""

import logging
import os

_log = logging.getLogger("isomount.daemon")

# Three times the throughput of the kernel's own 128 KiB; more gains little and wastes random reads.
DEFAULT_KIB = 1024


def raise_readahead(mountpoint: str, wanted_kib: int | None) -> None:
    """Set the readahead of the mount on ``mountpoint``, in KiB.

    None asks for the default where this process may set it. What was asked for by name and cannot
    be set is a warning; the mount works all the same.
    """
    if wanted_kib is None and os.geteuid() != 0:
        return
    kib = DEFAULT_KIB if wanted_kib is None else wanted_kib
    try:
        number = os.stat(mountpoint).st_dev
        place = f"/sys/class/bdi/{os.major(number)}:{os.minor(number)}/read_ahead_kb"
        with open(place, "w", encoding="ascii") as setting:
            setting.write(str(kib))
    except OSError as error:
        if wanted_kib is not None:
            _log.warning(
                "%s: readahead=%d cannot be set: %s; only root can, or the udev rule that "
                "make install offers",
                mountpoint,
                kib,
                error.strerror,
            )
