"""The parameters of a mount, from the command line to the daemon."""

from dataclasses import dataclass, field

from isomount.formats.options import ViewOptions
from isomount.mounting.options import FuseOptions
from isomount.sources import USUAL, Keeping


@dataclass(frozen=True, slots=True)
class MountRequest:
    """The parameters of one mount. ``image``, ``mountpoint`` and ``log`` are absolute paths.

    ``idle`` is the number of minutes without use after which the mount ends; None means never.
    With ``lane``, frequent requests are answered without pyfuse3. ``keeping`` is what is kept on
    the disk of an image that is far away.
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
    keeping: Keeping = USUAL
