"""FLAC in CHD: frames of 16-bit stereo without the header that a FLAC file has.

Decoded by libsndfile, as Python's package soundfile brings it along.
"""

import io
import sys
from array import array
from importlib import import_module
from typing import Any

from isomount.errors import DamagedDataError, MissingPackageError

_CHANNELS, _SAMPLE_BITS, _SAMPLE_RATE = 2, 16, 44100
_FRAME = _CHANNELS * _SAMPLE_BITS // 8
# chdman halves a hunk until a block of FLAC has no more samples than this.
_BLOCK_AT_MOST = 2048
# The last metadata block, of type STREAMINFO, has 34 bytes (RFC 9639 8.1 and 8.2).
_STREAMINFO = b"fLaC\x80\0\0\x22"


def unpack_flac(frames: bytes, size: int) -> "array[int]":
    """The ``size`` bytes of samples in FLAC ``frames``, in this machine's byte order.

    What follows the frames is left alone. Raises DamagedDataError, MissingPackageError.
    """
    soundfile = _soundfile()
    samples = size // _FRAME
    file = io.BytesIO(_header(size, samples) + frames)
    try:
        with soundfile.SoundFile(file) as sound:
            decoded = array("h", bytes(sound.buffer_read(samples, "int16")))
    except Exception as error:  # libsndfile's own, and whatever else damaged data leads to
        raise DamagedDataError(f"FLAC data is damaged: {error}") from error
    if len(decoded) < _CHANNELS * samples:
        raise DamagedDataError("FLAC data is damaged: it is too short")
    return decoded


def in_order(samples: "array[int]", order: str) -> bytes:
    """The bytes of ``samples`` in ``order``, "big" or "little"."""
    if sys.byteorder != order:
        samples.byteswap()
    return samples.tobytes()


def _header(size: int, samples: int) -> bytes:
    block = size // _FRAME
    while block > _BLOCK_AT_MOST:
        block //= 2
    blocks = block.to_bytes(2) * 2  # smallest and largest
    what = _SAMPLE_RATE << 44 | (_CHANNELS - 1) << 41 | (_SAMPLE_BITS - 1) << 36 | samples
    # Nothing is said of the sizes of frames, and of the MD5 of the samples.
    return _STREAMINFO + blocks + bytes(6) + what.to_bytes(8) + bytes(16)


def _soundfile() -> Any:
    try:
        return import_module("soundfile")
    except (ImportError, OSError) as error:  # OSError: the package is there, its library is not
        raise MissingPackageError(
            "the Python package for FLAC is missing: install isomount[flac]"
        ) from error
