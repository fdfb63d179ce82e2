"""What a mount was asked to be: made from the command line, carried out by the daemon."""

from dataclasses import dataclass, field

from isomount.formats.options import ViewOptions
from isomount.mounting.options import FuseOptions


@dataclass(frozen=True, slots=True)
class MountRequest:
    """One call of the command that mounts. ``image``, ``mountpoint`` and ``log`` are absolute.

    ``idle`` is after how many minutes without use the mount ends; None is never. With ``lane`` the
    frequent requests are answered without pyfuse3.
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
    lane: bool = True
