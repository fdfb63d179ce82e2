"""The table of ``-o`` options, from which the parser and all documentation are made.

Names and meanings are those of Linux's isofs and udf drivers, of libfuse and of mount(8), so that
an fstab line keeps working.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from isomount import values
from isomount.options import VIEW_OPTIONS


class Target(enum.Enum):
    """The part of the request that an option belongs to, with its heading in the help."""

    VIEW = "What is shown"
    FUSE = "The mount"
    MOUNT = "isomount's own"
    TABLE = "Accepted, without effect"


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    ``field`` is the field of the request's part that it sets, or "". ``parse`` converts the value;
    without it the option takes no value and sets ``sets``. ``value`` describes valid values.
    """

    name: str
    target: Target
    help: str
    field: str = ""
    parse: Callable[[str], object] | None = None
    value: str = ""
    sets: object = True

    @property
    def usage(self) -> str:
        """The option as it is written on the command line."""
        return f"{self.name}={self.value}" if self.parse else self.name


def _view(name: str, help_: str, value: str = "") -> Option:
    shown = VIEW_OPTIONS[name]
    return Option(name, Target.VIEW, help_, shown.field, shown.parse, value, shown.sets)


def _fuse(name: str, help_: str, field: str = "", *, sets: object = True) -> Option:
    return Option(name, Target.FUSE, help_, field or name, sets=sets)


_VIEW = (
    _view("view", "the family of structures to show", "auto|iso9660|udf"),
    _view("norock", "do not use the Rock Ridge names and owners"),
    _view("nojoliet", "do not use the Joliet names"),
    _view("map", "how plain ISO names are shown", "normal|off|acorn"),
    _view(
        "check",
        "whether upper and lower case are equal when a file is asked for; "
        "edc: verify the checksum of every CD sector that is read",
        "relaxed|strict|edc",
    ),
    _view("iocharset", "character set in which names are stored (Unicode: shown)", "NAME"),
    _view("utf8", "the same as iocharset=utf8"),
    _view("hide", "do not show what is marked hidden"),
    _view("unhide", "show hidden and associated files"),
    _view("showassoc", "show associated files"),
    _view("undelete", "show deleted files (UDF)"),
    _view("cruft", "ignore the high byte of file sizes"),
    _view("nocompress", "show zisofs files as they are stored"),
    _view("uid", "owner of every file: a number or a name", "USER"),
    _view("gid", "group of every file: a number or a name", "GROUP"),
    _view("mode", "permissions of files", "OCTAL"),
    _view("dmode", "permissions of folders", "OCTAL"),
    _view("umask", "permissions to take away", "OCTAL"),
    _view("overriderockperm", "let mode= and dmode= override Rock Ridge's permissions"),
    _view("offset", "byte of the file at which the image begins (else found)", "BYTES"),
    _view("partition", "number of the partition that is the image (else found)", "N"),
    _view("session", "session to show, counted from 1; the newest whole one without it", "N|last"),
    _view("sbsector", "sector at which the session starts", "N"),
    _view("bs", "sector size (UDF; else found)", "BYTES"),
    _view("anchor", "sector of the anchor (UDF; else found)", "N"),
    _view("lastblock", "last sector of the volume (UDF; else found)", "N"),
    _view("novrs", "do without the volume recognition sequence (UDF)"),
)

_FUSE = (
    _fuse("allow_other", "let every user in (ordinary users: see /etc/fuse.conf)"),
    _fuse("allow_root", "let root in as well"),
    Option("default_permissions", Target.FUSE, "let the kernel check permissions (always so)"),
    _fuse("auto_unmount", "unmount when the daemon dies"),
    Option(
        "max_read",
        Target.FUSE,
        "bytes in one read request, at the most",
        "max_read",
        values.number(4096, 1 << 30),
        "BYTES",
    ),
    Option(
        "readahead",
        Target.FUSE,
        "how far ahead the kernel reads a file, in KiB (root's mounts: 1024)",
        "readahead",
        values.number(0, 1 << 16),
        "KIB",
    ),
    Option(
        "fsname",
        Target.FUSE,
        "source in the mount table, instead of the image's path",
        "fsname",
        values.words,
        "TEXT",
    ),
    Option(
        "subtype",
        Target.FUSE,
        "type in the mount table, after fuse.",
        "subtype",
        values.words,
        "TEXT",
    ),
    _fuse("noatime", "say noatime in the mount table"),
    _fuse("atime", "the opposite (the default)", "noatime", sets=False),
    _fuse("noexec", "do not let programs on the disc be run"),
    _fuse("exec", "the opposite (the default)", "noexec", sets=False),
    _fuse("nosymfollow", "do not follow symbolic links (only root's mounts)"),
    _fuse("symfollow", "the opposite (the default)", "nosymfollow", sets=False),
)

_OWN = (
    Option("log", Target.MOUNT, "write what happens to FILE", "log", values.words, "FILE"),
    Option("xattr", Target.MOUNT, "show named streams and attributes as xattrs", "xattr"),
    Option(
        "idle",
        Target.MOUNT,
        "unmount when nobody has used it for MIN minutes",
        "idle",
        values.minutes,
        "MIN",
    ),
    Option("nolane", Target.MOUNT, "let pyfuse3 answer everything: slower", "lane", sets=False),
    Option("lane", Target.MOUNT, "answer most requests without it (the default)", "lane"),
    Option(
        "cache",
        Target.MOUNT,
        "how much to keep on the disk of images far away, all together (4G); 0: nothing",
        "cache",
        values.size,
        "SIZE",
    ),
    Option("cachedir", Target.MOUNT, "where", "cache_directory", values.words, "DIR"),
    Option("nonempty", Target.MOUNT, "allow a mount point that is not empty", "nonempty"),
)

_TABLE_ONLY = """
    defaults auto noauto nofail _netdev user nouser users owner group comment loop sync async
    dirsync mand nomand diratime nodiratime relatime norelatime strictatime nostrictatime lazytime
    nolazytime iversion noiversion silent loud adinicb noadinicb shortad longad strict nostrict
    uhelper helper
"""

# "block" is detected; its value is only validated. The mount is always ro, nosuid and nodev. Other
# values are not refused, as the helper of mount(8) for fuse types adds "dev,suid" for root.
_TABLE = (
    Option(
        "block",
        Target.TABLE,
        "logical block size; it is found by itself",
        "",
        values.one_of(512, 1024, 2048),
        "512|1024|2048",
    ),
    Option("ro", Target.TABLE, "the mount is always read-only"),
    Option("rw", Target.TABLE, "says that the mount is read-only all the same"),
    *(
        Option(name, Target.TABLE, "the mount is always nosuid and nodev")
        for name in ("suid", "nosuid", "dev", "nodev")
    ),
    *(Option(name, Target.TABLE, "only the mount table's") for name in _TABLE_ONLY.split()),
)

TABLE: dict[str, Option] = {each.name: each for each in (*_VIEW, *_FUSE, *_OWN, *_TABLE)}

# Prefixes of options for the mount table, with or without a value.
TABLE_PREFIXES = ("x-", "X-")
WITH_OR_WITHOUT_VALUE = frozenset({"user", "comment", "loop", "uhelper", "helper"})
