"""Where on the disc a data track begins, by its own bytes: what descriptors say is ambiguous."""

from collections.abc import Sequence

from isomount.containers.discs.assembled import lba
from isomount.containers.discs.disc import Mode, Run
from isomount.errors import IsomountError
from isomount.sources import Source

_SECTOR = 2048
# What begins each raw sector of data, and the header behind it (ECMA-130 14.2).
_SYNC = b"\0" + b"\xff" * 10 + b"\0"
_RAW, _MODE_AT = 2352, 15
# Where user data is in sectors stored without sync and header.
_DATA_AT = {2048: 0, 2056: 8, 2324: 0, 2332: 8, 2336: 8}
# The first volume descriptor, and the extent of the root directory there (ECMA-119 8.4).
_DESCRIPTOR, _PRIMARY = 16, b"\1CD001"
_ROOT_EXTENT = slice(158, 162)
# Where a directory's record of itself has its extent, and the length and bytes of its name.
_OWN_EXTENT, _OWN_NAME = slice(2, 6), slice(32, 34)
# Where a plain image says what it is.
_RECOGNITION = _DESCRIPTOR * _SECTOR + 1


def is_plain(file: Source) -> bool:
    """Whether ``file`` is an image of ISO 9660 as it is, whatever is at its end."""
    return _read(file, _RECOGNITION, 5) == b"CD001"


def proven(candidates: Sequence[int], run: Run) -> int:
    """That of ``candidates`` for the LBA of ``run`` which its bytes prove; else the first."""
    possible = [each for each in candidates if each >= 0]
    if run.mode is not Mode.AUDIO:
        told = _address(run)
        for candidate in possible:
            if candidate == told or _begins_volume(run, candidate):
                return candidate
    return possible[0] if possible else 0


def _address(run: Run) -> int | None:
    """The LBA in the header of the first raw sector."""
    sector = _read(run.file, run.offset, 16)
    if run.size != _RAW or not sector.startswith(_SYNC) or len(sector) < 16:
        return None
    digits = sector[12:15].hex()
    if not digits.isdecimal():
        return None
    return lba(int(digits[:2]), int(digits[2:4]), int(digits[4:]))


def _begins_volume(run: Run, start: int) -> bool:
    """Whether it holds an ISO 9660 volume that counts from ``start``: its root is found so."""
    descriptor = _sector(run, _DESCRIPTOR)
    if not descriptor.startswith(_PRIMARY):
        return False
    extent = descriptor[_ROOT_EXTENT]
    root = _sector(run, int.from_bytes(extent, "little") - start)
    return root[_OWN_EXTENT] == extent and root[_OWN_NAME] == b"\1\0"


def _sector(run: Run, number: int) -> bytes:
    """The user data of a sector; nothing if it is not there."""
    if not 0 <= number < run.sectors:
        return b""
    at = run.offset + number * run.stride
    within = _DATA_AT.get(run.size)
    if within is None:
        within = 24 if _read(run.file, at + _MODE_AT, 1) == b"\2" else 16
    return _read(run.file, at + within, _SECTOR)


def _read(file: Source, offset: int, length: int) -> bytes:
    """That range; nothing if it cannot be read, which shows when it is needed."""
    try:
        return file.read_at(offset, length)
    except (IsomountError, OSError):
        return b""
