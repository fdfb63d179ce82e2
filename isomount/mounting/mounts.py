"""What is mounted where, by /proc/self/mountinfo: no file system is touched, none can hang."""

import os
import re
from typing import NamedTuple

from isomount.mounting.options import SUBTYPE

_KIND = f"fuse.{SUBTYPE}"
_OWNER = re.compile(r"(?:^|,)user_id=(\d+)")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """One line of mountinfo: ``path`` is the mount point, ``kind`` the file system's type.

    ``options`` are the file system's own, such as FUSE's user_id; ``number`` is the mount's.
    """

    path: str
    kind: str
    source: str
    device: str
    options: str = ""
    number: int = 0

    @property
    def owner(self) -> int | None:
        """The user who made this FUSE mount; None when it is none."""
        found = _OWNER.search(self.options)
        return int(found[1]) if found else None

    @property
    def is_isomount(self) -> bool:
        """Whether isomount made it."""
        return self.kind == _KIND

    @property
    def may_be_covered(self) -> bool:
        """Whether this mount only waits for another on top of it (systemd's automount)."""
        return self.kind == "autofs"


def all_mounts() -> list[Mount]:
    """Every mount that this process sees, the topmost of those at one place last."""
    with open("/proc/self/mountinfo", "rb") as table:
        return [parse_line(line) for line in table.read().split(b"\n") if line]


def mount_at(path: str) -> Mount | None:
    """The topmost mount whose mount point is ``path``, an absolute path without links."""
    return next((each for each in reversed(all_mounts()) if each.path == path), None)


def parse_line(line: bytes) -> Mount:
    """Read one line, described in proc(5); blanks and the like in it are escaped as octal."""
    fields = line.split(b" ")
    dash = fields.index(b"-", 6)  # after any number of optional fields
    return Mount(
        path=_text(fields[4]),
        kind=_text(fields[dash + 1]),
        source=_text(fields[dash + 2]),
        device=_text(fields[2]),
        options=_text(fields[dash + 3]) if len(fields) > dash + 3 else "",
        number=int(fields[0]),
    )


def is_same_image(mount: Mount, image: str) -> bool:
    """Whether ``mount`` shows the image at the absolute path ``image``."""
    if mount.source == image:
        return True
    try:
        return os.path.samefile(mount.source, image)
    except OSError:
        return False  # one of them is gone: then they are not known to be the same


def _text(field: bytes) -> str:
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), field))
