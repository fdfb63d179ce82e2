"""Parts of files: downloads that are not finished, files of zeros, and pieces of a split one."""

import re

from isomount.blocks import Reader

_UNFINISHED = re.compile(
    r"\.(part|partial|crdownload|download|opdownload|filepart|!ut|!qb|bc!|aria2|tmp)$",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"\.(0\d\d|part\d+|i\d\d)$|\.(iso|img|bin|udf|nrg|mdf)\.[a-z]{2}$", re.IGNORECASE
)
_SPLIT_ARCHIVE = re.compile(r"\.([zr]\d\d)$", re.IGNORECASE)
# Where the descriptors of a disc lie: a disc image is nowhere without bytes up to there.
_HEAD = 64 << 10
_DESCRIPTORS = 32 << 10
_CHUNK = 64 << 10
# Chunks that are looked at: all of 16 MiB, or as many all over what is larger.
_CHUNKS_AT_MOST = 256


def split_file(name: str) -> str | None:
    """Whether it is called as a piece of a split file is, and none of the others is beside it."""
    if _SPLIT_ARCHIVE.search(name) is not None:
        return "is called like a part of an archive in several files; unpack that first"
    if _SPLIT.search(name) is None:
        return None
    return (
        "is called like a piece of a split file, and no other is beside it that begins like a disc "
        "image; put all pieces into one folder, then any of them can be named"
    )


def part_of_a_download(reader: Reader, name: str) -> str | None:
    """Whether it is called as an unfinished download is, or begins with a hole."""
    if _UNFINISHED.search(name) is not None:
        return "is called like a download that is not finished; wait for its end, or go on with it"
    head = min(_HEAD, reader.size)
    if any(reader.read(0, head)):
        return None
    if _holds_data(reader):
        return (
            "begins with zeros where a disc says what it is, and has data further on: a download "
            "that is not finished, or was not copied whole; let it finish"
        )
    places = "" if reader.size <= _CHUNKS_AT_MOST * _CHUNK else ", wherever it was looked at"
    return f"holds nothing but zeros{places}: it was never written; copy or download it again"


def too_short(reader: Reader) -> str | None:
    """Whether it ends before the first byte that tells what a disc is."""
    if reader.size > _DESCRIPTORS:
        return None
    return (
        f"is too short for a disc image ({reader.size} bytes; a disc says what it is from byte "
        f"{_DESCRIPTORS} on); copy or download it again"
    )


def _holds_data(reader: Reader) -> bool:
    """Whether there is anything but zeros, as far as that is looked for."""
    chunks = -(-reader.size // _CHUNK)
    step = max(1, -(-chunks // _CHUNKS_AT_MOST))
    return any(any(reader.read(number * _CHUNK, _CHUNK)) for number in range(0, chunks, step))
