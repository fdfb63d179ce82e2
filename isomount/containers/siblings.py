"""The files beside a container."""

import errno
import os
import posixpath
import stat
from collections.abc import Sequence

from isomount.containers.base import Archive
from isomount.errors import ImageUnreadableError, MissingImageError
from isomount.sources import Keeping, LocalSource, Source, beside, open_source


class LocalSiblings:
    """The files of a directory. Only regular ones are opened, wherever a name leads."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def names(self) -> Sequence[str]:
        """The directory's names in order; none if it cannot be listed."""
        try:
            return sorted(os.listdir(self._directory))
        except OSError:
            return []

    def open(self, name: str) -> Source:
        """The regular file at the relative path ``name``."""
        path = os.path.join(self._directory, name)
        _refuse_what_is_no_file(path)
        return LocalSource(path)


class RemoteSiblings:
    """What is beside an image far away. Web servers do not tell what there is, but whether."""

    def __init__(self, address: str, keeping: Keeping) -> None:
        self._address, self._keeping = address, keeping

    def names(self) -> Sequence[str]:
        """None: they cannot be listed."""
        return []

    def open(self, name: str) -> Source:
        """What is at the relative path ``name``."""
        return open_source(beside(self._address, name), self._keeping)


class NoSiblings:
    """Of a container that came without a name: a file object, for instance."""

    def names(self) -> Sequence[str]:
        """None."""
        return []

    def open(self, name: str) -> Source:
        """Raises MissingImageError: there is nothing."""
        raise MissingImageError(errno.ENOENT, name, "there is no such file")


class ArchiveSiblings:
    """The members of ``archive`` in the directory of its member ``beside``."""

    def __init__(self, archive: Archive, beside: str) -> None:
        self._archive = archive
        self._directory = posixpath.dirname(beside)

    def names(self) -> Sequence[str]:
        """The names of what is in that directory itself."""
        directory = self._directory
        names = (member.name for member in self._archive.members)
        return [posixpath.basename(name) for name in names if posixpath.dirname(name) == directory]

    def open(self, name: str) -> Source:
        """The member at the path ``name``, seen from that directory."""
        return self._archive.open(posixpath.normpath(posixpath.join(self._directory, name)))


def _refuse_what_is_no_file(path: str) -> None:
    """A container comes from a stranger: it must not have a device or a FIFO opened."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return  # what is wrong is said by who opens it
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ImageUnreadableError(f"{path}: is no regular file, so it is not opened")
