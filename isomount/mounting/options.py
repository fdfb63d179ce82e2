"""Options of the mount itself."""

from dataclasses import dataclass

SUBTYPE = "isomount"


@dataclass(frozen=True, slots=True)
class FuseOptions:
    """Mount options for the kernel and libfuse.

    Read-only, nosuid, nodev and default_permissions are always set, so are not among them.
    ``fsname`` is the source in the mount table; None means the image's absolute path.
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
