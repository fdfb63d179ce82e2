"""Advice where a FUSE mount shuts others out: without allow_other only its owner is let in.

Root is shut out as well, and with it fusermount3, which runs as root: "Permission denied" for what
its owner sees in a listing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from isomount.errors import ForbiddenImageError
from isomount.mounting.mounts import mount_around


def advice(path: str) -> str:
    """The rest of a sentence that ``path`` is not permitted; "" if that is no mount's doing."""
    mount = mount_around(os.path.realpath(path))
    if mount is None or not mount.kind.startswith("fuse"):
        return ""
    if "allow_other" in mount.options.split(","):
        return ""
    return (
        f"; it lies in the FUSE mount {mount.path}, which shuts out all but its owner, root and "
        "fusermount3 too: mount that with allow_other, or use what lies outside it"
    )


@contextmanager
def advising(image: str) -> Iterator[None]:
    """Add that advice to the error of an ``image`` that may not be read."""
    try:
        yield
    except ForbiddenImageError as error:
        more = advice(image)
        if not more:
            raise
        reason = f"{error.strerror}{more}"
        raise ForbiddenImageError(error.errno or 0, error.filename, reason) from error
