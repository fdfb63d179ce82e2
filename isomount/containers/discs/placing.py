"""Where on the disc a data track begins, by its own bytes: what descriptors say is ambiguous."""

from collections.abc import Sequence

from isomount.containers.discs.disc import Mode, Run
from isomount.containers.discs.stored import RAW, address, read

_SECTOR = 2048
# Where a raw sector says its mode (ECMA-130 14.2).
_MODE_AT = 15
# Where user data is in sectors stored without sync and header.
_DATA_AT = {2048: 0, 2056: 8, 2324: 0, 2332: 8, 2336: 8}
# The first volume descriptor, and the extent of the root directory there (ECMA-119 8.4).
_DESCRIPTOR, _PRIMARY = 16, b"\1CD001"
_ROOT_EXTENT = slice(158, 162)
# Where a directory's record of itself has its extent, and the length and bytes of its name.
_OWN_EXTENT, _OWN_NAME = slice(2, 6), slice(32, 34)


def proven(candidates: Sequence[int], run: Run) -> int:
    """That of ``candidates`` for the LBA of ``run`` which its bytes prove; else the first."""
    possible = [each for each in candidates if each >= 0]
    if run.mode is not Mode.AUDIO:
        told = address(run.file, run.offset) if run.size == RAW else None
        for candidate in possible:
            if candidate == told or _begins_volume(run, candidate):
                return candidate
    return possible[0] if possible else 0


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
        within = 24 if read(run.file, at + _MODE_AT, 1) == b"\2" else 16
    return read(run.file, at + within, _SECTOR)
