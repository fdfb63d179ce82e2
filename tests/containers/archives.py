"""Archives made out of bytes, where there is no free writer or none that makes such mistakes."""

import io
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable

from isomount.blocks import Store
from isomount.containers.base import Surroundings
from isomount.containers.siblings import NoSiblings

Members = Iterable[tuple[str, bytes]]


def image(size: int = 100_000, seed: int = 0) -> bytes:
    """What begins like a plain image: bytes by chance, with the mark of a volume descriptor."""
    data = bytearray(random.Random(seed).randbytes(size // 2) + bytes(size - size // 2))
    data[32768:32774] = b"\1CD001"
    return bytes(data)


def surroundings() -> Surroundings:
    """Those of a file object."""
    return Surroundings(NoSiblings(), Store())


def zipped(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def tarred(members: Members, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members:
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return file.getvalue()


def rar4(members: Members, flags: int = 0) -> bytes:
    """A RAR archive of version 4 with stored members; ``flags`` are those of the archive."""
    parts = [b"Rar!\x1a\7\0", _header4(0x73, flags, bytes(6))]
    for name, data in members:
        fields = struct.pack(
            "<IIBIIBBHI",
            *(len(data), len(data), 3, zlib.crc32(data), 0, 20, 0x30, len(name), 0o100644),
        )
        parts += [_header4(0x74, 0x8000, fields + name.encode()), data]
    return b"".join([*parts, _header4(0x7B, 0x4000, b"")])


def _header4(kind: int, flags: int, fields: bytes) -> bytes:
    body = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body


def rar5(members: Members, flags: int = 0, kind: int = 1) -> bytes:
    """A RAR archive of version 5 with stored members; ``kind`` is the first header's, 1 as a rule,
    ``flags`` are those of the archive."""
    parts = [b"Rar!\x1a\7\1\0", _header5(kind, 0, _number5(flags))]
    for name, data in members:
        fields = b"".join(
            [
                *(_number5(4), _number5(len(data)), _number5(0o100644)),
                *(struct.pack("<I", zlib.crc32(data)), _number5(0), _number5(1)),
                *(_number5(len(name.encode())), name.encode()),
            ]
        )
        parts += [_header5(2, 2, _number5(len(data)) + fields), data]
    return b"".join([*parts, _header5(5, 0, _number5(0))])


def _header5(kind: int, flags: int, fields: bytes) -> bytes:
    body = _number5(kind) + _number5(flags) + fields
    sized = _number5(len(body)) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized


def _number5(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
