"""E01 and Ex01: images of disks as forensic programs write them, read by libewf.

An image is cut into parts: .E01, .E02 and so on, after .E99 come .EAA to .EZZ, .FAA ... Each part
has its number in its header, and says at its end whether another follows.
"""

import errno
import io
import os
import posixpath
import struct
import threading
import zlib
from importlib import import_module
from typing import Any, NamedTuple

from isomount.containers.base import Surroundings, closed_on_failure
from isomount.containers.decoded import DecodedSource
from isomount.errors import (
    DamagedDataError,
    DamagedImageError,
    ImageUnreadableError,
    MissingImageError,
    NotAnImageError,
)
from isomount.sources import Source

_EWF1, _EWF2 = b"EVF\t\r\n\xff\0", b"EVF2\r\n\x81\0"
_LOGICAL = (b"LVF\t\r\n\xff\0", b"LEF2\r\n\x81\0")
_MAGIC = 8
# Where the number of the part is: version 1 one byte after the magic, version 2 four.
_NUMBER_1, _NUMBER_2 = (9, struct.Struct("<H")), (12, struct.Struct("<I"))
# The last section of a part says that another follows: its name, or in version 2 its number, at
# the start of a section's descriptor, which has no data and so ends the file.
_DESCRIPTOR_1, _DESCRIPTOR_2 = 76, 64
_NEXT_1, _NEXT_2 = b"next", (0x0D).to_bytes(4, "little")
_PARTS_AT_MOST = 10000
# Numbers up to here are written in digits.
_DIGITS = 99
_LETTERS = 26
# What a file can have: a damaged one may say more.
_SIZE_LIMIT = 1 << 63
# Writers use 32 KiB to 16 MiB (32768 sectors).
_CHUNK_AT_MOST = 16 << 20
# An Adler-32 follows a chunk that is not compressed.
_CHECKSUM = 4


class _Part(NamedTuple):
    """A part that is open. ``has_next`` tells whether another one must follow."""

    file: Source
    number: int
    has_next: bool


class EwfSource(DecodedSource):
    """The disk in the parts of an image."""

    def __init__(
        self, parts: list[Source], handle: Any, stored: list[bytes], size: int, chunk: int
    ) -> None:
        """``handle`` is libewf's, opened on files that put what they read into ``stored``."""
        super().__init__(parts[0], size, chunk)
        self._parts = parts
        self._handle = handle
        self._chunk = chunk
        self._stored = stored
        self._damaged: set[int] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short at the end."""
        length = max(0, min(length, self.size - offset))
        first, end = offset // self._chunk, -(-(offset + length) // self._chunk)
        with self._lock:
            data = b"".join(self._read(number) for number in range(first, end))
        return data[offset - first * self._chunk :][:length]

    def _read(self, number: int) -> bytes:
        """The chunk ``number``."""
        start = number * self._chunk
        length = min(self._chunk, self.size - start)
        self._stored.clear()
        try:
            data = bytes(self._handle.read_buffer_at_offset(length, start))
        except (OSError, MemoryError) as error:
            raise DamagedDataError(f"chunk {number} of the image cannot be read") from error
        if len(data) < length:
            raise DamagedDataError(f"chunk {number} of the image is in no part of it")
        if data == bytes(length) and self._is_damaged(number):
            raise DamagedDataError(f"chunk {number} of the image is damaged")
        return data

    def _is_damaged(self, number: int) -> bool:
        """Whether the chunk, which came as zeros, is stored as something else.

        libewf makes zeros of a chunk whose checksum is wrong, and says so to nobody in Python.
        """
        if self._stored:  # else libewf had the chunk in memory: it was judged before
            stored = self._stored[-1]
            try:
                content = zlib.decompress(stored)
            except zlib.error:
                content = stored[:-_CHECKSUM]
            if content.strip(b"\0"):
                self._damaged.add(number)
        return number in self._damaged

    def close(self) -> None:
        """Close all parts."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._handle.close()
        for part in self._parts:
            part.close()


class _File(io.RawIOBase):
    """A source as libewf wants to have it: a file object."""

    def __init__(self, source: Source, read: list[bytes]) -> None:
        """Whatever is read is the last one in ``read`` then."""
        super().__init__()
        self._source = source
        self._read = read
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes."""
        data = self._source.read_at(self._at, self._source.size if size < 0 else size)
        self._at += len(data)
        self._read[:] = [data]
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """The byte that is next."""
        return self._at

    def get_size(self) -> int:
        """How many bytes there are: libewf asks for this name."""
        return self._source.size


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The disk in an EWF image, any part of which is ``file``.

    Raises NotAnImageError, DamagedImageError, ImageUnreadableError or MissingImageError.
    """
    if file.read_at(0, _MAGIC) in _LOGICAL:
        raise NotAnImageError(
            f"{file.name}: holds single files (logical evidence, L01), no disk; "
            "take them out with: ewfexport -f files FILE"
        )
    pyewf = _package(file.name)
    parts = _parts(_part(file), surroundings)
    try:
        return _opened(file.name, parts, pyewf)
    except BaseException:  # Ctrl-C too: nobody else would close them
        for part in parts:
            if part is not file:  # which is closed by who gave it
                part.close()
        raise


def _opened(name: str, parts: list[Source], pyewf: Any) -> Source:
    stored: list[bytes] = []
    handle = pyewf.handle()
    try:
        handle.open_file_objects([_File(part, stored) for part in parts])
        size, chunk = handle.get_media_size(), handle.get_chunk_size()
    except (OSError, MemoryError) as error:
        raise _damaged(name) from error
    if not 0 < size < _SIZE_LIMIT or not 0 < chunk <= _CHUNK_AT_MOST:
        handle.close()
        raise _damaged(name)
    return EwfSource(parts, handle, stored, size, chunk)


def _damaged(name: str) -> DamagedImageError:
    return DamagedImageError(
        f"{name}: the forensic image (EWF) is damaged, encrypted or of a variant that libewf "
        "cannot open; what it says of itself is told by: ewfinfo FILE"
    )


def _package(name: str) -> Any:
    try:
        return import_module("pyewf")
    except ImportError as error:
        raise NotAnImageError(
            f"{name}: is a forensic image (EWF), and the Python package for it is missing: "
            "install isomount[ewf]"
        ) from error


def _part(file: Source) -> _Part:
    """``file`` as a part. Raises DamagedImageError."""
    head = file.read_at(0, 16)
    is_old = head.startswith(_EWF1)
    at, number = _NUMBER_1 if is_old else _NUMBER_2
    if not head.startswith((_EWF1, _EWF2)) or len(head) < at + number.size:
        raise DamagedImageError(
            f"{file.name}: the forensic image (EWF) is cut off in its header; copy it again"
        )
    size = _DESCRIPTOR_1 if is_old else _DESCRIPTOR_2
    end = file.read_at(max(0, file.size - size), size)
    has_next = end.startswith(_NEXT_1 + b"\0") if is_old else end.startswith(_NEXT_2)
    return _Part(file, number.unpack_from(head, at)[0], has_next)


def _parts(named: _Part, surroundings: Surroundings) -> list[Source]:
    """All parts of the image of which ``named`` is one, in order."""
    if named.number == 1 and not named.has_next:
        return [named.file]
    names = _Names(named, surroundings)
    parts: list[Source] = []
    try:
        for number in range(1, _PARTS_AT_MOST):
            part = named if number == named.number else names.open(number)
            parts.append(part.file)
            if part.number != number:
                raise DamagedImageError(
                    f"{part.file.name}: is part {part.number} of a forensic image (EWF), and is "
                    f"called as part {number}; name it as it was"
                )
            if not part.has_next and number >= named.number:
                return parts
        raise DamagedImageError(f"{named.file.name}: has too many parts")
    except BaseException:  # Ctrl-C too: nobody else would close them
        for opened in parts:
            if opened is not named.file:
                opened.close()
        raise


class _Names:
    """The parts of one image by the names of the files beside it, upper or lower case alike."""

    def __init__(self, named: _Part, surroundings: Surroundings) -> None:
        self._stem, ending = posixpath.splitext(posixpath.basename(named.file.name))
        self._letters = ending[1:-2]  # "E" or "Ex"
        if named.number > _DIGITS:  # then the letter has moved on
            self._letters = "E" if ending[1:2].isupper() else "e"
        self._surroundings = surroundings
        self._there = {name.casefold(): name for name in surroundings.siblings.names()}

    def open(self, number: int) -> _Part:
        """The part ``number``. Raises MissingImageError, DamagedImageError."""
        name = f"{self._stem}.{self._ending(number)}"
        there = self._there.get(name.casefold(), name)
        try:
            file = self._surroundings.siblings.open(there)
        except (ImageUnreadableError, OSError) as error:
            raise MissingImageError(
                errno.ENOENT,
                name,
                "is a part of the forensic image (EWF), and is missing: put "
                "all parts beside each other",
            ) from error
        with closed_on_failure(file):
            return _part(self._surroundings.cached(file))

    def _ending(self, number: int) -> str:
        if number <= _DIGITS:
            return f"{self._letters}{number:02}"
        first, rest = divmod(number - _DIGITS - 1, _LETTERS * _LETTERS)
        letters = self._letters[:-1] + chr(ord(self._letters[-1]) + first)
        a = ord("A" if self._letters[0].isupper() else "a")
        return letters + "".join(chr(a + each) for each in divmod(rest, _LETTERS))
