"""What the kernel is asked for when something is mounted."""

from dataclasses import dataclass

SUBTYPE = "isomount"


@dataclass(frozen=True, slots=True)
class FuseOptions:
    """What the kernel and libfuse are told about the mount.

    Read-only, nosuid, nodev and default_permissions are not here: every mount is that.
    ``fsname`` is the first column of the mount table; None is the image's absolute path.
    ``max_read`` is in bytes, ``readahead`` in KiB.
    """

    allow_other: bool = False
    allow_root: bool = False
    auto_unmount: bool = False
    noatime: bool = False
    noexec: bool = False
    nosymfollow: bool = False
    max_read: int | None = None
    readahead: int | None = None
    fsname: str | None = None
    subtype: str = SUBTYPE
