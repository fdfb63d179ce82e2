"""The options that decide how an image is presented, named as the Linux kernel's mount options."""

import enum
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """The options that affect the presentation of an image. None means: as recorded on the disc.

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
    relaxed: bool | None = None
    hide: bool = False
    showassoc: bool = False
    unhide: bool = False
    undelete: bool = False
    cruft: bool = False
    nocompress: bool = False
    uid: int | None = None
    gid: int | None = None
    mode: int | None = None
    dmode: int | None = None
    umask: int = 0
    overriderockperm: bool = False
    charset: str = "utf-8"
    session: int | None = None
    sbsector: int | None = None
    bs: int | None = None
    anchor: int | None = None
    lastblock: int | None = None
    novrs: bool = False
