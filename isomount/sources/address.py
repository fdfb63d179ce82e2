"""Addresses of images that are far away: what they look like, and what of them may be shown.

The query of an address may be a key (a presigned URL), so it is in no message, list or mount table.
"""

import os
import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)

# Whose images are read by ranges of objects, and whose as files.
OBJECTS = frozenset({"http", "https", "s3", "s3a", "gs", "az", "abfs", "abfss"})
FILES = frozenset({"ssh", "sftp"})
# Whose paths are quoted, as "%20" for a blank (RFC 3986): the names of objects are as they are.
_QUOTED = FILES | {"http", "https"}


def scheme_of(name: str) -> str:
    """The scheme of the address ``name``, in small letters; "" if it is no address."""
    found = _ADDRESS.match(name)
    return found[1].lower() if found else ""


def is_remote(name: str) -> bool:
    """Whether ``name`` is the address of something that can be an image."""
    return scheme_of(name) in OBJECTS | FILES and not os.path.lexists(name)


def shown(name: str) -> str:
    """The address ``name`` without what may be secret; any other name as it is."""
    if not is_remote(name):
        return name
    if scheme_of(name) not in _QUOTED:
        return name
    parts = _split(name)
    user, at, host = parts.netloc.rpartition("@")
    if scheme_of(name) in FILES and at:
        host = f"{user.partition(':')[0]}@{host}"  # whose files they are is no secret
    return f"{parts.scheme}://{host}{parts.path}"


def absolute(name: str) -> str:
    """``name`` as it can be used from any directory: an address is so already."""
    return name if is_remote(name) else os.path.abspath(name)


def file_name(name: str) -> str:
    """What the file ``name`` is called, or what is at an address would be as a file."""
    if not is_remote(name):
        return os.path.basename(os.path.abspath(name))
    if scheme_of(name) not in _QUOTED:
        return name.rstrip("/").rpartition("/")[2]
    from urllib.parse import unquote  # as below

    return unquote(_split(name).path.rstrip("/").rpartition("/")[2]).replace("/", "_")


def beside(name: str, other: str) -> str:
    """The address of the file ``other``, a relative path, beside the one at ``name``.

    The query goes with it: it may be what lets the caller in.
    """
    if scheme_of(name) not in _QUOTED:
        head, slashes, path = name.partition("://")
        return head + slashes + posixpath.normpath(posixpath.join(posixpath.dirname(path), other))
    from urllib.parse import quote, urljoin  # as below

    parts = _split(name)
    path = urljoin(parts.path or "/", quote("./" + other))
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{path}{query}"


def has_password(name: str) -> bool:
    """Whether the address has a password in it."""
    return ":" in _split(name).netloc.rpartition("@")[0]


def _split(name: str) -> "SplitResult":
    from urllib.parse import urlsplit  # takes its time, and files do without

    try:
        return urlsplit(name)
    except ValueError:  # what looks like an IPv6 address and is none
        return urlsplit("")
