"""The ways to mount an image, one small class each."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from isomount.errors import UsageError
from tests.benchmarks.images import Image
from tests.benchmarks.places import CHECKOUT, cache_folder

_USAGE = UsageError.exit_code


class Peer:
    """One way to mount. ``command()`` is run to its end; the mount is there soon after."""

    name: ClassVar[str]
    ceiling: ClassVar[bool] = False  # no FUSE program: what could be reached at best
    variant: ClassVar[bool] = False  # isomount in another shape: no rival either
    udf: ClassVar[bool] = False  # reads UDF structures
    only_unpacks: ClassVar[bool] = False  # mounts nothing: ``command()`` writes the image out

    def missing(self) -> str | None:
        """Why this way is not open here, or None."""
        return None if self._program() else f"no {self.name} here: `make bench` installs it"

    def version(self) -> str:
        """The version, or "" when it is not known."""
        return _debian_version(self.name)

    def file(self, image: Image) -> Path | None:
        """The file that is mounted, None where there is none for this image."""
        return image.iso

    def command(self, image: Image, folder: Path) -> list[str]:
        """The command that mounts ``image`` on ``folder``."""
        return [self._program() or self.name, str(image.iso), str(folder)]

    def place(self, image: Image) -> Path:
        """Where the image's root is below the mount point."""
        return Path()

    def _program(self) -> str | None:
        return shutil.which(self.name)


class Isomount(Peer):
    """The checkout's own, whatever else is installed."""

    name = "isomount"
    udf = True
    checkout = CHECKOUT
    options: ClassVar[tuple[str, ...]] = ()

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        said = _said([*self._words(), "--version"]).removeprefix("isomount").strip()
        commit = _said(["git", "-C", str(self.checkout), "rev-parse", "--short", "HEAD"])
        return f"{said} ({commit})" if commit else said

    def command(self, image: Image, folder: Path) -> list[str]:
        options = ",".join([*(["view=udf"] if image.udf else []), *self.options])
        words = [*self._words(), str(image.iso), str(folder)]
        return [*words, "-o", options] if options else words

    def _words(self) -> list[str]:
        # All checkouts alike, not one by an installed script: starting is measured too. With -P the
        # working directory's isomount is not found first.
        return ["env", f"PYTHONPATH={self.checkout}", sys.executable, "-P", "-m", "isomount"]


class IsomountWithoutLane(Isomount):
    """All requests by way of pyfuse3."""

    name = "isomount -o nolane"
    variant = True
    options = ("nolane",)

    def missing(self) -> str | None:
        option = ",".join(self.options)
        # Words are looked at before files: an image that is missing is no refusal of the option.
        nowhere = str(Path(os.devnull) / "nowhere")
        tried = [*self._words(), nowhere, nowhere, "-o", option]
        refused = subprocess.run(tried, capture_output=True, check=False).returncode == _USAGE
        return f"this isomount does not know -o {option}" if refused else None


class IsomountBefore(Isomount):
    """Another checkout, to compare with."""

    name = "isomount before"
    variant = True

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout

    def missing(self) -> str | None:
        there = (self.checkout / "isomount" / "__main__.py").exists()
        return None if there else f"no checkout of isomount at {self.checkout}"


class Fuseiso(Peer):
    """C, its own parser, libfuse 2."""

    name = "fuseiso"

    def file(self, image: Image) -> Path | None:
        return image.iso if image.ending == ".iso" else None


class Fuseiso9660(Peer):
    """C, libiso9660 of libcdio, libfuse 2."""

    name = "fuseiso9660"

    def file(self, image: Image) -> Path | None:
        return image.iso if image.ending == ".iso" else None


class Archivemount(Peer):
    """C, libarchive, libfuse 2; reads the whole tree when it mounts."""

    name = "archivemount"

    def command(self, image: Image, folder: Path) -> list[str]:
        return [*super().command(image, folder), "-o", "readonly"]


class Ratarmount(Peer):
    """Python, libarchive, an SQLite index that it makes when it mounts, libfuse 2 or 3."""

    name = "ratarmount"

    def version(self) -> str:
        said = _said([self._program() or self.name, "--version"])
        return said.split("\n", 1)[0].removeprefix("ratarmount").strip()

    def command(self, image: Image, folder: Path) -> list[str]:
        # In memory: an index left by an earlier mount would not be a fresh mount.
        first, *rest = super().command(image, folder)
        into = [] if image.ending == ".iso" else ["--recursive"]  # the image in the container
        return [first, *into, "--recreate-index", "--index-file", ":memory:", *rest]

    def place(self, image: Image) -> Path:
        return Path() if image.ending == ".iso" else Path(f"{image.name}.iso")

    def _program(self) -> str | None:
        own = cache_folder() / "ratarmount" / "bin" / "ratarmount"
        return str(own) if own.exists() else shutil.which(self.name)


class Erofs(Peer):
    """The same tree in the kernel's erofs, uncompressed, from a loop device: needs root."""

    name = "erofs (kernel)"
    ceiling = True
    udf = True  # no UDF, but nothing better can be said of the tree

    def missing(self) -> str | None:
        if os.geteuid() != 0:
            return "loop mounts need root"
        if not Path("/dev/loop-control").exists():
            return "no loop devices here"
        if not _kernel_knows("erofs"):
            return "this kernel has no erofs"
        return None if shutil.which("mkfs.erofs") else "no mkfs.erofs here"

    def version(self) -> str:
        return f"{_debian_version('erofs-utils')}".strip()

    def file(self, image: Image) -> Path | None:
        return image.erofs

    def command(self, image: Image, folder: Path) -> list[str]:
        return ["mount", "-t", "erofs", "-o", "loop,ro", str(image.erofs), str(folder)]


class FuseArchive(Peer):
    """C++, libarchive, libfuse 3; reads the whole archive when it mounts."""

    name = "fuse-archive"


class MountZip(Peer):
    """C++, libzip, libfuse 3."""

    name = "mount-zip"

    def file(self, image: Image) -> Path | None:
        return image.iso if image.ending == ".zip" else None


class Unpacker(Peer):
    """A tool that writes the whole image out, to nowhere: what it costs to decode it once."""

    ceiling = True
    only_unpacks = True

    def __init__(self, name: str, package: str, ending: str, *words: str) -> None:
        self.name = name  # type: ignore[misc]
        self._package = package
        self._ending = ending
        self._words = words

    def version(self) -> str:
        return _debian_version(self._package)

    def file(self, image: Image) -> Path | None:
        return image.iso if image.ending == self._ending else None

    def command(self, image: Image, folder: Path) -> list[str]:
        return [word.format(image=image.iso) for word in self._words]

    def _program(self) -> str | None:
        return shutil.which(self._words[0])


class RawFile(Peer):
    """The image file itself, read without any mount."""

    name = "image file"
    ceiling = True

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return ""


def peers(before: Path | None = None) -> tuple[Peer, ...]:
    """All of them in the table's order; with the checkout ``before`` if one is given."""
    return (
        Isomount(),
        IsomountWithoutLane(),
        *([IsomountBefore(before)] if before else []),
        Fuseiso(),
        Fuseiso9660(),
        Archivemount(),
        Ratarmount(),
        Erofs(),
        RawFile(),
    )


def peers_of_kinds(before: Path | None = None) -> tuple[Peer, ...]:
    """Those that read compressed and packed images, in the table's order."""
    written = ("--output", os.devnull, "--force")
    return (
        Isomount(),
        *([IsomountBefore(before)] if before else []),
        Archivemount(),
        FuseArchive(),
        MountZip(),
        Ratarmount(),
        Fuseiso9660(),
        Unpacker("gzip -dc", "gzip", ".iso.gz", "gzip", "-dc", "{image}"),
        Unpacker("zstd -dc", "zstd", ".iso.zst", "zstd", "-dc", "{image}"),
        Unpacker("7z x", "7zip", ".zip", "7z", "x", "-so", "{image}"),
        Unpacker("chdman", "mame-tools", ".chd", "chdman", "extractraw", "-i", "{image}", *written),
    )


def _said(command: list[str]) -> str:
    """What ``command`` prints, "" where it fails or is not there."""
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return asked.stdout.strip()


def _debian_version(package: str) -> str:
    return _said(["dpkg-query", "-W", "-f=${Version}", package])


def _kernel_knows(name: str) -> bool:
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "-q", name], capture_output=True, check=False)
    return any(line.split()[-1] == name for line in open("/proc/filesystems"))
