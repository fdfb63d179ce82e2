"""The mount table, from /proc/self/mountinfo: file systems that might hang are not accessed."""

import os
import re
from typing import NamedTuple

from isomount.containers.paths import is_same
from isomount.mounting.options import SUBTYPE

_KIND = f"fuse.{SUBTYPE}"
_OWNER = re.compile(r"(?:^|,)user_id=(\d+)")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """A line of mountinfo: ``path`` is the mount point, ``kind`` the file system type.

    ``options`` are those of the file system, such as user_id; ``number`` is the mount's id.
    """

    path: str
    kind: str
    source: str
    device: str
    options: str = ""
    number: int = 0

    @property
    def owner(self) -> int | None:
        """The user who mounted it; None if it is not a FUSE mount."""
        found = _OWNER.search(self.options)
        return int(found[1]) if found else None

    @property
    def is_isomount(self) -> bool:
        """Whether it was mounted by isomount."""
        return self.kind == _KIND

    @property
    def may_be_covered(self) -> bool:
        """Whether this is an automount (autofs), which another mount is to cover."""
        return self.kind == "autofs"


def all_mounts() -> list[Mount]:
    """Every mount that this process sees, in order: the last one at a path is the topmost."""
    with open("/proc/self/mountinfo", "rb") as table:
        return [parse_line(line) for line in table.read().split(b"\n") if line]


def mount_at(path: str) -> Mount | None:
    """The topmost mount on ``path``, which is absolute and without links."""
    return next((each for each in reversed(all_mounts()) if each.path == path), None)


def mount_around(path: str) -> Mount | None:
    """The topmost mount that the absolute ``path`` lies in, or is. It is not accessed."""
    around = [each for each in all_mounts() if f"{path}/".startswith(each.path.rstrip("/") + "/")]
    return max(reversed(around), key=lambda each: len(each.path), default=None)


def parse_line(line: bytes) -> Mount:
    """Parse one line (proc(5)), in which blanks and backslashes are octal escapes."""
    fields = line.split(b" ")
    dash = fields.index(b"-", 6)  # ends the optional fields
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
    return is_same(mount.source, image)


def _text(field: bytes) -> str:
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), field))
