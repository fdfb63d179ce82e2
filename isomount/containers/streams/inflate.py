"""Deflate (RFC 1951) that can be left at a block's end and taken up again there.

Python's own zlib does not say at which bit it stands, and starts at no bit but the first. The C
library does both: that of the package zlib-ng, which is the fastest, or else the system's zlib.
"""

import ctypes
import ctypes.util
import errno
import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple, Protocol

from isomount import codecs
from isomount.errors import DamagedDataError, IsomountError

# What has to be known of the output to go on: as far back as deflate refers.
WINDOW = 32 << 10

# Values of zlib.h.
_SYNC_FLUSH, _BLOCK = 2, 5
_OK, _STREAM_END, _BUF_ERROR, _MEM_ERROR = 0, 1, -5, -4
# Of ``data_type`` after a call with _BLOCK.
_UNUSED_BITS, _IN_LAST_BLOCK, _AT_BLOCK_END = 7, 64, 128
_RAW = -15


def _stream_fields(count: type, total: type, check: type) -> tuple[tuple[str, type], ...]:
    """Those of z_stream; bytes and the checksum are counted in other types by zlib-ng."""
    return (
        ("next_in", ctypes.c_void_p),
        ("avail_in", count),
        ("total_in", total),
        ("next_out", ctypes.c_void_p),
        ("avail_out", count),
        ("total_out", total),
        ("msg", ctypes.c_char_p),
        ("state", ctypes.c_void_p),
        ("zalloc", ctypes.c_void_p),
        ("zfree", ctypes.c_void_p),
        ("opaque", ctypes.c_void_p),
        ("data_type", ctypes.c_int),
        ("adler", check),
        ("reserved", ctypes.c_ulong),
    )


class _ZlibStream(ctypes.Structure):
    """z_stream of zlib.h."""

    _fields_ = _stream_fields(ctypes.c_uint, ctypes.c_ulong, ctypes.c_ulong)


class _ZlibNgStream(ctypes.Structure):
    """zng_stream of zlib-ng.h."""

    _fields_ = _stream_fields(ctypes.c_uint32, ctypes.c_size_t, ctypes.c_uint32)


class _Library(NamedTuple):
    """A C library, the structure it takes and how it is given one to begin with."""

    stream: Any
    init: Any
    inflate: Any
    prime: Any
    set_dictionary: Any
    get_dictionary: Any
    end: Any


class Inflater(Protocol):
    """A deflate stream from its beginning or a block's on. For one thread at a time."""

    @property
    def unused(self) -> int:
        """How many bytes of what was fed have not been used yet."""

    def feed(self, data: bytes) -> None:
        """Here is more input. What was fed before has been used up."""

    def inflate(self, address: int, room: int) -> int:
        """Write at most ``room`` bytes to memory at ``address``. Returns how many.

        Fewer if the input is used up, or where the stream ends. Raises DamagedDataError.
        """

    def inflate_block(self, address: int, room: int) -> int:
        """As ``inflate``, but no further than to the end of a block."""

    @property
    def is_at_end(self) -> bool:
        """Whether the stream has ended."""

    @property
    def boundary(self) -> int | None:
        """Of the last byte used, how many bits belong to the next block, if one begins here."""

    def window(self) -> bytes:
        """The last bytes of output, as far as the stream may refer to them."""

    def close(self) -> None:
        """Free its memory."""


class _CInflater:
    def __init__(self, library: _Library, window: bytes, bits: int, byte: int) -> None:
        self._library = library
        self._stream = library.stream()
        self._at = ctypes.byref(self._stream)
        self._code = _OK
        self._input = b""
        self._is_open = False
        _require(library.init(self._at))
        self._is_open = True
        if bits:
            _require(library.prime(self._at, bits, byte >> (8 - bits)))
        if window:
            _require(library.set_dictionary(self._at, window, len(window)))

    @property
    def unused(self) -> int:
        return int(self._stream.avail_in)

    def feed(self, data: bytes) -> None:
        self._input = data  # has to live as long as it is pointed to
        self._stream.next_in = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)
        self._stream.avail_in = len(data)

    def inflate(self, address: int, room: int) -> int:
        return self._call(address, room, _SYNC_FLUSH)

    def inflate_block(self, address: int, room: int) -> int:
        return self._call(address, room, _BLOCK)

    def _call(self, address: int, room: int, flush: int) -> int:
        stream = self._stream
        stream.next_out, stream.avail_out = address, room
        self._code = self._library.inflate(self._at, flush)
        if self._code not in (_OK, _STREAM_END, _BUF_ERROR):
            _require(self._code, stream.msg)
        return room - int(stream.avail_out)

    @property
    def is_at_end(self) -> bool:
        return bool(self._code == _STREAM_END)

    @property
    def boundary(self) -> int | None:
        kind = int(self._stream.data_type)
        if self._code != _OK or not kind & _AT_BLOCK_END or kind & _IN_LAST_BLOCK:
            return None
        return kind & _UNUSED_BITS

    def window(self) -> bytes:
        buffer = ctypes.create_string_buffer(WINDOW)
        length = ctypes.c_uint32(WINDOW)
        _require(self._library.get_dictionary(self._at, buffer, ctypes.byref(length)))
        return buffer.raw[: length.value]

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._library.end(self._at)

    def __del__(self) -> None:
        self.close()


def _require(code: int, message: bytes | None = None) -> None:
    if code == _MEM_ERROR:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if code:
        words = (message or b"").decode("ascii", "replace") or f"error {code}"
        raise DamagedDataError(f"deflate data is damaged: {words}")


class _PlainInflater:
    """By Python's own zlib: it cannot be taken up again but where a stream begins."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_RAW)
        self._input = b""

    @property
    def boundary(self) -> int | None:
        return None

    @property
    def unused(self) -> int:
        return len(self._input) or len(self._stream.unused_data)

    def feed(self, data: bytes) -> None:
        self._input = data

    def inflate(self, address: int, room: int) -> int:
        try:
            data = self._stream.decompress(self._input, room)
        except zlib.error as error:
            raise DamagedDataError(f"deflate data is damaged: {error}") from error
        self._input = self._stream.unconsumed_tail
        ctypes.memmove(address, data, len(data))
        return len(data)

    def inflate_block(self, address: int, room: int) -> int:
        return self.inflate(address, room)

    @property
    def is_at_end(self) -> bool:
        return self._stream.eof

    def window(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


def inflater(window: bytes = b"", bits: int = 0, byte: int = 0) -> Inflater:
    """An Inflater for where a stream begins, or for where another one was at a ``boundary``.

    There ``window`` was its window, ``bits`` the boundary and ``byte`` the last byte it had used.
    """
    library = _library()
    return _PlainInflater() if library is None else _CInflater(library, window, bits, byte)


@cache
def _library() -> _Library | None:
    """The best there is, and that works as its header says; None if there is none."""
    for load in (_zlib_ng, _zlib):
        with suppress(OSError, AttributeError, IsomountError):
            library = load()
            if _works(library):
                return library
    return None


def _zlib_ng() -> _Library:
    """The C library within the package zlib-ng, which exports it."""
    library = ctypes.CDLL(codecs.package("zlib_ng.zlib_ng").__file__)
    init = _function(library.zng_inflateInit2, ctypes.c_int)
    return _Library(
        _ZlibNgStream,
        lambda stream: init(stream, _RAW),
        *_functions(library, "zng_inflate"),
    )


def _zlib() -> _Library:
    library = ctypes.CDLL(ctypes.util.find_library("z") or "libz.so.1")
    init = _function(library.inflateInit2_, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
    size, version = ctypes.sizeof(_ZlibStream), zlib.ZLIB_RUNTIME_VERSION.encode()
    return _Library(
        _ZlibStream,
        lambda stream: init(stream, _RAW, version, size),
        *_functions(library, "inflate"),
    )


def _functions(library: Any, prefix: str) -> Iterable[Any]:
    yield _function(library[prefix], ctypes.c_int)
    yield _function(library[f"{prefix}Prime"], ctypes.c_int, ctypes.c_int)
    yield _function(library[f"{prefix}SetDictionary"], ctypes.c_char_p, ctypes.c_uint32)
    yield _function(library[f"{prefix}GetDictionary"], ctypes.c_void_p, ctypes.c_void_p)
    yield _function(library[f"{prefix}End"])


def _function(function: Any, *arguments: Any) -> Any:
    """The function, which takes a stream and these, and returns a code."""
    function.argtypes = (ctypes.c_void_p, *arguments)
    function.restype = ctypes.c_int
    return function


def _works(library: _Library) -> bool:
    """Whether it takes up a small stream in the middle: the structure is only known by heart."""
    words = b"".join(b"%d green bottles, " % number for number in range(600))
    compressor = zlib.compressobj(9, zlib.DEFLATED, _RAW)
    stored = compressor.compress(words) + compressor.flush(zlib.Z_FULL_FLUSH)
    stored += compressor.compress(words[::-1]) + compressor.flush()
    whole, buffer = words + words[::-1], ctypes.create_string_buffer(2 * len(words) + 1)
    first = _CInflater(library, b"", 0, 0)
    first.feed(stored)
    got = 0
    while first.boundary is None or got < len(words):
        step = first.inflate_block(ctypes.addressof(buffer) + got, len(buffer) - got)
        if not step and first.boundary is None:
            return False
        got += step
    used = len(stored) - first.unused
    second = _CInflater(library, first.window(), first.boundary, stored[used - 1])
    second.feed(stored[used:])
    got += second.inflate(ctypes.addressof(buffer) + got, len(buffer) - got)
    return second.is_at_end and buffer.raw[:got] == whole
