"""xz (the .xz file format, version 1.2): streams of blocks, each stream with an index at its end.

Any block can be decoded alone. A file of one large block, as "xz" writes without "-T" or
"--block-size", can only be decoded from its beginning.
"""

import lzma
import shlex
from collections.abc import Iterator

from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.copy import decoded_copy
from isomount.containers.kept import key_of
from isomount.containers.streams.units import UNIT_AT_MOST, Decoder, Stored, Unit, UnitSource
from isomount.containers.streams.xz_index import HEADER, MAGIC, indexed
from isomount.errors import DamagedDataError, NotAnImageError
from isomount.sources import Source
from isomount.text import readable_size

# The most that a decoder may take, in bytes: that of "xz -9" takes 65 MiB.
_MEMORY = 80 << 20
# Where the first block's header is, which has the size of its dictionary.
_LOOK = 4096
_AT_ONCE = 128 << 10


class XzSource(UnitSource):
    """What is in a file of several blocks."""

    def decoder(self, unit: Unit) -> Decoder:
        """A decoder for a block: of a stream that begins with it, whatever its check is."""
        return _Block(self._file.read_at(0, HEADER), Stored(self._file, unit.stored, unit.length))


class _Block:
    """Decodes a block."""

    def __init__(self, header: bytes, stored: Stored) -> None:
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY)
        self._stored = stored
        self._input = header

    def read(self, length: int) -> bytes:
        """The next bytes."""
        while True:
            data = _decompressed(self._decompressor, self._input, length)
            self._input = b""
            if data or self._decompressor.eof:
                return data
            if self._decompressor.needs_input:
                self._input = self._stored.read(_AT_ONCE)
                if not self._input:
                    return b""


def _decompressed(decompressor: lzma.LZMADecompressor, data: bytes, length: int) -> bytes:
    try:
        return decompressor.decompress(data, length)
    except (lzma.LZMAError, EOFError, MemoryError) as error:
        raise DamagedDataError(f"xz data is damaged: {error}") from error


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """What is in an xz file.

    Raises NotAnImageError if it needs too much memory, ImageUnreadableError if the disk has no
    room for it.
    """
    if file.read_at(0, len(MAGIC)) != MAGIC:
        raise OtherKindError
    refuse_large_dictionary(file)
    units = indexed(file)
    if units is not None and units.largest <= UNIT_AT_MOST:
        return XzSource(file, units)
    size = None if units is None else units.size
    return decoded_copy(
        file.name, size, key_of(file, "xz"), lambda: unpacked(file), surroundings, file
    )


def refuse_large_dictionary(file: Source) -> None:
    """Raise NotAnImageError if the data needs more memory than a mount may take."""
    try:
        lzma.LZMADecompressor(lzma.FORMAT_AUTO, _MEMORY).decompress(file.read_at(0, _LOOK), 1)
    except lzma.LZMAError as error:
        if "limit" not in str(error):
            return  # whatever else is wrong is told where it is read
        raise NotAnImageError(
            f"{file.name}: needs more than {readable_size(_MEMORY)} of memory to be decompressed, "
            f"which a mount may not take; unpack it first, with: "
            f"xz -dc <{shlex.quote(file.name)} >disc.iso"
        ) from error


def unpacked(file: Source) -> Iterator[bytes]:
    """All of it: of every stream, where it is no xz, of the one of "lzma alone"."""
    stored, data = Stored(file, 0, file.size), b""
    while data := data.lstrip(b"\0") or stored.read(_AT_ONCE):
        if not data.strip(b"\0"):
            data = b""
            continue
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_AUTO, _MEMORY)
        while not decompressor.eof:
            output = _decompressed(decompressor, data, _AT_ONCE)
            data = b""
            if output:
                yield output
            elif decompressor.needs_input and not (data := stored.read(_AT_ONCE)):
                raise EOFError("it is cut off")
        data = decompressor.unused_data
