"""Where isomount shows real images otherwise than Linux 6.1, and what it shows instead.

For each image and view: path to ABSENT, or to the fields that differ with isomount's values (None:
the kernel has such a field and isomount rightly has not).
"""

from tests.corpus import Record

ABSENT = "absent"
# Raw CD sectors, which Linux does not read.
OPENED = frozenset({"popstation__test.iso"})
# Hidden when they hold nothing but relocated directories, which are shown where they belong.
RELOCATION_FOLDERS = {"rr_moved", ".rr_moved"}

# The Joliet tree is empty; Linux shows it all the same.
_EICAR = {
    "eicar.png": {
        "type": "file",
        "mode": "0555",
        "uid": 0,
        "gid": 0,
        "nlink": 1,
        "size": 25476,
        "mtime_ns": 1690951145000000000,
        "sha256": "f083e9c704165003f8c065964e4ccb47da48bbad8a80521d571cbf0f1d4762c6",
    }
}
# The image ends within this file: Linux makes up zeros to the end of its readahead.
_CUT_OFF = {
    "sha256": None,
    "sha256_before_error": "fc68cd5bb4e20e38fe2b06a97680bdd00a046142dfc1017fb11a084c0040956c",
    "error": "read at 253952: EIO",
}
# Its directory date is all zeros: not recorded, where Linux shows 2036.
_NOT_RECORDED = {".": {"mtime_ns": 0}}
# A directory record whose extent holds no "." record stays a directory; Linux takes what it finds
# there for its attributes, or loses the entry with its unusable continuation area.
_NO_DOT_ROCK = {
    "a": {
        "type": "dir",
        "mode": "0555",
        "uid": 0,
        "gid": 0,
        "nlink": 1,
        "size": 0,
        "mtime_ns": 1640995200000000000,
    }
}
_LINUX_KEEPS = 146
_NO_DOT = {"a": {"type": "dir", "mtime_ns": 1640995200000000000, "sha256": None}}


def _whole_long_names() -> Record:
    """Names of 255 bytes, of which Linux drops the piece that takes them beyond 253."""
    differing: Record = {}
    for depth, links in ((1, 3), (2, 3), (3, 2)):
        differing["/".join(["A" * _LINUX_KEEPS] * depth)] = ABSENT
        differing["/".join(["A" * 255] * depth)] = {
            "type": "dir",
            "mode": "0755",
            "uid": 1000,
            "gid": 0,
            "nlink": links,
            "size": 2048,
            "mtime_ns": 1227373933000000000,
        }
    return differing


_CLAMAV = "clamav__iso_no_joliet.logo.iso"
_GOVMOMI = "govmomi__ttylinux-pc_i486-16.1.iso"
_NO_ZF = "libarchive__test_read_format_iso_rockridge_zf_overflow.iso"
_LONG_LABEL = "util-linux__iso-unicode-long-label.img"

IMPROVEMENTS: dict[tuple[str, str], Record] = {
    (_CLAMAV, "iso9660"): _EICAR,
    (_CLAMAV, "iso9660.norock"): _EICAR,
    (_GOVMOMI, "iso9660"): {"packages/bash-4.2-i486.tbz": _CUT_OFF},
    (_GOVMOMI, "iso9660.norock"): {"packages/bash-4.2-i486.tbz": _CUT_OFF},
    (_GOVMOMI, "iso9660.plain"): {"packages/bash_4_2.tbz": _CUT_OFF},
    ("libarchive__test_fuzz_1.iso", "iso9660"): _whole_long_names(),
    (_NO_ZF, "iso9660"): _NO_DOT_ROCK,
    (_NO_ZF, "iso9660.norock"): _NO_DOT,
    (_NO_ZF, "iso9660.plain"): _NO_DOT,
    (_LONG_LABEL, "iso9660"): _NOT_RECORDED,
    (_LONG_LABEL, "iso9660.norock"): _NOT_RECORDED,
    (_LONG_LABEL, "iso9660.plain"): _NOT_RECORDED,
}
