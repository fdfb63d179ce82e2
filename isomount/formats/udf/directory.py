"""Directories: sequences of file identifier descriptors (ECMA-167 4/8.6, 4/14.4)."""

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
# ICB file types (4/14.6.6) whose data is a sequence of file identifier descriptors.
DIRECTORY_TYPE, STREAM_DIRECTORY_TYPE = 4, 13

# Tag identifier, characteristics, length of the file identifier, ICB, length of implementation use.
_FID = struct.Struct("<H16xBB4xIH6xH")
_FID_MARK = FILE_IDENTIFIER.to_bytes(2, "little")
# More than the longest descriptor (which has 64 KiB of implementation use).
_CHUNK = 128 << 10
# After this many consecutive bytes without a descriptor, the rest of a directory is given up.
_JUNK_AT_MOST = 1 << 20
# At most this much of a descriptor is read for its CRC; in practice they are shorter.
_SUMMED_AT_MOST = 1024

# Reads a range of the directory's data, given offset and length.
ReadRange = Callable[[int, int], bytes]


class FileIdentifier(NamedTuple):
    """One entry: its position in the directory, its name as stored, the address of its ICB."""

    position: int
    characteristics: int
    identifier: bytes
    icb_block: int
    icb_partition: int


class Listing:
    """Reads the descriptors of one directory of ``size`` bytes in chunks.

    Bytes that are not a valid descriptor are skipped up to the next one, and noted at image byte
    ``where``, the directory's ICB. If there is a ``mirror``, the same range of it is tried first.
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
        # If there is a second copy, a wrong checksum or CRC is reason enough to try it.
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
        """Load the next complete descriptor at or after ``position``; its position, or None."""
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
        """Read the chunk at ``position``; the buffer is empty if it cannot be read."""
        wanted = min(_CHUNK, self._size - position)
        try:
            self._buffer = self._read(position, wanted)
        except DamagedDataError:
            self._buffer = b""
        self._base = position

    def _begins_well(self) -> bool:
        """Whether the buffer starts with a complete descriptor."""
        if len(self._buffer) < _FID.size:
            return False
        tag, _, length, _, _, use = _FID.unpack_from(self._buffer)
        end: int = _FID.size + use + length
        return tag == FILE_IDENTIFIER and end <= len(self._buffer)

    def _use_mirror(self, position: int) -> bool:
        """Continue with the second copy if it has a sound descriptor at ``position``."""
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
        """The next position after ``position`` where a descriptor may begin.

        Descriptors begin at multiples of four, and the checksum of their tag is correct.
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
        # A tag may extend past the end of the buffer.
        return position + max(4, (len(buffer) - TAG.size) & ~3)

    def _note(self, what: str) -> None:
        self._damage.note(self._where, what)


def _is_sound(buffer: bytes, at: int) -> bool:
    """Whether checksum and CRC of the descriptor at ``at`` are correct."""
    descriptor = buffer[at : at + _SUMMED_AT_MOST]
    return soundness(descriptor, (FILE_IDENTIFIER,)) is Soundness.SOUND


def _tag_is_right(buffer: bytes, at: int) -> bool:
    """Whether the tag's checksum is correct; True for a truncated tag, as it is unknown."""
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
