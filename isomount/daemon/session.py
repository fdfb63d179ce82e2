"""pyfuse3's session: mounting with libfuse's words caught, and what libfuse cannot do itself."""

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pyfuse3

from isomount.daemon.fuse import libfuse_options
from isomount.daemon.request import FuseOptions, MountRequest
from isomount.errors import FuseUnavailableError
from isomount.fs import Operations

# mount(2): <linux/mount.h>.
_MS_RDONLY = 1
_MS_NOSUID = 2
_MS_NODEV = 4
_MS_NOEXEC = 8
_MS_REMOUNT = 32
_MS_NOSYMFOLLOW = 256
_MS_NOATIME = 1024
_MS_BIND = 4096


def mount(operations: Operations, request: MountRequest, path: str) -> None:
    """Mount on ``path``; the kernel's requests wait until the session's loop runs.

    Raises FuseUnavailableError with libfuse's or fusermount3's reason.
    """
    said: list[str] = []
    try:
        with _standard_error_kept(said):
            pyfuse3.init(operations, path, libfuse_options(request.fuse, request.image))
    except RuntimeError as error:
        reason = said[-1] if said else str(error)
        raise FuseUnavailableError(f"{path}: cannot be mounted on: {reason}") from error
    if request.fuse.nosymfollow:
        try:
            _forbid_symlinks(path, request.fuse)
        except BaseException:
            pyfuse3.close(unmount=True)
            raise


@contextmanager
def _standard_error_kept(said: list[str]) -> Iterator[None]:
    """Keep what is written to descriptor 2 meanwhile; ``said`` gets its lines at the end."""
    sys.stderr.flush()
    before = os.dup(2)
    try:
        with tempfile.TemporaryFile() as kept:
            os.dup2(kept.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(before, 2)
                kept.seek(0)
                lines = kept.read().decode(errors="backslashreplace").splitlines()
                said += [_without_speaker(line) for line in lines if line.strip()]
    finally:
        os.close(before)


def _without_speaker(line: str) -> str:
    for speaker in ("fuse: ", "fusermount3: ", "/usr/bin/fusermount3: "):
        line = line.removeprefix(speaker)
    return line.strip()


def _forbid_symlinks(path: str, options: FuseOptions) -> None:
    """Set nosymfollow, which libfuse does not pass on. A remount states all the flags again.

    Only mount(2) does: mount(8) would look at the mount, which does not answer yet.
    """
    flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOSYMFOLLOW
    flags |= _MS_NOEXEC if options.noexec else 0
    flags |= _MS_NOATIME if options.noatime else 0
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(None, os.fsencode(path), None, ctypes.c_ulong(flags), None) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise FuseUnavailableError(f"option nosymfollow cannot be set on {path}: {reason}")
