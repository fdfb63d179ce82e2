"""What a mount was asked to be: made from the command line, carried out by the daemon."""

from dataclasses import dataclass, field

from isomount.formats.options import ViewOptions

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


@dataclass(frozen=True, slots=True)
class MountRequest:
    """One call of the command that mounts. ``image``, ``mountpoint`` and ``log`` are absolute.

    ``idle`` is after how many minutes without use the mount ends; None is never.
    """

    image: str
    mountpoint: str
    view: ViewOptions = field(default_factory=ViewOptions)
    fuse: FuseOptions = field(default_factory=FuseOptions)
    nonempty: bool = False
    foreground: bool = False
    debug: bool = False
    log: str | None = None
    xattr: bool = False
    idle: float | None = None
