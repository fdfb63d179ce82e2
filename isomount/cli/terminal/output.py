"""Writing to standard output, with errors for full disks and closed pipes."""

import os
import sys

from isomount.errors import IsomountError


class OutputError(IsomountError):
    """Standard output cannot be written to, for instance because the disk is full."""


def emit(data: bytes | bytearray) -> None:
    """Write ``data``. Raises OutputError, or BrokenPipeError if the reader has closed the pipe."""
    if sys.stdout is None:  # closed by the calling program
        return
    try:
        sys.stdout.buffer.write(data)
    except OSError as error:
        raise _failure(error) from error


def put(text: str) -> None:
    """Write a line. Undecodable bytes of file names in it are written unchanged."""
    emit(os.fsencode(text) + b"\n")


def finish() -> None:
    """Flush standard output. Raises as ``emit`` does."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _failure(error) from error


def _failure(error: OSError) -> Exception:
    if isinstance(error, BrokenPipeError):
        return error
    # Python would try to flush the rest at exit, and print another error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OutputError(
        f"standard output cannot be written: {error.strerror}; make room there or send it elsewhere"
    )
