"""Standard output for the verbs that print a lot, or bytes: full disks and closed ends told."""

import os
import sys

from isomount.errors import IsomountError


class OutputError(IsomountError):
    """Standard output takes no more: a full disk, say. Nothing goes on after it."""


def emit(data: bytes | bytearray) -> None:
    """Write ``data``. Raises OutputError, or BrokenPipeError when who read it has gone."""
    if sys.stdout is None:  # the caller closed it
        return
    try:
        sys.stdout.buffer.write(data)
    except OSError as error:
        raise _failure(error) from error


def put(text: str) -> None:
    """Write a line, with the very bytes that names of files in it hold."""
    emit(os.fsencode(text) + b"\n")


def finish() -> None:
    """Write what is still held back. Raises as ``emit`` does."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _failure(error) from error


def _failure(error: OSError) -> Exception:
    if isinstance(error, BrokenPipeError):
        return error
    # What Python still holds would be tried, and complained about, again at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OutputError(
        f"standard output cannot be written: {error.strerror}; make room there or send it elsewhere"
    )
