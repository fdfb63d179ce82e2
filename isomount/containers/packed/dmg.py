"""UDIF (.dmg), the disk images of a Mac: runs that are zeros, stored, or packed by one of several.

A trailer leads to a property list, or in old images to a resource fork, in which blocks tell where
the runs of each partition are. The layout is known from those who took it apart.
"""

import re
import shlex
import struct
from typing import NamedTuple

from isomount import codecs
from isomount.containers.base import OtherKindError, Surroundings, closed_on_failure
from isomount.containers.packed.adc import unpack_adc
from isomount.containers.packed.damaged import damaged
from isomount.containers.packed.dmg_blocks import KIND, blocks_of
from isomount.containers.packed.parts import JoinedSource, Numbering, Stretch, open_part
from isomount.containers.packed.runs import STORED, ZERO, Run, RunsSource, RunTable
from isomount.errors import DamagedImageError, NotAnImageError
from isomount.sources import Source

# Magic, version, size, flags; where this file's data belong, their place and length; the resource
# fork; number of this file and of all; checksums and others; property list; sectors.
_TRAILER = struct.Struct(">4sIIIQQQQQII16x136xQQ120x136xIQ12x")
_MAGIC = b"koly"
_SECTOR = 512
# Magic, version, first sector, sectors, where its data begin; buffers, id, checksum; runs.
_BLOCK = struct.Struct(">4sIQQQ32x136xI")
_BLOCK_MAGIC = b"mish"
# Type, 4 bytes, first sector within the block, sectors, place, stored size.
_RUN = struct.Struct(">I4xQQQQ")
_RUNS_AT_MOST = 512 << 10
_IGNORE, _COMMENT, _END = 2, 0x7FFFFFFE, 0xFFFFFFFF
_ADC, _ZLIB, _BZIP2, _LZFSE, _XZ = range(0x80000004, 0x80000009)
_UNPACKERS: dict[int, codecs.Codec] = {
    _ADC: unpack_adc,
    _ZLIB: codecs.inflate,
    _BZIP2: codecs.unpack_bzip2,
    _XZ: codecs.unpack_xz,
}
_PARTS_AT_MOST = 1000
# No number of a sector or a byte in an image is larger.
_NUMBER_AT_MOST = 1 << 54

_NUMBERING = Numbering(
    counted=re.compile(r"(.*\.)(\d{3})(\.dmg)", re.IGNORECASE | re.DOTALL),
    endings=(".dmg",),
    later=".{:03}.dmgpart",
    renamed=re.compile(r"(.*)\.(\d{3})\.dmgpart", re.IGNORECASE | re.DOTALL),
    second=2,
)


class _Trailer(NamedTuple):
    magic: bytes
    version: int
    trailer_size: int
    flags: int
    belongs_at: int
    data: int
    data_length: int
    fork: int
    fork_length: int
    part: int
    parts: int
    list: int
    list_length: int
    variant: int
    sectors: int


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """The disk in a UDIF image, of which ``file`` is any part.

    Raises OtherKindError, NotAnImageError, DamagedImageError or ImageUnreadableError.
    """
    trailer = _trailer(file)
    if trailer.parts <= 1 or trailer.part <= 1:
        return _unpacked(file, trailer, surroundings, [file])
    first = open_part(file, surroundings, _NUMBERING, 0)
    with closed_on_failure(first):
        return _unpacked(first, _trailer_of_part(first, 0), surroundings, [file, first])


def _trailer(file: Source) -> _Trailer:
    """The trailer, which some programs put before the data. Raises OtherKindError."""
    for place in (file.size - _TRAILER.size, 0):
        data = file.read_at(max(0, place), _TRAILER.size)
        if len(data) == _TRAILER.size and data.startswith(_MAGIC):
            trailer = _Trailer(*_TRAILER.unpack(data))
            if trailer.trailer_size != _TRAILER.size or trailer.parts > _PARTS_AT_MOST:
                raise damaged(file, KIND, "trailer")
            return trailer
    raise OtherKindError


def _trailer_of_part(part: Source, number: int) -> _Trailer:
    try:
        trailer = _trailer(part)
    except OtherKindError:
        raise damaged(part, KIND, "trailer") from None
    if trailer.part not in (number + 1, 0):
        raise DamagedImageError(
            f"{part.name}: is part {trailer.part} of its image, not {number + 1}, as its name "
            "says; give it its own name"
        )
    return trailer


def _unpacked(
    file: Source, trailer: _Trailer, surroundings: Surroundings, files: list[Source]
) -> Source:
    """The disk whose first part is ``file``. All of ``files`` are closed with it."""
    runs = _runs(file, trailer)
    opened = len(files)
    try:
        stretches = [_data(file, trailer, None)]
        for number in range(1, trailer.parts):
            files.append(part := open_part(file, surroundings, _NUMBERING, number))
            of_part = _trailer_of_part(part, number)
            stretches.append(_data(part, of_part, stretches))
        data = JoinedSource(file.name, stretches, files)
        size = max(trailer.sectors * _SECTOR, runs.end)
        return RunsSource(data, size, runs, _UNPACKERS, surroundings.store)
    except BaseException:  # Ctrl-C too: nobody else would close them
        for part in files[opened:]:
            part.close()
        raise


def _data(part: Source, trailer: _Trailer, before: list[Stretch] | None) -> Stretch:
    """The data of a part, which go on where those ``before`` it end."""
    length = trailer.data_length
    if before is None:
        # Of a single file every place is good that lies in it, whatever its trailer says.
        if trailer.parts <= 1:
            length = max(0, part.size - trailer.data)
    elif trailer.belongs_at != sum(stretch.length for stretch in before):
        raise damaged(part, KIND, "trailer")
    return Stretch(part, trailer.data, length)


def _runs(file: Source, trailer: _Trailer) -> RunTable:
    """The runs of all partitions."""
    if trailer.list_length:
        blocks = blocks_of(file, trailer.list, trailer.list_length)
    else:
        blocks = blocks_of(file, trailer.fork, trailer.fork_length)
    runs = RunTable()
    for block in blocks:
        _add_runs(file, block, runs)
    if not len(runs):
        raise damaged(file, KIND, "list of partitions")
    return runs


def _add_runs(file: Source, block: bytes, runs: RunTable) -> None:
    if len(block) < _BLOCK.size or not block.startswith(_BLOCK_MAGIC):
        raise damaged(file, KIND, "list of partitions")
    _, _, first, _, data, count = _BLOCK.unpack_from(block)
    table = block[_BLOCK.size :][: count * _RUN.size]
    if len(table) < count * _RUN.size or len(runs) + count > _RUNS_AT_MOST:
        raise damaged(file, KIND, "list of partitions")
    for kind, start, sectors, place, stored in _RUN.iter_unpack(table):
        if kind == _END:
            break
        if kind == _COMMENT or not sectors:
            continue
        if kind == _LZFSE:
            raise NotAnImageError(
                f"{file.name}: is a disk image of a Mac compressed by LZFSE, which isomount does "
                f"not read; unpack it with: 7z x {shlex.quote(file.name)}"
            )
        if max(first, start, sectors, data, place, stored) > _NUMBER_AT_MOST:
            raise damaged(file, KIND, "list of partitions")
        kind = ZERO if kind == _IGNORE else kind
        start, length = (first + start) * _SECTOR, sectors * _SECTOR
        runs.add(Run(start, length, kind, data + place, stored))


assert (ZERO, STORED) == (0, 1)  # as UDIF has them
