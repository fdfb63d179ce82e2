"""Symbolic links: path components (ECMA-167 4/14.16) as one path."""

from isomount.errors import DamagedDataError
from isomount.formats.udf.osta import file_name

_ROOT_OF, _ROOT, _PARENT, _CURRENT, _NAME = range(1, 6)
_HEADER = 4


def target(components: bytes, charset: str) -> bytes:
    """The path given by ``components``. Raises DamagedDataError if one is damaged.

    Components of unknown type, and a root defined by agreement (type 1 with an identifier), are
    left out.
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
        elif kind == _PARENT:
            path += b"../"
        elif kind == _CURRENT:
            path += b"./"
        elif kind == _NAME:
            name = file_name(identifier, charset)
            if name is None:
                raise DamagedDataError("a symbolic link's path has a name that cannot be decoded")
            path += name + b"/"
    return path[:-1] if len(path) > 1 else path
