"""The format of LZMA Utils (.lzma, "lzma alone"), which has no mark and no index."""

from isomount.containers.base import OtherKindError, Surroundings
from isomount.containers.copy import decoded_copy
from isomount.containers.kept import key_of
from isomount.containers.streams.xz import refuse_large_dictionary, unpacked
from isomount.errors import DamagedDataError
from isomount.sources import Source

# Properties (1 byte), dictionary size (4), uncompressed size (8), the compressed data.
_HEADER = 13
_UNKNOWN = (1 << 64) - 1
_SIZE_AT_MOST = 1 << 40


def unpack(file: Source, surroundings: Surroundings) -> Source:
    """What is in it. Raises OtherKindError, NotAnImageError or ImageUnreadableError.

    A header is only believed if its dictionary is of a size that encoders write, and if the data
    behind it begins well.
    """
    header = file.read_at(0, _HEADER)
    dictionary = int.from_bytes(header[1:5], "little")
    size = int.from_bytes(header[5:], "little")
    if len(header) < _HEADER or dictionary.bit_count() not in (1, 2):
        raise OtherKindError
    if size != _UNKNOWN and size > _SIZE_AT_MOST:
        raise OtherKindError
    refuse_large_dictionary(file)
    try:
        if not next(unpacked(file), b""):
            raise OtherKindError
    except (DamagedDataError, EOFError) as error:
        raise OtherKindError from error
    return decoded_copy(
        file.name,
        None if size == _UNKNOWN else size,
        key_of(file, "lzma"),
        lambda: unpacked(file),
        surroundings,
        file,
    )
