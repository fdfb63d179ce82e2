"""How members of zip archives are packed (APPNOTE.TXT 4.4.5)."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from isomount import codecs
from isomount.containers.archives.decode import SMALL, decoded
from isomount.containers.base import Surroundings
from isomount.containers.kept import key_of
from isomount.errors import DamagedDataError, DamagedImageError, IsomountError, NotAnImageError
from isomount.sources import Source
from isomount.text import readable_size

STORED = 0
_DEFLATED, _BZIP2, _LZMA, _ZSTD_OLD, _ZSTD, _XZ = 8, 12, 14, 20, 93, 95
_NAMES = {1: "shrunk", 6: "imploded", 9: "Deflate64", 97: "WavPack", 98: "PPMd", 99: "AES"}
# What becomes of a byte at most: in deflate 1032 (two bits for 258 bytes, RFC 1951 3.2.5); bzip2
# and LZMA do better on nothing but zeros, which no image is.
_GROWTH_AT_MOST, _HEADERS = 1032, 64 << 10
_CHUNK = 256 << 10
_DICTIONARY_AT_MOST = 64 << 20
_ZSTD_WINDOW_AT_MOST = 128 << 20
# Version and length of what follows; lc, lp and pb in a byte, the dictionary's size (5.8.8).
_LZMA_HEADER = 9


def unpacked(packed: Source, method: int, size: int, surroundings: Surroundings) -> Source:
    """The ``size`` bytes that are packed in ``packed`` by ``method``.

    Raises NotAnImageError for a method that is not known, and DamagedImageError for a size that
    cannot be.
    """
    if size > packed.size * _GROWTH_AT_MOST + _HEADERS:
        raise DamagedImageError(
            f"{packed.name}: says that {readable_size(size)} come of {readable_size(packed.size)}, "
            "which no disc image does; copy or download it again"
        )
    chunks = _CHUNKS.get(method)
    if chunks is None:
        name = _NAMES.get(method, f"method {method}")
        raise NotAnImageError(
            f"{packed.name}: is packed in a way that is not read ({name}); "
            "unpack it first, with: 7z x ARCHIVE"
        )
    key = key_of(packed, "zip", str(method), str(size))
    if method == _DEFLATED and size > SMALL:
        from isomount.containers.streams.deflated import DeflateStream  # small ones do without

        return DeflateStream(packed, size, key)
    return decoded(packed.name, size, key, lambda: chunks(_Input(packed)), surroundings)


class _Input:
    """Packed bytes in order."""

    def __init__(self, packed: Source) -> None:
        self._packed = packed
        self._at = 0

    def read(self, length: int) -> bytes:
        """The next ``length`` bytes, fewer at the end."""
        data = self._packed.read_at(self._at, length)
        self._at += len(data)
        return data


def _pushed(stream: _Input, decoder: Any) -> Iterator[bytes]:
    """What comes of ``stream`` by a decoder of the standard library, in pieces of bounded size.

    Those of bz2 and lzma keep what they have not decoded yet, those of zlib hand it back.
    """
    left = b""
    while not decoder.eof:
        given = left or (stream.read(_CHUNK) if getattr(decoder, "needs_input", True) else b"")
        with _damage_told():
            chunk = decoder.decompress(given, _CHUNK)
        left = getattr(decoder, "unconsumed_tail", b"")
        if not (chunk or given):
            raise EOFError("it is cut off")
        if chunk:
            yield chunk


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (IsomountError, OSError):
        raise
    except Exception as error:  # each codec has exceptions of its own for damaged data
        raise DamagedDataError(f"the compressed data is damaged: {error}") from error


def _inflated(stream: _Input) -> Iterator[bytes]:
    return _pushed(stream, zlib.decompressobj(-zlib.MAX_WBITS))


def _bzip2(stream: _Input) -> Iterator[bytes]:
    return _pushed(stream, bz2.BZ2Decompressor())


def _lzma(stream: _Input) -> Iterator[bytes]:
    header = stream.read(_LZMA_HEADER)
    dictionary = int.from_bytes(header[5:9], "little")
    if len(header) < _LZMA_HEADER or header[4] >= 9 * 5 * 5 or dictionary > _DICTIONARY_AT_MOST:
        raise DamagedDataError("the header of the LZMA data is damaged")
    rest, lc = divmod(header[4], 9)
    pb, lp = divmod(rest, 5)
    settings = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}
    with _damage_told():
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[settings])
    return _pushed(stream, decoder)


def _xz(stream: _Input) -> Iterator[bytes]:
    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DICTIONARY_AT_MOST + (16 << 20))
    return _pushed(stream, decoder)


def _zstd(stream: _Input) -> Iterator[bytes]:
    decoder = codecs.package("zstandard").ZstdDecompressor(max_window_size=_ZSTD_WINDOW_AT_MOST)
    with _damage_told(), decoder.stream_reader(stream, read_size=_CHUNK) as reader:
        while chunk := reader.read(_CHUNK):
            yield chunk


_CHUNKS: dict[int, Callable[[_Input], Iterator[bytes]]] = {
    _DEFLATED: _inflated,
    _BZIP2: _bzip2,
    _LZMA: _lzma,
    _ZSTD_OLD: _zstd,
    _ZSTD: _zstd,
    _XZ: _xz,
}
