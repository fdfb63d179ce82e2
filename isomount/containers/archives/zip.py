"""Zip (.zip; APPNOTE.TXT 6.3.10): members behind headers, and a central directory at the end.

Stored members are read where they stand, deflated ones by random access; all else is decoded in
order.
"""

import shlex
import stat
import struct
from collections.abc import Iterator
from typing import NamedTuple

from isomount.containers.archives import packing
from isomount.containers.archives.members import ListedArchive, Part, require_bounded, tidy
from isomount.containers.base import Archive, OtherKindError, Surroundings
from isomount.errors import DamagedImageError, NotAnImageError
from isomount.sources import Source

_LOCAL, _CENTRAL, _SPANNED = b"PK\3\4", b"PK\1\2", b"PK\7\x08"
_END, _END64, _LOCATOR64 = b"PK\5\6", b"PK\6\6", b"PK\6\7"
# End of central directory record (4.3.16): disk, that of the directory, entries here, entries, size
# and offset of the directory, length of the comment.
_END_RECORD = struct.Struct("<4sHHHHIIH")
_COMMENT_AT_MOST = 0xFFFF
# Zip64 end of central directory record (4.3.14), the same numbers, and its locator (4.3.15).
_END64_RECORD = struct.Struct("<4s12xIIQQQQ")
_LOCATOR64_RECORD = struct.Struct("<4s4xQ4x")
# Central directory header (4.3.12): host, flags, method, packed size, size, lengths of name, extra
# field and comment, external attributes, offset of the local header.
_CENTRAL_HEADER = struct.Struct("<4sxB2xHH8xIIHHH4xII")
# Local header (4.3.7): the lengths of name and extra field alone.
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_EXTRA_HEADER = struct.Struct("<HH")
_ZIP64_EXTRA = 1
# What stands in a 32-bit field where the zip64 extra field (4.5.3) has the number.
_ELSEWHERE = 0xFFFFFFFF
# Of an archive, and of a program that unpacks itself; other files may have one at their end.
_BEGINNINGS = (b"PK", b"MZ")
_FLAG_ENCRYPTED, _FLAG_UTF8 = 1, 1 << 11
_HOST_FAT, _HOST_UNIX = 0, 3
_AGAIN = "copy or download it again"
_CHUNK = 1 << 16


class ZipEntry(NamedTuple):
    """A member. ``offset`` is where its local header is in the file."""

    size: int
    packed: int
    offset: int
    method: int
    is_encrypted: bool


class ZipArchive(ListedArchive[ZipEntry]):
    """The members of a zip file."""

    def __init__(self, file: Source, surroundings: Surroundings) -> None:
        """Raises NotAnImageError or DamagedImageError."""
        super().__init__(file, dict(_entries(file, _directory(file))))
        self._surroundings = surroundings

    def _content(self, entry: ZipEntry, path: str) -> Source:
        if entry.is_encrypted:
            raise NotAnImageError(
                f"{path}: is encrypted; unpack it with its password first: "
                f"7z x {shlex.quote(self._file.name)}"
            )
        start = self._start(entry, path)
        if entry.method == packing.STORED:
            return Part(self._file, start, min(entry.size, entry.packed), path)
        packed = Part(self._file, start, entry.packed, path)
        return packing.unpacked(packed, entry.method, entry.size, self._surroundings)

    def _start(self, entry: ZipEntry, path: str) -> int:
        """Where the content of ``entry`` begins."""
        header = self._file.read_at(entry.offset, _LOCAL_HEADER.size)
        if len(header) == _LOCAL_HEADER.size:
            magic, name, extra = _LOCAL_HEADER.unpack(header)
            start: int = entry.offset + _LOCAL_HEADER.size + name + extra
            if magic == _LOCAL and start + entry.packed <= self._file.size:
                return start
        raise DamagedImageError(f"{path}: is not where the archive says it is; {_AGAIN}")


def unpack(file: Source, surroundings: Surroundings) -> Archive:
    """The members of a zip file. Raises OtherKindError, NotAnImageError or DamagedImageError."""
    return ZipArchive(file, surroundings)


class _Directory(NamedTuple):
    """The central directory: its place, and how many bytes are before the archive."""

    start: int
    size: int
    shift: int


def _directory(file: Source) -> _Directory:
    tail_at = max(0, file.size - _END_RECORD.size - _COMMENT_AT_MOST)
    tail = file.read_at(tail_at, file.size - tail_at)
    found = tail.rfind(_END)
    while found >= 0 and len(tail) - found < _END_RECORD.size:
        found = tail.rfind(_END, 0, found)
    if found < 0:
        _refuse_a_volume(file, file.read_at(0, 4) == _SPANNED)
        raise DamagedImageError(
            f"{file.name}: is cut off at byte {file.size}: the zip archive's directory, "
            f"which is at its end, is missing; {_AGAIN}"
        )
    _, disk, _, here, count, size, offset, _ = _END_RECORD.unpack_from(tail, found)
    end, is_other = tail_at + found, not file.read_at(0, 2).startswith(_BEGINNINGS)
    if _ELSEWHERE in (size, offset) or 0xFFFF in (disk, count):
        end, disk, here, count, size, offset = _zip64(file, end, (disk, here, count, size, offset))
    _refuse_a_volume(file, disk != 0 or here != count)
    if is_other:
        raise OtherKindError
    shift = end - size - offset
    if shift < 0:
        raise DamagedImageError(f"{file.name}: the archive's directory is damaged; {_AGAIN}")
    return _Directory(offset + shift, size, shift)


def _refuse_a_volume(file: Source, is_volume: bool) -> None:
    if is_volume:
        raise NotAnImageError(
            f"{file.name}: is a part of a zip archive in several files (.z01 ... .zip), which "
            "cannot be read as they are; join them with: zip -s 0 LAST.zip --out whole.zip"
        )


def _zip64(file: Source, end: int, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Where the record before ``end`` begins, and its numbers instead of these, if it is there."""
    locator = file.read_at(max(0, end - _LOCATOR64_RECORD.size), _LOCATOR64_RECORD.size)
    if len(locator) < _LOCATOR64_RECORD.size:
        return end, *numbers
    magic, offset = _LOCATOR64_RECORD.unpack(locator)
    if magic != _LOCATOR64:
        return end, *numbers
    # Right before the locator too, where bytes before the archive shift it.
    for at in (offset, end - len(locator) - _END64_RECORD.size):
        record = file.read_at(at, _END64_RECORD.size) if 0 <= at < end else b""
        if len(record) == _END64_RECORD.size and record.startswith(_END64):
            _, disk, _, here, count, size, start = _END64_RECORD.unpack(record)
            return at, disk, here, count, size, start
    raise DamagedImageError(f"{file.name}: the archive's directory is damaged; {_AGAIN}")


def _entries(file: Source, directory: _Directory) -> Iterator[tuple[str, ZipEntry]]:
    """The regular files and their tidy names; of what is twice there, the last one counts."""
    cursor, count = _Cursor(file, directory), 0
    while (header := cursor.take(_CENTRAL_HEADER.size)).startswith(_CENTRAL):
        if len(header) < _CENTRAL_HEADER.size:
            break
        record = _CENTRAL_HEADER.unpack(header)
        _, host, flags, method, packed, size, name, extra, comment, attributes, offset = record
        raw, fields = cursor.take(name), cursor.take(extra)
        cursor.take(comment)
        is_link = host == _HOST_UNIX and stat.S_ISLNK(attributes >> 16)
        path = _decoded(raw, flags, host)
        if is_link or not path or path.endswith("/") or not tidy(path):
            continue
        count += 1
        require_bounded(count, file.name)
        size, packed, offset = _large(fields, (size, packed, offset))
        yield (
            tidy(path),
            ZipEntry(size, packed, offset + directory.shift, method, bool(flags & _FLAG_ENCRYPTED)),
        )


def _decoded(raw: bytes, flags: int, host: int) -> str:
    """A name. Without the flag it is CP437 (appendix D), but many write UTF-8 all the same."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        name = raw.decode("utf-8" if flags & _FLAG_UTF8 else "cp437", "replace")
    # Against 4.4.17.1, and known from makers on Windows.
    return name.replace("\\", "/") if host == _HOST_FAT and "/" not in name else name


def _large(fields: bytes, numbers: tuple[int, int, int]) -> tuple[int, int, int]:
    """Size, packed size and offset, each out of the zip64 extra field if it is there (4.5.3)."""
    at = 0
    while at + _EXTRA_HEADER.size <= len(fields):
        kind, length = _EXTRA_HEADER.unpack_from(fields, at)
        at += _EXTRA_HEADER.size
        if kind == _ZIP64_EXTRA:
            body = fields[at : at + length]
            large = iter(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
            size, packed, offset = (next(large, n) if n == _ELSEWHERE else n for n in numbers)
            return size, packed, offset
        at += length
    return numbers


class _Cursor:
    """Reads the central directory from its start to its end, a chunk at a time."""

    def __init__(self, file: Source, directory: _Directory) -> None:
        self._file = file
        self._at = directory.start
        self._end = directory.start + directory.size
        self._held, self._taken = b"", 0

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes; fewer at the end."""
        while len(self._held) < self._taken + length and self._at < self._end:
            chunk = self._file.read_at(self._at, min(_CHUNK, self._end - self._at))
            if not chunk:
                break
            self._held, self._taken = self._held[self._taken :] + chunk, 0
            self._at += len(chunk)
        start = self._taken
        self._taken += length
        return self._held[start : self._taken]
