"""Paths in an image, in the style of pathlib.Path and importlib.resources.abc.Traversable."""

import errno
import fnmatch
import functools
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, Self, overload

from isomount.errors import (
    IsomountError,
    PathError,
    PathNotDirectoryError,
    UsageError,
    about_path,
)
from isomount.formats.node import Node
from isomount.tree import Walk, resolve
from isomount.tree.walk import Below

if TYPE_CHECKING:
    from isomount.image import Image

# What st_blocks counts in, as stat(2) has it, and what a read had best be a multiple of.
_UNIT = 512
_BLOCK = 2048


@functools.total_ordering
class ImagePath:
    """A path in an open image, counted from the volume's root, whether or not anything is there.

    ``image.root`` is the first; ``/`` and ``joinpath`` lead further. ``str(path)`` is relative,
    "." for the root; ".." is kept in it as it was given. Names that are not UTF-8 are as
    ``os.fsdecode`` has them.

    Whatever reads follows symbolic links within the image, as a mount would: ".." does not leave
    the root, and a target that begins with "/" is counted from it. What is not there raises
    PathNotFoundError (a FileNotFoundError), what is damaged PathError (an OSError with EIO), and
    anything after the image was closed ClosedError.
    """

    __slots__ = ("_above", "_image", "_known", "name")

    def __init__(
        self,
        image: "Image",
        above: Self | None = None,
        name: str = "",
        known: Node | None = None,
    ) -> None:
        """``name`` in the path ``above``; without both the root.

        ``known`` is what stands there, a link itself, where that is known already.
        """
        self.name = name
        self._image = image
        self._above = above
        self._known = known

    # ------------------------------------------------------------------ names

    @property
    def image(self) -> "Image":
        """The image that it is a path of."""
        return self._image

    @property
    def parts(self) -> tuple[str, ...]:
        """The names on the way from the root, one after the other."""
        names: list[str] = []
        path = self
        while path._above is not None:
            names.append(path.name)
            path = path._above
        return tuple(reversed(names))

    @property
    def suffix(self) -> str:
        """The ending of the name with its dot; "" when it has none."""
        ending = os.path.splitext(self.name)[1]
        return "" if ending == "." else ending

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.name.removesuffix(self.suffix)

    @property
    def parent(self) -> Self:
        """The path without its last name; the root's is the root."""
        return self if self._above is None else self._above

    def joinpath(self, *descendants: str | os.PathLike[str]) -> Self:
        """The path further down; one that begins with "/" is counted from the root again."""
        path = self
        for each in descendants:
            text = os.fspath(each)
            if text.startswith("/"):
                path = type(self)(self._image)
            for name in text.split("/"):
                if name not in ("", "."):
                    path = type(self)(self._image, path, name)
        return path

    def __truediv__(self, descendant: str | os.PathLike[str]) -> Self:
        return self.joinpath(descendant)

    def __str__(self) -> str:
        return "/".join(self.parts) or "."

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r} in {self._image.name!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ImagePath):
            return NotImplemented
        return self._image is other._image and self.parts == other.parts

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, ImagePath) or self._image is not other._image:
            return NotImplemented
        return self.parts < other.parts

    def __hash__(self) -> int:
        return hash((id(self._image), self.parts))

    # ------------------------------------------------------------------ what is there

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """What a mount of the same view shows; ``st_dev`` is 0."""
        node = self.node(follow_symlinks=follow_symlinks)
        if node.fault:
            raise PathError(errno.EIO, str(self), node.fault)
        return _stat_result(node)

    def lstat(self) -> os.stat_result:
        """The same of a symbolic link itself."""
        return self.stat(follow_symlinks=False)

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Whether anything is there that can be looked at; no error is raised, as by os.path."""
        return self._mode(follow=follow_symlinks) != 0

    def is_dir(self) -> bool:
        """Whether it is a directory, or a symbolic link to one."""
        return stat.S_ISDIR(self._mode())

    def is_file(self) -> bool:
        """Whether it is a regular file, or a symbolic link to one."""
        return stat.S_ISREG(self._mode())

    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self._mode(follow=False))

    def readlink(self) -> str:
        """The target of a symbolic link, as it is recorded. Raises PathError for others."""
        target = self.node(follow_symlinks=False).target
        if target is None:
            raise PathError(errno.EINVAL, str(self), "is no symbolic link")
        return os.fsdecode(target)

    # ------------------------------------------------------------------ files

    @overload
    def open(
        self,
        mode: Literal["r", "rt"] = "r",
        *,
        encoding: str | None = "utf-8",
        errors: str | None = None,
        newline: str | None = None,
    ) -> io.TextIOWrapper: ...

    @overload
    def open(self, mode: Literal["rb"]) -> io.BufferedReader: ...

    def open(
        self,
        mode: str = "r",
        *,
        encoding: str | None = "utf-8",
        errors: str | None = None,
        newline: str | None = None,
    ) -> io.TextIOWrapper | io.BufferedReader:
        """The file, for reading: as text, UTF-8 unless told otherwise, or with "rb" as bytes.

        Raises PathIsDirectoryError for a directory, UsageError for a mode that writes.
        """
        if mode not in ("r", "rt", "rb"):
            raise UsageError(f'mode "{mode}": images are only read; use "r" or "rb"')
        file = self._image.open(self)
        if mode == "rb":
            return file
        return io.TextIOWrapper(file, encoding, errors, newline)

    def read_bytes(self) -> bytes:
        """All of the file."""
        with self.open("rb") as file:
            return file.read()

    def read_text(self, encoding: str | None = "utf-8", errors: str | None = None) -> str:
        """All of the file, decoded."""
        with self.open("r", encoding=encoding, errors=errors) as file:
            return file.read()

    # ------------------------------------------------------------------ directories

    def iterdir(self) -> Iterator[Self]:
        """What the directory holds, in the disc's order. Raises PathNotDirectoryError."""
        return self._entries(self._directory())

    def walk(
        self, on_error: Callable[[OSError], object] | None = None
    ) -> Iterator[tuple[Self, list[str], list[str]]]:
        """Every directory from here down: it, the names of those in it, the names of all else.

        From the top, as pathlib.Path.walk: names taken out of the first list are not gone into.
        Symbolic links are not followed, and count as "all else". A directory that cannot be
        listed, or that nests without end, is given to ``on_error`` and passed over.
        """
        for path, below, others in self._walk(on_error or (lambda _: None)):
            known = {os.fsdecode(name): node for name, node in below}
            names = list(known)
            yield path, names, [os.fsdecode(name) for name, _ in others]
            below[:] = [(os.fsencode(name), known[name]) for name in names if name in known]

    def glob(self, pattern: str) -> Iterator[Self]:
        """What matches ``pattern`` below here: "*", "?" and "[...]" in names, "**" for any depth.

        As pathlib.Path.glob: each path once, capitals matter, names with a leading dot match as any
        other, "**" does not follow symbolic links, directories that cannot be listed are passed
        over.
        """
        names = [name for name in pattern.split("/") if name not in ("", ".")]
        if not names or pattern.startswith("/"):
            raise UsageError(f'pattern "{pattern}": it has to name something below the path')
        seen: set[Self] = set()
        for path in self._matching(names):
            if path not in seen:
                seen.add(path)
                yield path

    def rglob(self, pattern: str) -> Iterator[Self]:
        """``glob`` with "**/" before the pattern."""
        return self.glob(f"**/{pattern}")

    # ------------------------------------------------------------------ how

    def node(self, *, follow_symlinks: bool = True) -> Node:
        """The node that stands there, which may be one that is lost (``fault``)."""
        self._image.require_open()
        # The nodes of an image never change: one look is enough.
        known = self._known
        if known is None:
            with about_path(str(self)):
                known = self._known = resolve(self._image.volume, str(self), follow=False)
        if known.target is None or not follow_symlinks:
            return known
        with about_path(str(self)):
            return resolve(self._image.volume, str(self))

    def _mode(self, *, follow: bool = True) -> int:
        """The node's mode; 0 when there is none that can be looked at."""
        try:
            return self.stat(follow_symlinks=follow).st_mode
        except OSError:
            return 0

    def _directory(self) -> Node:
        node = self.node()
        if node.fault:
            raise PathError(errno.EIO, str(self), node.fault)
        if not node.is_directory:
            raise PathNotDirectoryError(errno.ENOTDIR, str(self))
        return node

    def _entries(self, node: Node) -> Iterator[Self]:
        volume = self._image.volume
        with about_path(str(self)):
            for _, name, below in volume.directory(node.ino).after(volume.blocks, 0):
                yield type(self)(self._image, self, os.fsdecode(name), below)

    def _walk(
        self, report: Callable[[OSError], object]
    ) -> Iterator[tuple[Self, list[Below], list[Below]]]:
        """Each directory, its subdirectories, which the caller may change, and all other entries.

        Directories that cannot be read to the end are reported and left out.
        """
        try:
            top = self._directory()
        except OSError as error:
            report(error)
            return
        failed = False

        def fail(path: bytes, error: IsomountError | OSError) -> None:
            nonlocal failed
            failed = True
            try:
                with about_path(os.fsdecode(path)):
                    raise error
            except OSError as about:
                report(about)

        way = [self]
        walk = Walk(self._image.volume, top, os.fsencode("/".join(self.parts)), on_error=fail)
        for visit, entries, below in walk.directories():
            self._image.require_open()
            failed = False
            listed = [(name, node) for _, name, node in entries]
            if failed:
                below.clear()
                continue
            if visit.above is not None:
                del way[visit.depth - 1 :]
                name = os.fsdecode(visit.path.rpartition(b"/")[2])
                way.append(type(self)(self._image, way[-1], name, visit.node))
            yield way[-1], below, [each for each in listed if not _is_listable(each[1])]

    def _matching(self, names: list[str]) -> Iterator[Self]:
        """What matches, which may be the same path more than once."""
        if not names:
            yield self
            return
        first, *rest = names
        if first == "**":
            found = self._all_below(directories_only=bool(rest))
        elif any(each in first for each in "*?["):
            found = self._named(re.compile(fnmatch.translate(first)))
        else:
            child = self / first
            found = iter([child] if child.exists(follow_symlinks=False) else [])
        for path in found:
            yield from path._matching(rest)

    def _named(self, pattern: re.Pattern[str]) -> Iterator[Self]:
        try:
            yield from (each for each in self.iterdir() if pattern.match(each.name))
        except OSError:
            return

    def _all_below(self, *, directories_only: bool) -> Iterator[Self]:
        for path, _, others in self._walk(lambda _: None):
            yield path
            if not directories_only:
                for name, node in others:
                    yield type(self)(self._image, path, os.fsdecode(name), node)


def _is_listable(node: Node) -> bool:
    return node.is_directory and not node.fault


def _stat_result(node: Node) -> os.stat_result:
    seconds = [each / 1e9 for each in (node.atime_ns, node.mtime_ns, node.ctime_ns)]
    whole = [each // 10**9 for each in (node.atime_ns, node.mtime_ns, node.ctime_ns)]
    by_place = (node.mode, node.ino, 0, node.nlink, node.uid, node.gid, node.size, *whole)
    by_name = {
        "st_atime": seconds[0],
        "st_mtime": seconds[1],
        "st_ctime": seconds[2],
        "st_atime_ns": node.atime_ns,
        "st_mtime_ns": node.mtime_ns,
        "st_ctime_ns": node.ctime_ns,
        "st_blksize": _BLOCK,
        "st_blocks": -(-node.size // _UNIT),
        "st_rdev": node.rdev,
    }
    return os.stat_result(by_place, by_name)
