"""The ISO 9660 family: ECMA-119, ISO 9660:1999, High Sierra, Rock Ridge and Joliet."""

from isomount.formats.iso9660.choose import Found, find

__all__ = ["Found", "find"]
