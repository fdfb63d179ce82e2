"""The kernel's readahead for a mount, which root can raise from the default of 128 KiB."""

import logging
import os

_log = logging.getLogger("isomount.daemon")

# Three times the throughput of 128 KiB. More gains little and slows random reads.
DEFAULT_KIB = 1024


def raise_readahead(mountpoint: str, wanted_kib: int | None) -> None:
    """Set the readahead of the mount on ``mountpoint``, in KiB.

    None means the default, which only root can set. If a given value cannot be set, a warning is
    logged.
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
