"""The header of a CHD file, versions 1 to 5. All numbers are big-endian.

The layout is known from its writers only; there is no standard.
"""

import struct
from typing import NamedTuple

from isomount.errors import DamagedImageError, NotAnImageError
from isomount.sources import Source

MAGIC = b"MComprHD"
# Magic, header length, version.
_START = struct.Struct(">8sII")
# Bytes of the header in each version, the first three fields included.
SIZES = {1: 76, 2: 80, 3: 120, 4: 108, 5: 124}
HASH = 20  # bytes of a SHA-1
_MD5 = 16
# A hunk is decoded whole, and kept so by the block cache. chdman makes 1 MiB at most.
HUNK_AT_MOST = 4 << 20
# As many hunks as a disc of 16 GB has at 4096 bytes; version 5 takes 12 bytes of memory for each.
_HUNKS_AT_MOST = 4 << 20
_NO_CODEC = bytes(4)
_DEFLATE = b"zlib"
# The compression field of versions 1 to 4: none, zlib, zlib with more effort. 3 is video.
_OLD_CODECS = {0: _NO_CODEC, 1: _DEFLATE, 2: _DEFLATE}
_VIDEO = b"avhu"
# The bit of the flags in versions 1 to 4 which says that there is a parent.
_HAS_PARENT = 1
_SECTOR = 512
_AGAIN = "copy it again"


class Header(NamedTuple):
    """What a header says.

    ``size`` is that of the content, ``hunk_size`` and ``unit_size`` are in bytes too; parents are
    referred to in units. ``codecs`` are their four tags. ``metadata_at`` is 0 if there is none.
    ``identity`` is the SHA-1 of the content (an MD5 before version 3), by which a child names this
    file; ``parent`` is that of the file that this one needs, b"" if it needs none.
    """

    version: int
    size: int
    hunk_size: int
    unit_size: int
    hunks: int
    codecs: tuple[bytes, ...]
    map_at: int
    metadata_at: int
    identity: bytes
    parent: bytes

    @property
    def is_compressed(self) -> bool:
        """Whether any codec is named."""
        return self.codecs[0] != _NO_CODEC


def read_header(file: Source) -> Header:
    """The header of ``file``, which begins with the magic.

    Raises DamagedImageError, or NotAnImageError for a version or a content that is not read.
    """
    start = file.read_at(0, _START.size)
    if len(start) < _START.size:
        raise DamagedImageError(f"{file.name}: is cut off in its header; {_AGAIN}")
    _, length, version = _START.unpack(start)
    if version not in SIZES:
        raise NotAnImageError(
            f"{file.name}: is a CHD file of version {version}, and 1 to 5 are known; make it anew "
            f"with an older chdman"
        )
    data = file.read_at(0, SIZES[version])
    if length != SIZES[version] or len(data) < length:
        raise DamagedImageError(f"{file.name}: the header of the CHD file is damaged; {_AGAIN}")
    header = _READ[version](data)
    if _VIDEO in header.codecs:
        raise NotAnImageError(
            f"{file.name}: is the video of a LaserDisc (CHD), which has no files; "
            f"take its video out with: chdman extractld -i FILE -o disc.avi"
        )
    _check(file, header)
    return header


def _check(file: Source, header: Header) -> None:
    if not 0 < header.hunk_size <= HUNK_AT_MOST or not 0 < header.unit_size <= header.hunk_size:
        raise DamagedImageError(
            f"{file.name}: the header of the CHD file is damaged: hunks of {header.hunk_size} bytes"
        )
    if header.hunks > _HUNKS_AT_MOST:
        raise NotAnImageError(
            f"{file.name}: is a CHD file of {header.hunks} hunks, and {_HUNKS_AT_MOST} are read "
            f"at most; make it anew with larger hunks: chdman copy -hs 65536 -i FILE -o new.chd"
        )
    if not header.size or header.size > header.hunks * header.hunk_size:
        raise DamagedImageError(
            f"{file.name}: the header of the CHD file is damaged: its size is {header.size} bytes "
            f"in {header.hunks} hunks"
        )


def _hash(data: bytes) -> bytes:
    """A hash of a file; all zeros say that there is none."""
    return data if any(data) else b""


def _read_5(data: bytes) -> Header:
    names, size, map_at, metadata_at, hunk, unit = struct.unpack_from(">16sQQQII", data, 16)
    codecs = tuple(names[at : at + 4] for at in range(0, 16, 4))
    count = -(-size // hunk) if hunk else 0
    identity, parent = data[84:104], _hash(data[104:124])
    return Header(5, size, hunk, unit, count, codecs, map_at, metadata_at, identity, parent)


def _read_3_or_4(data: bytes) -> Header:
    version = int.from_bytes(data[12:16])
    flags, codec, count, size, metadata_at = struct.unpack_from(">IIIQQ", data, 16)
    at = 76 if version == 3 else 44  # version 3 has MD5 sums before it
    hunk = int.from_bytes(data[at : at + 4])
    return Header(
        version=version,
        size=size,
        hunk_size=hunk,
        unit_size=hunk,
        hunks=count,
        codecs=(_old_codec(codec),),
        map_at=SIZES[version],
        metadata_at=metadata_at,
        identity=data[at + 4 : at + 24],
        parent=_hash(data[at + 24 : at + 44]) if flags & _HAS_PARENT else b"",
    )


def _read_1_or_2(data: bytes) -> Header:
    version = int.from_bytes(data[12:16])
    flags, codec, sectors, count, cylinders, heads, each = struct.unpack_from(">7I", data, 16)
    sector = int.from_bytes(data[76:80]) if version == 2 else _SECTOR
    hunk = sectors * sector
    return Header(
        version=version,
        size=cylinders * heads * each * sector,
        hunk_size=hunk,
        unit_size=hunk,
        hunks=count,
        codecs=(_old_codec(codec),),
        map_at=SIZES[version],
        metadata_at=0,
        identity=data[44 : 44 + _MD5],
        parent=_hash(data[60 : 60 + _MD5]) if flags & _HAS_PARENT else b"",
    )


def _old_codec(number: int) -> bytes:
    return _OLD_CODECS.get(number, _VIDEO)


_READ = {1: _read_1_or_2, 2: _read_1_or_2, 3: _read_3_or_4, 4: _read_3_or_4, 5: _read_5}
