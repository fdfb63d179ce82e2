"""UIF (.uif), the image format of MagicISO: runs of sectors, zeros, stored, zlib or LZMA.

The file ends with a descriptor, which leads to the table of runs. The layout is known from those
who took it apart; MagicISO has never told it.
"""

import shlex
import struct
from collections.abc import Callable
from typing import NamedTuple

from isomount import codecs
from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.packed.damaged import damaged
from isomount.containers.packed.runs import STORED, ZERO, Run, RunsSource, RunTable
from isomount.errors import DamagedDataError, MissingPackageError, NotAnImageError
from isomount.sources import Source

# Magic, size, version, type, 4 bytes, sectors, sector size, bytes used of the last sector, table,
# size of table and descriptor, hash, four bytes about encryption, 4 bytes.
_DESCRIPTOR = struct.Struct("<4s4xHH4xIIIQI16sBB2x4x")
_MAGIC = b"bbis"
_KIND = "a MagicISO image (.uif)"
# Magic, size from the next field but one on, whether it is compressed, number of runs.
_TABLE = struct.Struct("<4sIII")
_PLAIN_TABLE, _ENCRYPTED_TABLE = b"blhr", b"bsdr"
_AFTER_SIZE = 8
# Place, stored size, first sector, sectors, type.
_RUN = struct.Struct("<QIIII")
_RUNS_AT_MOST = 512 << 10
_SECTORS = range(1, 4096 + 1)
# Types of runs, and what they are here.
_PACKED = 5
_KINDS = {1: STORED, 3: ZERO, _PACKED: _PACKED}
# From this version on, zlib gives way to LZMA.
_WITH_LZMA = 3
# LZMA: a byte for the x86 filter, properties, 8 bytes for the size, which is known.
_FILTER, _PROPERTIES, _SIZE = 1, 5, 8
# Encryption by a key of MagicISO's own: since version 2, by the first byte about it alone, or by
# the second one.
_WITH_KEYS, _KEYS, _SCRAMBLED = 2, 0x10, 2


class _Descriptor(NamedTuple):
    magic: bytes
    version: int
    type: int
    sectors: int
    sector_size: int
    last: int
    table: int
    table_size: int
    hash: bytes
    key: int
    scrambling: int

    @property
    def is_encrypted(self) -> bool:
        if self.version < _WITH_KEYS:
            return False
        return self.scrambling == _SCRAMBLED or 0 < self.key <= _KEYS

    @property
    def size(self) -> int:
        unused = self.sector_size - self.last if 0 < self.last < self.sector_size else 0
        return self.sectors * self.sector_size - unused


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The image in a UIF file: an .iso, or raw sectors.

    Raises OtherKindError, NotAnImageError or DamagedImageError.
    """
    descriptor = _descriptor(file)
    head = file.read_at(descriptor.table, _TABLE.size)
    if descriptor.is_encrypted or head.startswith(_ENCRYPTED_TABLE):
        raise NotAnImageError(
            f"{file.name}: is encrypted by MagicISO, which isomount does not undo; uif2iso makes "
            f"an .iso of it: uif2iso {shlex.quote(file.name)} disc.iso"
        )
    if len(head) < _TABLE.size or not head.startswith(_PLAIN_TABLE):
        raise damaged(file, _KIND, "table of contents")
    unpacker = _unpack_lzma if descriptor.version >= _WITH_LZMA else codecs.inflate
    runs = _runs(file, descriptor, head, unpacker)
    return RunsSource(file, descriptor.size, runs, {_PACKED: unpacker}, surroundings.store)


def _descriptor(file: Source) -> _Descriptor:
    data = file.read_at(max(0, file.size - _DESCRIPTOR.size), _DESCRIPTOR.size)
    if len(data) < _DESCRIPTOR.size or not data.startswith(_MAGIC):
        raise OtherKindError
    descriptor = _Descriptor(*_DESCRIPTOR.unpack(data))
    if descriptor.sector_size not in _SECTORS or not descriptor.sectors:
        raise damaged(file, _KIND, "table of contents")
    return descriptor


def _runs(
    file: Source,
    descriptor: _Descriptor,
    head: bytes,
    unpacker: Callable[[bytes, int], bytes],
) -> RunTable:
    """The table of runs."""
    _, size, is_compressed, count = _TABLE.unpack(head)
    wanted = count * _RUN.size
    size = max(0, size - _AFTER_SIZE) if is_compressed else wanted
    if not 0 < count <= _RUNS_AT_MOST or descriptor.table + size > file.size:
        raise damaged(file, _KIND, "table of contents")
    table = file.read_at(descriptor.table + _TABLE.size, size)
    if is_compressed:
        try:
            table = unpacker(table, wanted)
        except MissingPackageError:
            raise
        except DamagedDataError as error:
            raise damaged(file, _KIND, "table of contents") from error
    if len(table) < wanted:
        raise damaged(file, _KIND, "table of contents")
    runs = RunTable()
    for place, stored, first, sectors, kind in _RUN.iter_unpack(table):
        start, length = first * descriptor.sector_size, sectors * descriptor.sector_size
        # An unknown kind is an error where it is read, not here.
        runs.add(Run(start, length, _KINDS.get(kind, kind + _PACKED), place, stored))
    return runs


def _unpack_lzma(stored: bytes, size: int) -> bytes:
    """LZMA behind a header of MagicISO's own."""
    data_at = _FILTER + _PROPERTIES + _SIZE
    if len(stored) < data_at:
        raise DamagedDataError("lzma data is damaged: it is too short")
    properties = stored[_FILTER : _FILTER + _PROPERTIES]
    data = codecs.unpack_lzma_raw(stored[data_at:], size, properties)
    return codecs.without_x86_filter(data) if stored[0] else data
