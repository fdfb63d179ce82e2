"""Decompression, by the fastest package there is.

Each function takes stored bytes and the most that may come of them, and returns what comes. Bytes
that are damaged raise DamagedDataError, a package that is missing raises MissingPackageError.
"""

import binascii
import bz2
import lzma
import threading
import zlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from isomount.errors import DamagedDataError, MissingPackageError

# Enough for xz -9 (65 MiB), and a bound for hostile data.
_XZ_MEMORY = 80 << 20
_ZSTD_WINDOW = 1 << 27
# The least that liblzma takes as a dictionary; the most that an LZMA2 chunk holds uncompressed.
_LZMA_DICTIONARY, _LZMA2_CHUNK = 4096, 1 << 16
_LZ4_FRAME = b"\x04\x22\x4d\x18"
# Modules as zlib of whole blocks, the fastest first: on blocks of 2 KiB to 1 MiB isal takes 0.8 to
# 0.4 times, zlib-ng 0.9 to 0.6 times what zlib takes. All of them let other threads go on.
_DEFLATE = ("isal.isal_zlib", "zlib_ng.zlib_ng")
# Window bits of zlib streams (RFC 1950) and of deflate without a header (RFC 1951).
_ZLIB, _RAW = zlib.MAX_WBITS, -zlib.MAX_WBITS

Codec = Callable[[bytes, int], bytes]


def inflate(stored: bytes, size: int) -> bytes:
    """A zlib stream (RFC 1950)."""
    return _decoded("zlib", lambda: _inflated(stored, size, _ZLIB))


def inflate_raw(stored: bytes, size: int) -> bytes:
    """Deflate without header (RFC 1951)."""
    return _decoded("deflate", lambda: _inflated(stored, size, _RAW))


def unpack_bzip2(stored: bytes, size: int) -> bytes:
    """A bzip2 stream."""
    return _decoded("bzip2", lambda: bz2.BZ2Decompressor().decompress(stored, size))


def unpack_xz(stored: bytes, size: int) -> bytes:
    """An xz or lzma stream."""
    return _decoded(
        "xz", lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(stored, size)
    )


def unpack_lzma_raw(stored: bytes, size: int, properties: bytes) -> bytes:
    """LZMA without a header: its ``properties``, which are 5 bytes of that, are elsewhere."""
    most, literals = divmod(properties[0], 9 * 5)
    position, context = divmod(literals, 9)
    form = {
        "id": lzma.FILTER_LZMA1,
        # What comes of it is no longer than this, and refers to nothing before.
        "dict_size": max(_LZMA_DICTIONARY, min(int.from_bytes(properties[1:5], "little"), size)),
        "lc": context,
        "lp": position,
        "pb": most,
    }
    return _decoded(
        "lzma",
        lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[form]).decompress(stored, size),
    )


def without_x86_filter(data: bytes) -> bytes:
    """``data`` as it was before the x86 filter (BCJ) made its branch targets absolute.

    liblzma has the filter, but not by itself, and keeps the last bytes back where it stands before
    LZMA without an end mark: so it gets the data again as LZMA2 that is not compressed.
    """
    chunks = bytearray()
    for start in range(0, len(data), _LZMA2_CHUNK):
        chunk = data[start : start + _LZMA2_CHUNK]
        chunks += b"\2" if start else b"\1"  # not compressed; the first one begins anew
        chunks += (len(chunk) - 1).to_bytes(2, "big") + chunk
    chunks += b"\0"
    form = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "dict_size": _LZMA_DICTIONARY}]
    return _decoded(
        "x86",
        lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=form).decompress(chunks),
    )


def unpack_lz4(stored: bytes, size: int) -> bytes:
    """An LZ4 frame, or a block of exactly ``size`` bytes."""
    if stored.startswith(_LZ4_FRAME):
        frame = package("lz4.frame")
        return _decoded("lz4", lambda: bytes(frame.LZ4FrameDecompressor().decompress(stored, size)))
    return unpack_lz4_block(stored, size)


def unpack_lz4_block(stored: bytes, size: int) -> bytes:
    """An LZ4 block of at most ``size`` bytes, whatever it begins with."""
    block = package("lz4.block")
    return _decoded("lz4", lambda: bytes(block.decompress(stored, uncompressed_size=size)))


def unpack_zstd(stored: bytes, size: int) -> bytes:
    """A zstd frame (RFC 8878)."""
    zstandard = package("zstandard")
    # One for each thread, as they cannot be shared, and making one takes longer than a small block.
    decompressor = getattr(_own, "zstd", None)
    if decompressor is None:
        decompressor = _own.zstd = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)

    def unpacked() -> bytes:
        # At once where the frame says its size; it is not believed if it says too much.
        if 0 < zstandard.frame_content_size(stored) <= size:
            return bytes(decompressor.decompress(stored))
        with decompressor.stream_reader(stored) as stream:
            return bytes(stream.read(size))

    return _decoded("zstd", unpacked)


def crc16(data: bytes) -> int:
    """The CRC-16 of ITU-T V.41 that starts with all bits set ("CCITT")."""
    return _crc16()(data)


def package(name: str) -> Any:
    """The module ``name`` of a package that Python does not bring along."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingPackageError(
            f"the Python package for {name.partition('.')[0]} is missing: install isomount[codecs]"
        ) from error


def _decoded(codec: str, decode: Callable[[], bytes]) -> bytes:
    try:
        return decode()
    except Exception as error:  # each codec has exceptions of its own for damaged data
        raise DamagedDataError(f"{codec} data is damaged: {error}") from error


_own = threading.local()


@cache
def _deflate() -> Any:
    """The fastest module that does what zlib does: found out once."""
    for name in _DEFLATE:
        try:
            return import_module(name)
        except ImportError:
            continue
    return zlib


def _inflated(stored: bytes, size: int, window: int) -> bytes:
    if size <= 0:  # no bound, to zlib
        return b""
    fastest = _deflate()
    if fastest is not zlib:
        try:
            unpacked: bytes = fastest.decompressobj(window).decompress(stored, size)
            return unpacked
        except fastest.error:
            pass  # zlib has the last word on what is damaged, and gives words for it
    return zlib.decompressobj(window).decompress(stored, size)


@cache
def _crc16() -> Callable[[bytes], int]:
    """Fastcrc takes a twentieth of the time that Python's own takes."""
    try:
        fastest: Callable[[bytes], int] = import_module("fastcrc").crc16.ibm_3740
    except ImportError:
        return lambda data: binascii.crc_hqx(data, 0xFFFF)
    return fastest
