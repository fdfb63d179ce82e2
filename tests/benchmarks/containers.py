"""The same image in one kind of container after the other, made once.

Its one big file is a third text and two thirds what does not compress, as discs of programs are.
"""

import os
import random
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard

from tests.benchmarks import images
from tests.benchmarks.images import BIG_NAME, Image

_MIB = 1 << 20
# The size of the big file in MiB: enough for seconds of reading, and 4096 for a real disc.
SIZE = int(os.environ.get("ISOMOUNT_BENCH_MIB", "384")) * _MIB
_SECTOR = 2048
# A raw sector of mode 1 (ECMA-130 14): synchronisation, then address and mode, then data, then EDC,
# a gap and ECC. These are zeros here, as reading does not look at them.
_SYNC = b"\0" + b"\xff" * 10 + b"\0"
_CHECKS = bytes(288)
_CSO_HEADER = struct.Struct("<4sIQIBB2x")
_CSO_PLAIN = 1 << 31
# The seekable format of zstd: a skippable frame at the end with the size of each frame.
_FRAME = _MIB
_SEEK_TABLE, _SEEKABLE = 0x184D2A5E, 0x8F92EAB1
_LIMIT = 1800.0  # seconds for one tool

# What makes a file out of the plain image.
_Writer = Callable[[Path, Path], None]


def write_mixed(root: Path) -> None:
    """Text and noise, each a MiB long."""
    pool = images.words(16 * _MIB)
    chance = random.Random(images.RECIPE)
    with open(root / BIG_NAME, "wb") as file:
        for number in range(SIZE // _MIB):
            start = chance.randrange(len(pool) - _MIB)
            noise = chance.randbytes(_MIB)
            file.write(noise if number % 3 else pool[start : start + _MIB])


def _raw(plain: Path, out: Path) -> None:
    with open(out, "wb") as file:
        for number, sector in enumerate(_pieces(plain, _SECTOR)):
            minutes, rest = divmod(number + 150, 75 * 60)
            address = bytes(int(str(each), 16) for each in (minutes, *divmod(rest, 75)))
            file.write(_SYNC + address + b"\1" + sector + _CHECKS)


def _cso(plain: Path, out: Path) -> None:
    """Version 1, in blocks of a sector as most are."""
    size = plain.stat().st_size
    count = -(-size // _SECTOR)
    entries: list[int] = []
    with open(out, "wb") as file:
        file.write(_CSO_HEADER.pack(b"CISO", _CSO_HEADER.size, size, _SECTOR, 1, 0))
        file.write(bytes(4 * (count + 1)))
        for block in _pieces(plain, _SECTOR):
            deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            stored = deflate.compress(block) + deflate.flush()
            is_plain = len(stored) >= len(block)
            entries.append(file.tell() | (_CSO_PLAIN if is_plain else 0))
            file.write(block if is_plain else stored)
        entries.append(file.tell())
        file.seek(_CSO_HEADER.size)
        file.write(struct.pack(f"<{len(entries)}I", *entries))


def _seekable_zstd(plain: Path, out: Path) -> None:
    """The tool has no writer of it."""
    table = b""
    with open(out, "wb") as file:
        for piece in _pieces(plain, _FRAME):
            stored = zstandard.compress(piece)
            file.write(stored)
            table += struct.pack("<II", len(stored), len(piece))
        foot = struct.pack("<IBI", len(table) // 8, 0, _SEEKABLE)
        file.write(struct.pack("<II", _SEEK_TABLE, len(table) + len(foot)) + table + foot)


def _by(*command: str) -> _Writer:
    def write(plain: Path, out: Path) -> None:
        if shutil.which(command[0]) is None:
            return  # the workloads say what they miss
        words = [word.format(plain=plain, out=out) for word in command]
        done = subprocess.run(words, capture_output=True, check=False, timeout=_LIMIT)
        if done.returncode:
            raise SystemExit(f"{words[0]} failed: {done.stderr.decode(errors='replace')}")

    return write


def _pieces(plain: Path, size: int) -> Iterator[bytes]:
    with open(plain, "rb") as file:
        while piece := file.read(size):
            yield piece


def _image(ending: str) -> Image:
    return Image(f"mixed-{SIZE // _MIB}", 1, SIZE, ending=ending, big=SIZE)


PLAIN, RAW, GZIP, ZSTD = (_image(each) for each in (".iso", ".bin", ".iso.gz", ".iso.zst"))
CSO, CHD, ZIP = (_image(each) for each in (".cso", ".chd", ".zip"))

_WRITERS: dict[Image, _Writer] = {
    RAW: _raw,
    GZIP: _by("sh", "-c", "exec gzip -6 -c '{plain}' >'{out}'"),
    ZSTD: _seekable_zstd,
    CSO: _cso,
    CHD: _by(
        *("chdman", "createraw", "--input", "{plain}", "--output", "{out}", "--force"),
        *("--hunksize", "4096", "--unitsize", "2048", "--compression", "zlib"),
    ),
    ZIP: _by("7z", "a", "-tzip", "-mx=5", "{out}", "{plain}"),
}


def make(wanted: set[Path], say: Callable[[str], None]) -> None:
    """Make those of the ``wanted`` files that are missing."""
    missing = {image: write for image, write in _WRITERS.items() if _lacks(image, wanted)}
    if not (missing or _lacks(PLAIN, wanted)):
        return
    images.make_mixed(PLAIN, write_mixed, say)
    for image, write in missing.items():
        say(f"making {image.iso.name} (once)")
        part = image.iso.with_name(f"part-{image.iso.name}")
        part.unlink(missing_ok=True)
        write(PLAIN.iso, part)
        if part.exists():
            os.replace(part, image.iso)  # complete, or not there at all


def _lacks(image: Image, wanted: set[Path]) -> bool:
    return image.iso in wanted and not image.iso.exists()
