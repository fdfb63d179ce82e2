"""Directories: a run of file identifier descriptors (ECMA-167 4/8.6, 4/14.4)."""

import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from isomount.blocks import Reader
from isomount.damage import Damage
from isomount.errors import DamagedDataError
from isomount.formats.udf.allocation import EMBEDDED, SHORT, Allocation
from isomount.formats.udf.icb import Icb, content_of
from isomount.formats.udf.space import Space
from isomount.formats.udf.structures import FILE_IDENTIFIER, TAG
from isomount.formats.udf.tags import Soundness, soundness

# File characteristics (4/14.4.3).
HIDDEN, DELETED, PARENT = 1, 4, 8
# File types of ICBs (4/14.6.6) whose data are file identifier descriptors.
DIRECTORY_TYPE, STREAM_DIRECTORY_TYPE = 4, 13

# Identifier of the tag, characteristics, length of the identifier, ICB, length of what the
# implementation put between.
_FID = struct.Struct("<H16xBB4xIH6xH")
_FID_MARK = FILE_IDENTIFIER.to_bytes(2, "little")
# More than the longest descriptor can take (64 KiB of implementation use).
_CHUNK = 128 << 10
# Bytes in a row that hold no descriptor, after which the rest of a directory is given up.
_JUNK_AT_MOST = 1 << 20
# As much of a descriptor as its CRC is computed of: all of it but in the oddest cases.
_SUMMED_AT_MOST = 1024

# Reads a range of the directory's data, the second argument its length.
ReadRange = Callable[[int, int], bytes]


class FileIdentifier(NamedTuple):
    """One entry: its place in the directory, its name as stored and where its ICB is."""

    position: int
    characteristics: int
    identifier: bytes
    icb_block: int
    icb_partition: int


class Listing:
    """Reads the descriptors of one directory of ``size`` bytes in chunks.

    What is no descriptor is skipped up to the next one and noted at image byte ``where``, the
    directory's ICB. With ``mirror`` the same range of the directory's other copy is tried first.
    """

    def __init__(
        self, read: ReadRange, mirror: ReadRange | None, size: int, damage: Damage, where: int
    ) -> None:
        self._read = read
        self._mirror = mirror
        self._size = size
        self._damage = damage
        self._where = where
        self._buffer = b""
        self._base = 0

    def identifiers(self, position: int = 0) -> Iterator[FileIdentifier]:
        """The descriptors from byte ``position`` of the directory on."""
        unpack, head = _FID.unpack_from, _FID.size
        self._buffer, self._base = b"", position
        buffer, base, at = b"", position, 0
        # Where there is another copy, a wrong sum is reason enough to look there.
        doubtful, accepted = self._mirror is not None, -1
        while True:
            if at + head <= len(buffer):
                tag, kind, length, block, partition, use = unpack(buffer, at)
                start = at + head + use
                end = start + length
                if (
                    tag == FILE_IDENTIFIER
                    and end <= len(buffer)
                    and (not doubtful or base + at == accepted or _is_sound(buffer, at))
                ):
                    name = buffer[start:end]
                    yield FileIdentifier(base + at, kind, name, block, partition)
                    at = (end + 3) & ~3
                    continue
            following = self._refill(base + at)
            if following is None:
                return
            buffer, base, at = self._buffer, self._base, following - self._base
            doubtful, accepted = self._mirror is not None, following

    def _refill(self, position: int) -> int | None:
        """Load what holds a whole descriptor at ``position`` or after; where that is, or None."""
        start = position
        while position < self._size:
            if position - start > _JUNK_AT_MOST:
                self._note("nothing but junk for a long stretch, the rest is given up")
                return None
            self._load(position)
            sound = self._begins_well()
            if sound and (self._mirror is None or _is_sound(self._buffer, 0)):
                return position
            if self._use_mirror(position):
                continue
            if sound:
                return position
            position = self._next_mark(position)
        return None

    def _load(self, position: int) -> None:
        """Read the chunk at ``position``; empty where the directory cannot be read."""
        wanted = min(_CHUNK, self._size - position)
        try:
            self._buffer = self._read(position, wanted)
        except DamagedDataError:
            self._buffer = b""
        self._base = position

    def _begins_well(self) -> bool:
        """Whether a whole descriptor stands at the start of the buffer."""
        if len(self._buffer) < _FID.size:
            return False
        tag, _, length, _, _, use = _FID.unpack_from(self._buffer)
        end: int = _FID.size + use + length
        return tag == FILE_IDENTIFIER and end <= len(self._buffer)

    def _use_mirror(self, position: int) -> bool:
        """Go on with the other copy if a descriptor stands there at ``position``."""
        if self._mirror is None:
            return False
        try:
            other = self._mirror(position, min(_SUMMED_AT_MOST, self._size - position))
        except DamagedDataError:
            return False
        if not _is_sound(other, 0):
            return False
        self._note("directory damaged, its mirror is used")
        self._read, self._mirror = self._mirror, None
        return True

    def _next_mark(self, position: int) -> int:
        """The next place behind ``position`` where a descriptor may begin.

        Descriptors begin at multiples of four and have their tag's checksum right.
        """
        buffer = self._buffer
        if not buffer:
            self._note("part of a directory cannot be read")
            return min(position // 512 * 512 + 512, self._size)
        if buffer.strip(b"\0"):
            self._note("junk in a directory is skipped")
        at = buffer.find(_FID_MARK, 1)
        while at >= 0:
            if (position + at) % 4 == 0 and _tag_is_right(buffer, at):
                return position + at
            at = buffer.find(_FID_MARK, at + 1)
        # A tag may straddle the end of what was read.
        return position + max(4, (len(buffer) - TAG.size) & ~3)

    def _note(self, what: str) -> None:
        self._damage.note(self._where, what)


def _is_sound(buffer: bytes, at: int) -> bool:
    """Whether both sums of the descriptor at ``at`` are right."""
    descriptor = buffer[at : at + _SUMMED_AT_MOST]
    return soundness(descriptor, (FILE_IDENTIFIER,)) is Soundness.SOUND


def _tag_is_right(buffer: bytes, at: int) -> bool:
    """Whether the tag's checksum is right; a tag that is cut short may be."""
    tag = buffer[at : at + TAG.size]
    return len(tag) < TAG.size or (sum(tag) - tag[4]) & 0xFF == tag[4]


def open_directory(reader: Reader, space: Space, icb: Icb) -> Listing:
    """The directory or stream directory that ``icb`` describes. Raises DamagedDataError."""
    entry = icb.entry
    if entry.file_type not in (DIRECTORY_TYPE, STREAM_DIRECTORY_TYPE):
        raise DamagedDataError(f"the file entry at byte {icb.offset} is no directory's")
    content = content_of(reader, space, icb)
    size = min(content.size, reader.size)
    kind = entry.flags & 7
    if size == 0 or kind == EMBEDDED:
        return Listing(partial(content.read, reader), None, size, space.damage, icb.offset)
    start = icb.offset + icb.body + entry.attributes_length
    data = Allocation(space, icb.partition, kind, content.size, start, entry.descriptors_length)
    mirrored = kind == SHORT and space.partitions[icb.partition].is_mirrored
    mirror = partial(data.read, reader, mirror=True) if mirrored else None
    return Listing(partial(data.read, reader), mirror, size, space.damage, icb.offset)
