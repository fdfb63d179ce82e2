"""LZ4 blocks that are followed by padding, which their codec does not take."""

from isomount import codecs
from isomount.errors import DamagedDataError, MissingPackageError

# A length of 15 goes on in further bytes, up to the first that is less than 255 (LZ4 block format).
_MORE, _FURTHER = 15, 255
_OFFSET, _MATCH_AT_LEAST = 2, 4


def unpack_padded(stored: bytes, size: int, most: int) -> bytes:
    """The first ``size`` of at most ``most`` bytes out of an LZ4 block with maybe some padding.

    Raises DamagedDataError.
    """
    try:
        return codecs.unpack_lz4(stored, most)[:size]
    except MissingPackageError:
        raise
    except DamagedDataError:
        ends = (end for each in (size, most) if (end := _end(stored, each)) is not None)
        end = next(ends, len(stored))
        if end == len(stored):
            raise
        return codecs.unpack_lz4(stored[:end], most)[:size]


def _end(stored: bytes, size: int) -> int | None:
    """Where the sequences of a block end that makes ``size`` bytes; None if it does not."""
    at = made = 0
    while at < len(stored):
        token = stored[at]
        literals, at = _length(stored, at + 1, token >> 4)
        at, made = at + literals, made + literals
        if made >= size:
            return at if made == size else None
        match, at = _length(stored, at + _OFFSET, token & _MORE)
        made += match + _MATCH_AT_LEAST
    return None


def _length(stored: bytes, at: int, length: int) -> tuple[int, int]:
    """A length that begins with ``length``, and where what follows it begins."""
    if length == _MORE:
        while at < len(stored):
            length += stored[at]
            at += 1
            if stored[at - 1] < _FURTHER:
                break
    return length, at
