"""The ISO 9660 family: ECMA-119, ISO 9660:1999, High Sierra, Rock Ridge and Joliet."""

from isomount.formats.iso9660.choose import Found, find
from isomount.formats.iso9660.view import Iso9660View, Tree

__all__ = ["Found", "Iso9660View", "Tree", "find"]
