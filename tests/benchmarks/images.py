"""The images, made once by public tools and kept in the cache folder."""

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.places import cache_folder, memory_folder

# Part of the folder's name: another number makes every image anew.
RECIPE = 1

BIG_NAME = "big.bin"
BIG_SIZE = 1536 << 20
# The small files beside the big one; str.format() with folder and number gives a path.
SMALL_NAME = "small/{folder:02d}/file-{number:04d}.txt"
SMALL_COUNT = 1000

_MIB = 1 << 20
_MAKING_LIMIT = 1800.0  # seconds for one tool


@dataclass(frozen=True, slots=True)
class Image:
    """One image and what there is to see on it."""

    name: str
    files: int  # regular files
    content: int  # bytes in all regular files
    udf: bool = False  # to be shown through its UDF structures
    erofs_of: str | None = None  # the image whose erofs twin holds the same tree
    ending: str = ".iso"  # of the file's name, by the kind of container that it is
    big: int = BIG_SIZE  # bytes in the big file, where there is one

    @property
    def iso(self) -> Path:
        """The disc image, or the file that it is in."""
        return _folder() / f"{self.name}{self.ending}"

    @property
    def erofs(self) -> Path | None:
        """The same tree as uncompressed erofs, for the ceiling; None where that says nothing."""
        return _folder() / f"{self.erofs_of}.erofs" if self.erofs_of else None


@dataclass(frozen=True, slots=True)
class _Tree:
    """A folder to make images of: ``write`` fills it, ``tools`` make the images."""

    write: Callable[[Path], None]
    tools: dict[str, tuple[str, ...]]  # output's file name -> command, {out} and {tree} in it


def _small_size(number: int) -> int:
    return 120 + number * 7919 % 3761  # 120 to 3,880 bytes in no visible order


def _sizes(count: int) -> int:
    return sum(map(_small_size, range(count)))


FILES_1K = Image("files-1000", 1000, _sizes(1000), erofs_of="files-1000")
FILES_20K = Image("files-20000", 20_000, _sizes(20_000), erofs_of="files-20000")
UDF_20K = Image("udf-20000", 20_000, _sizes(20_000), udf=True, erofs_of="files-20000")
FILES_100K = Image("files-100000", 100_000, 100_000, erofs_of="files-100000")
FILES_1M = Image("files-1000000", 1_000_000, 0)
FOLDER_50K = Image("folder-50000", 50_000, 50_000, erofs_of="folder-50000")
BIG = Image("big", SMALL_COUNT + 1, BIG_SIZE + _sizes(SMALL_COUNT), erofs_of="big")
ZISOFS = Image("zisofs", SMALL_COUNT + 1, BIG_SIZE + _sizes(SMALL_COUNT))


def _write_files(root: Path, count: int, per_folder: int, size: Callable[[int], int]) -> None:
    pool = words(_MIB)
    for first in range(0, count, per_folder):
        number = first // per_folder
        folder = root / f"d{number // 100:02d}" / f"folder-{number:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        for each in range(first, min(first + per_folder, count)):
            start = each * 31 % (_MIB - 8192)
            with open(folder / f"file-{each:07d}.txt", "wb") as file:
                file.write(pool[start : start + size(each)])


def _write_folder(root: Path) -> None:
    (root / "one").mkdir()
    for number in range(50_000):
        (root / "one" / f"file-{number:05d}.txt").write_bytes(b"1")


def _write_big(root: Path) -> None:
    pool = words(16 * _MIB)
    chance = random.Random(RECIPE)
    with open(root / BIG_NAME, "wb") as file:
        for _ in range(BIG_SIZE // _MIB):
            start = chance.randrange(len(pool) - _MIB)
            file.write(pool[start : start + _MIB])
    for number in range(SMALL_COUNT):
        path = root / SMALL_NAME.format(folder=number % 10, number=number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pool[: _small_size(number)])


def words(size: int) -> bytes:
    """Bytes that deflate to about a third, as text does."""
    chance = random.Random(RECIPE)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(3000)]
    text = b""
    while len(text) < size:
        text += " ".join(chance.choices(words, k=_MIB // 8)).encode() + b"\n"
    return text[:size]


def _one(_number: int) -> int:
    return 1


def _nothing(_number: int) -> int:
    return 0


# Level 3 keeps the names apart: with 8.3 genisoimage takes minutes to rename 50,000.
_ISO = ("genisoimage", "-quiet", "-iso-level", "3", "-r", "-J", "-o", "{out}", "{tree}")
_EROFS = ("mkfs.erofs", "--quiet", "{out}", "{tree}")
_ZISOFS = (
    *("xorriso", "-abort_on", "FATAL", "-report_about", "SORRY", "-outdev", "stdio:{out}"),
    *("-zisofs", "level=6:block_size=32k", "-map", "{tree}", "/"),
    *("-find", "/", "-type", "f", "-exec", "set_filter", "--zisofs", "--", "-commit"),
)

_TREES = (
    _Tree(
        lambda root: _write_files(root, 1000, 100, _small_size),
        {"files-1000.iso": _ISO, "files-1000.erofs": _EROFS},
    ),
    _Tree(
        lambda root: _write_files(root, 20_000, 100, _small_size),
        {
            "files-20000.iso": _ISO,
            "files-20000.erofs": _EROFS,
            "udf-20000.iso": (_ISO[0], "-udf", *_ISO[1:]),
        },
    ),
    _Tree(
        lambda root: _write_files(root, 100_000, 100, _one),
        {"files-100000.iso": _ISO, "files-100000.erofs": _EROFS},
    ),
    _Tree(
        lambda root: _write_files(root, 1_000_000, 1000, _nothing),
        {"files-1000000.iso": tuple(word for word in _ISO if word != "-J")},
    ),
    _Tree(_write_folder, {"folder-50000.iso": _ISO, "folder-50000.erofs": _EROFS}),
    _Tree(_write_big, {"big.iso": _ISO, "big.erofs": _EROFS, "zisofs.iso": _ZISOFS}),
)


def make_mixed(image: Image, write: Callable[[Path], None], say: Callable[[str], None]) -> None:
    """Make the plain ``image`` of the folder that ``write`` fills, unless it is there."""
    if image.iso.exists():
        return
    say(f"making {image.iso.name} (once)")
    with tempfile.TemporaryDirectory(prefix="isomount-bench-", dir=_workshop()) as root:
        write(Path(root))
        _make_one(image.iso, _ISO, root)


def make(wanted: set[Path], say: Callable[[str], None]) -> None:
    """Make those of the ``wanted`` files that are missing, with all that share their tree."""
    for tree in _TREES:
        outputs = {_folder() / name: command for name, command in tree.tools.items()}
        if wanted.isdisjoint(outputs) or all(output.exists() for output in outputs):
            continue
        say(f"making {', '.join(tree.tools)} (once)")
        with tempfile.TemporaryDirectory(prefix="isomount-bench-", dir=_workshop()) as root:
            tree.write(Path(root))
            for output, command in outputs.items():
                _make_one(output, command, root)


def _make_one(output: Path, command: tuple[str, ...], root: str) -> None:
    if shutil.which(command[0]) is None:
        return  # the workloads say what they miss
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_suffix(".part")
    part.unlink(missing_ok=True)
    words = [word.format(out=part, tree=root) for word in command]
    done = subprocess.run(words, capture_output=True, check=False, timeout=_MAKING_LIMIT)
    if done.returncode:
        raise SystemExit(f"{words[0]} failed: {done.stderr.decode(errors='replace')}")
    os.replace(part, output)  # complete, or not there at all


def _workshop() -> Path:
    """Where trees are written: a million files in memory if they fit, a disk takes minutes."""
    memory = memory_folder()
    return memory if shutil.disk_usage(memory).free > 6 << 30 else cache_folder()


def _folder() -> Path:
    return cache_folder() / f"images-{RECIPE}"


def load(path: Path) -> None:
    """Bring ``path`` into the page cache."""
    with open(path, "rb", buffering=0) as file:
        while file.read(4 * _MIB):
            pass


def drop(path: Path) -> None:
    """Drop ``path`` from the page cache."""
    with open(path, "rb", buffering=0) as file:
        os.fdatasync(file.fileno())  # only a clean page can go
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
