"""Writing small images from a tree of names and bytes, with pycdlib."""

import io
import os
import stat
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pycdlib import PyCdlib


@dataclass(frozen=True, slots=True)
class File:
    """A file's bytes and its permission bits."""

    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link (Rock Ridge only: neither Joliet nor plain ISO 9660 can record one)."""

    target: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory; only an empty one, or one with a mode of its own, needs to be named."""

    mode: int = 0o755


TreeEntry = File | Symlink | Folder


class ImageWriter:
    """Writes one tree to an image in each of its views, level by level from the root.

    Names in the plain ISO 9660 view are derived from the real ones: upper case, eight characters
    and three (ECMA-119 7.5 and 7.6.3, interchange level 1), made unique by a number.
    """

    def __init__(self, *, label: str, rock_ridge: str | None, joliet: int | None) -> None:
        self._cd = PyCdlib()
        self._cd.new(interchange_level=1, vol_ident=label, rock_ridge=rock_ridge, joliet=joliet)
        self._has_rock_ridge = rock_ridge is not None
        self._has_joliet = joliet is not None
        self._iso_paths: dict[PurePosixPath, str] = {PurePosixPath(): ""}

    def add(self, path: PurePosixPath, entry: TreeEntry) -> None:
        """Add ``entry`` at ``path``, relative to the root, and any missing parent directories."""
        if path in self._iso_paths:
            return
        self.add(path.parent, Folder())
        self._iso_paths[path] = self._iso_paths[path.parent] + "/" + self._made_up_name(path, entry)
        match entry:
            case File():
                self._add_file(path, entry)
            case Symlink():
                self._add_symlink(path, entry)
            case Folder():
                self._add_folder(path, entry)

    def write(self, target: Path) -> None:
        """Write the image and release its resources."""
        with closing(self._cd):
            self._cd.write(os.fspath(target))

    def _made_up_name(self, path: PurePosixPath, entry: TreeEntry) -> str:
        number = f"{len(self._iso_paths):X}"
        stem = _plain(path.name.partition(".")[0])[: 7 - len(number)]
        name = f"{stem}_{number}" if stem else number
        return name if isinstance(entry, Folder) else f"{name}.{_plain(path.suffix)[:3]};1"

    def _rock_ridge_name(self, path: PurePosixPath) -> str | None:
        return path.name if self._has_rock_ridge else None

    def _joliet_path(self, path: PurePosixPath) -> str | None:
        return f"/{path}" if self._has_joliet else None

    def _add_file(self, path: PurePosixPath, file: File) -> None:
        self._cd.add_fp(
            io.BytesIO(file.data),
            len(file.data),
            self._iso_paths[path],
            rr_name=self._rock_ridge_name(path),
            joliet_path=self._joliet_path(path),
            file_mode=stat.S_IFREG | file.mode if self._has_rock_ridge else None,
        )

    def _add_symlink(self, path: PurePosixPath, link: Symlink) -> None:
        self._cd.add_symlink(self._iso_paths[path], path.name, link.target)

    def _add_folder(self, path: PurePosixPath, folder: Folder) -> None:
        self._cd.add_directory(
            self._iso_paths[path],
            rr_name=self._rock_ridge_name(path),
            joliet_path=self._joliet_path(path),
            file_mode=stat.S_IFDIR | folder.mode if self._has_rock_ridge else None,
        )


def _plain(name: str) -> str:
    """The d-characters of a name (ECMA-119 7.4.1): capital letters, digits and the underscore."""
    return "".join(c for c in name.upper() if c.isascii() and (c.isalnum() or c == "_"))


def write_image(
    target: str | os.PathLike[str],
    tree: Mapping[str, TreeEntry],
    *,
    label: str = "ISOMOUNT",
    rock_ridge: str | None = "1.12",
    joliet: int | None = 3,
) -> None:
    """Write an image of ``tree`` (path from the root -> entry; missing directories are added).

    ``rock_ridge`` is "1.09", "1.10", "1.12" or None; ``joliet`` is the level, 1 to 3, or None.
    Raises OSError if ``target`` cannot be written, and pycdlib's own exceptions for a tree that it
    cannot record, such as a symbolic link without Rock Ridge.
    """
    writer = ImageWriter(label=label, rock_ridge=rock_ridge, joliet=joliet)
    # Explicit directories first, outer before inner: implied parents get the default mode.
    for path in sorted(
        tree, key=lambda path: (not isinstance(tree[path], Folder), path.count("/"))
    ):
        writer.add(PurePosixPath(path), tree[path])
    writer.write(Path(target))
