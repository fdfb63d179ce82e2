"""Extracting an image, or parts of it, into a directory."""

import enum
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from isomount.errors import DamagedDataError, IsomountError
from isomount.extract.files import is_equal, open_to_read, write_content
from isomount.extract.place import OWNERS_RIGHTS, ObstacleError, Parts, Place, PlaceError, status_of
from isomount.formats.node import Node
from isomount.tree import Listed, Visit, Volume, Walk

# When link(2) fails with one of these, the file is written again instead.
_NO_LINKS = (errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOENT)
_PERMISSIONS = 0o777
# The only extended attributes that an ordinary user can set on any file.
_FOR_EVERYBODY = b"user."


class Modes(enum.Enum):
    """Which modes are given to what is extracted.

    NEW: those of new files, as some views record none. USABLE: those of the image, but every
    directory can be written and removed by who extracts it. EXACT: those of the image.
    """

    NEW = enum.auto()
    USABLE = enum.auto()
    EXACT = enum.auto()


@dataclass(slots=True)
class Totals:
    """What an extraction did. ``present`` files existed already; ``bytes`` were written.

    ``bare`` files and directories are without extended attributes that the target did not take.
    """

    files: int = 0
    directories: int = 0
    links: int = 0
    present: int = 0
    bytes: int = 0
    left_out: int = 0
    bare: int = 0
    failed: int = 0
    different: int = 0


class Report(Protocol):
    """Callbacks for progress and problems."""

    def started(self, path: bytes, size: int) -> None:
        """The entry ``path`` is about to be written; ``size`` is in bytes."""

    def moved(self, count: int) -> None:
        """``count`` more bytes have been written, compared or found to exist already."""

    def problem(self, path: bytes, error: Exception) -> None:
        """The entry ``path`` could not be extracted, or differs."""


class Extractor:
    """Writes a volume's tree into ``place``.

    Existing files of the right size and time are skipped, so that an interrupted extraction can be
    resumed. With ``owners`` (root only) owners, set-id bits and devices are restored too, and
    extended attributes outside of "user.". With ``verify`` every file is read back and compared.
    """

    def __init__(
        self,
        volume: Volume,
        place: Place,
        report: Report,
        *,
        owners: bool = False,
        modes: Modes = Modes.USABLE,
        verify: bool = False,
    ) -> None:
        self.totals = Totals()
        self._volume = volume
        self._place = place
        self._report = report
        self._owners = owners
        self._modes = modes
        self._verify = verify
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._image = _status_of_image(volume)
        # Files with several links: where the first one was written.
        self._first_names: dict[int, Parts] = {}
        self._unfinished: list[tuple[Parts, Node]] = []

    def extract(self, paths: Sequence[bytes]) -> Totals:
        """Extract each of ``paths``, or everything if there are none.

        Raises PlaceError when nothing more can be written; other errors are reported.
        """
        try:
            for path in paths or [b""]:
                try:
                    self._extract(path)
                except PlaceError:
                    raise
                except (IsomountError, OSError) as error:
                    self._failed(path, error)
        finally:
            self._finish_directories()
        return self.totals

    def measure(self, paths: Sequence[bytes]) -> int:
        """The total size of the files in ``paths``, in bytes."""
        total = 0
        for path in paths or [b""]:
            try:
                node = self._volume.lookup(path)
            except OSError:
                continue
            total += node.size if node.content else 0
            if node.is_directory:
                # Errors are reported by the extraction itself.
                inside = (each for _, _, each, _ in Walk(self._volume, node).entries())
                total += sum(each.size for each in inside if each.content)
        return total

    # ------------------------------------------------------------------ the tree

    def _extract(self, path: bytes) -> None:
        """Extract one path, creating the directories above it as well."""
        names = tuple(name for name in path.split(b"/") if name not in (b"", b"."))
        if b".." in names:
            raise ObstacleError('a path to extract cannot hold ".."')
        node = self._volume.lookup(b"/".join(names))
        for depth in range(len(names)):
            above = names[:depth]
            self._make_directory(above, self._volume.lookup(b"/".join(above)))
        if node.is_directory:
            self._extract_tree(names, node)
        else:
            with self._place.directory(names[:-1]) as fd:
                self._entry(fd, names[:-1], names[-1], node)

    def _extract_tree(self, parts: Parts, top: Node) -> None:
        walk = Walk(self._volume, top, b"/".join(parts), on_error=self._failed)
        for visit, entries, _ in walk.directories():
            try:
                self._extract_directory(visit, entries)
            except PlaceError:
                raise
            except (IsomountError, OSError) as error:
                self._failed(visit.path or b".", error)

    def _extract_directory(self, visit: Visit, entries: Iterator[Listed]) -> None:
        """Create a directory and its entries, except for subdirectories."""
        parts = tuple(visit.path.split(b"/")) if visit.path else ()
        self._make_directory(parts, visit.node)
        with self._place.directory(parts) as fd:
            for _, name, node in entries:
                if node.fault or not node.is_directory:
                    self._entry(fd, parts, name, node)

    def _make_directory(self, parts: Parts, node: Node) -> None:
        try:
            self._place.enter(parts)
        except OSError as error:
            self._place.give_up_if_hopeless(error)
            raise
        if parts:
            self.totals.directories += 1
        # A target directory that existed before keeps its attributes.
        if parts or self._place.made:
            self._unfinished.append((parts, node))

    def _finish_directories(self) -> None:
        """Set modes and times of directories last, as writing into them changes their times."""
        for parts, node in reversed(self._unfinished):
            try:
                with self._place.directory(parts) as fd:
                    self._set_attributes(fd, node)
            except (IsomountError, OSError) as error:
                self._failed(b"/".join(parts) or b".", error)
        self._unfinished.clear()

    # ------------------------------------------------------------------ entries

    def _entry(self, fd: int, directory: Parts, name: bytes, node: Node) -> None:
        """Extract anything but a directory. Errors are reported."""
        path = b"/".join((*directory, name))
        try:
            if node.fault:
                raise DamagedDataError(node.fault)
            self._report.started(path, node.size)
            if node.nlink > 1 and self._linked(fd, name, node):
                return
            self._kind(fd, path, name, node)
            if node.nlink > 1:
                self._first_names.setdefault(node.ino, (*directory, name))
        except PlaceError:
            raise
        except OSError as error:
            self._place.give_up_if_hopeless(error)
            self._failed(path, error)
        except IsomountError as error:
            self._failed(path, error)

    def _kind(self, fd: int, path: bytes, name: bytes, node: Node) -> None:
        kind = stat.S_IFMT(node.mode)
        if kind == stat.S_IFREG:
            self._file(fd, path, name, node)
        elif kind == stat.S_IFLNK:
            self._symlink(fd, name, node)
        elif kind == stat.S_IFIFO or (self._owners and kind in (stat.S_IFCHR, stat.S_IFBLK)):
            self._special(fd, name, node)
        else:
            self.totals.left_out += 1

    def _file(self, fd: int, path: bytes, name: bytes, node: Node) -> None:
        there = status_of(name, fd)
        if there and self._image and os.path.samestat(there, self._image):
            raise ObstacleError("the image itself is there; name another folder with -C")
        if there is not None and _is_whole(there, node):
            self.totals.present += 1
            if not self._verify:
                self._report.moved(node.size)
        else:
            self._write_file(fd, name, node)
        if self._verify:
            self._compare(fd, path, name, node)

    def _write_file(self, directory: int, name: bytes, node: Node) -> None:
        with self._place.partial(directory, name) as partial:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(partial, flags, 0o600, dir_fd=directory)
            try:
                moved = (lambda _: None) if self._verify else self._report.moved
                write_content(fd, self._volume, node, moved)
                self._set_attributes(fd, node)
            finally:
                os.close(fd)
        self.totals.files += 1
        self.totals.bytes += node.size

    def _compare(self, directory: int, path: bytes, name: bytes, node: Node) -> None:
        fd = open_to_read(name, directory)
        try:
            if not is_equal(fd, self._volume, node, self._report.moved):
                self.totals.different += 1
                error = IsomountError("differs from the image; remove it and extract it again")
                self._report.problem(path, error)
        finally:
            os.close(fd)

    def _linked(self, fd: int, name: bytes, node: Node) -> bool:
        """Create ``name`` as a hard link. Returns False if the file has to be written."""
        first = self._first_names.get(node.ino)
        if first is None:
            return False
        with self._place.directory(first[:-1]) as other:
            source = status_of(first[-1], other)
            there = status_of(name, fd)
            if source and there and os.path.samestat(source, there):
                self.totals.present += 1
                return True
            try:
                with self._place.partial(fd, name) as partial:
                    os.link(
                        first[-1], partial, src_dir_fd=other, dst_dir_fd=fd, follow_symlinks=False
                    )
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return False
        self.totals.links += 1
        return True

    def _symlink(self, fd: int, name: bytes, node: Node) -> None:
        if node.target is None:
            raise DamagedDataError("the symbolic link has no usable target")
        there = status_of(name, fd)
        if there and stat.S_ISLNK(there.st_mode) and os.readlink(name, dir_fd=fd) == node.target:
            self.totals.present += 1
            return
        with self._place.partial(fd, name) as partial:
            os.symlink(node.target, partial, dir_fd=fd)
            self._set_named_attributes(fd, partial, node)
        self.totals.links += 1

    def _special(self, fd: int, name: bytes, node: Node) -> None:
        """Create a FIFO or a device."""
        there = status_of(name, fd)
        if there and (stat.S_IFMT(there.st_mode), there.st_rdev) == (
            stat.S_IFMT(node.mode),
            node.rdev,
        ):
            self.totals.present += 1
            return
        with self._place.partial(fd, name) as partial:
            os.mknod(partial, stat.S_IFMT(node.mode) | 0o600, node.rdev, dir_fd=fd)
            self._set_named_attributes(fd, partial, node)
            os.chmod(partial, self._mode(node), dir_fd=fd)
        self.totals.files += 1

    # ------------------------------------------------------------------ attributes

    def _set_attributes(self, fd: int, node: Node) -> None:
        if self._owners:
            os.fchown(fd, node.uid, node.gid)
        if self._volume.view.has_xattrs:
            self._set_xattrs(fd, node)
        os.fchmod(fd, self._mode(node))
        os.utime(fd, ns=_times(node))

    def _set_xattrs(self, fd: int, node: Node) -> None:
        """Set extended attributes, after the owner and before the mode, which both change some.

        File systems differ in which and how many they take: a file without them is no failure.
        """
        lost = False
        for name, value in self._volume.xattrs(node.ino).items():
            if self._owners or name.startswith(_FOR_EVERYBODY):
                try:
                    os.setxattr(fd, name, value)
                except OSError:
                    lost = True
        self.totals.bare += lost

    def _set_named_attributes(self, directory: int, name: str, node: Node) -> None:
        """Set owner and times of a file that cannot be opened, such as a symbolic link."""
        if self._owners:
            os.chown(name, node.uid, node.gid, dir_fd=directory, follow_symlinks=False)
        os.utime(name, ns=_times(node), dir_fd=directory, follow_symlinks=False)

    def _mode(self, node: Node) -> int:
        if self._modes is Modes.NEW:
            return (0o777 if node.is_directory else 0o666) & ~self._umask
        # A set-id bit is only meaningful with the original owner.
        mode = stat.S_IMODE(node.mode) & (0o7777 if self._owners else _PERMISSIONS)
        writable = node.is_directory and self._modes is Modes.USABLE
        return mode | OWNERS_RIGHTS if writable else mode

    def _failed(self, path: bytes, error: Exception) -> None:
        self.totals.failed += 1
        self._report.problem(path, error)


def _is_whole(there: os.stat_result, node: Node) -> bool:
    """Whether an existing file is complete: only complete files are renamed to their name.

    Times are compared in seconds, as not every file system stores fractions.
    """
    return (
        stat.S_ISREG(there.st_mode)
        and there.st_size == node.size
        and there.st_mtime_ns // 10**9 == node.mtime_ns // 10**9
    )


def _status_of_image(volume: Volume) -> os.stat_result | None:
    """The status of the image file, so as not to overwrite it; None if it is not a local file."""
    try:
        return os.stat(volume.blocks.source.name)
    except OSError:
        return None


def _times(node: Node) -> tuple[int, int]:
    return node.atime_ns, node.mtime_ns
