"""The options that decide how an image is presented, named as the Linux kernel's mount options."""

import enum
from dataclasses import dataclass
from typing import NamedTuple

_NOBODY = 65534
_NO_ID = 0xFFFFFFFF


class Map(enum.Enum):
    """``map=``: how ISO 9660 names are shown."""

    NORMAL = "normal"
    OFF = "off"
    ACORN = "acorn"


class Family(enum.Enum):
    """``view=``: the family of volume structures to show."""

    AUTO = "auto"
    ISO9660 = "iso9660"
    UDF = "udf"


class Check(enum.Enum):
    """``check=``: whether a lookup ignores case, or that checksums of sectors are verified."""

    RELAXED = "relaxed"
    STRICT = "strict"
    EDC = "edc"


class Mapped(NamedTuple):
    """The user or group numbers that exist in this user namespace, and what others are shown as."""

    ranges: tuple[range, ...]
    otherwise: int

    def shown(self, number: int) -> int:
        """The number to show."""
        return number if any(number in each for each in self.ranges) else self.otherwise


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """The options that affect the presentation of an image. None means: as recorded on the disc.

    ``uids`` and ``gids`` are the numbers that owners and groups may have; without, all.
    ``offset`` is the byte of the file at which the image begins, ``partition`` the number of the
    partition that is the image; with neither, the image is looked for.
    ``session`` counts from 1; -1 is the last one. ``sbsector`` is the 2048-byte sector at which the
    session starts (its descriptors are 16 further on). ``charset`` is what ISO 9660 and Rock Ridge
    names are stored in, to be shown as UTF-8; names stored as Unicode (Joliet, UDF) are shown in
    it. ``undelete``, ``bs``, ``anchor``,
    ``lastblock`` and ``novrs`` are UDF's.
    """

    view: Family = Family.AUTO
    norock: bool = False
    nojoliet: bool = False
    map: Map = Map.NORMAL
    check: Check | None = None
    hide: bool = False
    showassoc: bool = False
    unhide: bool = False
    undelete: bool = False
    cruft: bool = False
    nocompress: bool = False
    uid: int | None = None
    gid: int | None = None
    uids: Mapped | None = None
    gids: Mapped | None = None
    mode: int | None = None
    dmode: int | None = None
    umask: int = 0
    overriderockperm: bool = False
    charset: str = "utf-8"
    offset: int | None = None
    partition: int | None = None
    session: int | None = None
    sbsector: int | None = None
    bs: int | None = None
    anchor: int | None = None
    lastblock: int | None = None
    novrs: bool = False

    @property
    def relaxed(self) -> bool | None:
        """Whether upper and lower case count as equal in a lookup; None leaves it to the view."""
        return None if self.check in (None, Check.EDC) else self.check is Check.RELAXED

    def owner(self, recorded: int) -> int:
        """The user that a file of the user ``recorded`` is shown as."""
        return _shown(recorded, self.uid, self.uids)

    def group(self, recorded: int) -> int:
        """The group that a file of the group ``recorded`` is shown as."""
        return _shown(recorded, self.gid, self.gids)


def _shown(recorded: int, chosen: int | None, known: Mapped | None) -> int:
    if chosen is not None:
        return chosen
    number = _NOBODY if recorded == _NO_ID else recorded
    return number if known is None else known.shown(number)
