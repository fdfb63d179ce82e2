"""Symbolic links: path components (ECMA-167 4/14.16) as one path."""

from isomount.errors import DamagedDataError
from isomount.formats.udf.osta import file_name

_ROOT_OF, _ROOT, _PARENT, _CURRENT, _NAME = range(1, 6)
_HEADER = 4


def target(components: bytes, charset: str) -> bytes:
    """The path that ``components`` spell; "" when a component is of no known kind.

    Raises DamagedDataError when a component runs over the end.
    """
    path = b""
    at = 0
    while at < len(components):
        end = at + _HEADER + (components[at + 1] if at + 1 < len(components) else 0)
        if end > len(components):
            raise DamagedDataError("a symbolic link's path runs over its end")
        kind, identifier = components[at], components[at + _HEADER : end]
        at = end
        if kind == _ROOT or (kind == _ROOT_OF and not identifier):
            path = b"/"
        elif kind == _ROOT_OF:
            # What stands here is agreed between originator and recipient: no path of ours.
            continue
        elif kind == _PARENT:
            path += b"../"
        elif kind == _CURRENT:
            path += b"./"
        elif kind == _NAME:
            path += (file_name(identifier, charset) or b"") + b"/"
        else:
            return b""
    return path[:-1] if len(path) > 1 else path
