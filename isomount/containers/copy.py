"""An image that has to be decoded from its beginning: once, into a file of its own.

It is read while it grows: who wants what is decoded already never waits. When it is complete it is
kept, as far as there is room (see kept.py), and a next mount only opens it.
"""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from isomount.containers import behind
from isomount.containers.base import Surroundings
from isomount.containers.kept import COPIES
from isomount.containers.length import stated_length
from isomount.errors import DamagedDataError, ImageUnreadableError, IsomountError
from isomount.room import room_in
from isomount.sources import FileRange, LocalSource, Source
from isomount.text import readable_size

# How far an image is decoded to see how long it says it is.
_LOOK = 64 << 10
# Between two messages about how far it is, in seconds, while somebody waits for it.
_PATIENCE = 5.0
# After how many bytes the disk is asked again whether there is room.
_ROOM_EVERY = 64 << 20

Chunks = Callable[[], Iterator[bytes]]


def decoded_copy(
    name: str,
    size: int | None,
    key: str | None,
    chunks: Chunks,
    surroundings: Surroundings,
    file: Source | None = None,
) -> Source:
    """What ``chunks`` give, one after the other, as a source that is read in any order.

    ``name`` is what messages call it, ``size`` its bytes if that is known beforehand, ``key`` what
    it is kept under (see ``kept.key_of``), None if it is not to be kept. ``chunks`` is called once
    at most, and its iterator is closed with the source; where it raises IsomountError, OSError or
    EOFError, or ends before ``size``, the rest cannot be read. A mount forks between two pieces:
    the iterator must not depend on threads or on processes of its own. ``file`` is what they are
    read from, if that is to be closed with the source.

    Raises ImageUnreadableError if the disk has no room for it.
    """
    kept = _kept(name, key)
    if kept is not None:
        if file is not None:
            file.close()
        return kept
    place, room = COPIES.room()
    if size is not None and size > room:
        raise ImageUnreadableError(
            f"{name}: has to be decompressed once, into {place}, where {readable_size(size)} are "
            f"needed and {readable_size(room)} can be written; make room there, or set "
            "XDG_CACHE_HOME to a folder on a larger disk"
        )
    about = "of unknown size" if size is None else f"about {readable_size(size)}"
    surroundings.notice(
        f"{name}: cannot be read in any order as it is; it is decompressed once, into {place} "
        f"({about})"
    )
    return DecodedCopy(name, size, key, chunks, surroundings.notice, file)


def _kept(name: str, key: str | None) -> Source | None:
    """The copy that was made before, if it is there."""
    path = None if key is None else COPIES.find(key)
    if path is None:
        return None
    try:
        source = LocalSource(path)
    except ImageUnreadableError:  # removed at this moment
        return None
    source.name = name
    return source


class DecodedCopy:
    """A source that is decoded as far as it has been asked for, or farther (see behind.py)."""

    block_size = None  # what is decoded is in a file, which the page cache holds

    def __init__(
        self,
        name: str,
        size: int | None,
        key: str | None,
        chunks: Chunks,
        notice: Callable[[str], None],
        file: Source | None = None,
    ) -> None:
        """As ``decoded_copy``. Raises OSError if there is no place for a file."""
        self.name = name
        self.size = size or 0
        self._declared = size
        self._key = key
        self._chunks = chunks
        self._notice = notice
        self._origin = file
        self._file = COPIES.unnamed()
        self._iterator: Iterator[bytes] | None = None
        self._done = 0  # bytes decoded so far
        self._is_complete = False
        self._failure: Exception | None = None
        # Opened apart from what is written, as it may be closed while others read.
        self._reader = LocalSource(f"/proc/self/fd/{self._file}")
        self._told = time.monotonic()
        self._lock = threading.Lock()
        try:
            if size is None:
                self._decode_to(_LOOK)
                self.size = stated_length(self._reader.read_at) or self.measure()
        except BaseException:  # Ctrl-C too: nobody else would close it
            self._origin = None  # stays open for who opened it
            self.close()
            raise
        behind.work(self._step)

    @property
    def is_end_known(self) -> bool:
        """Whether ``size`` is sure, and reading the end needs no long wait."""
        return self._is_complete

    def measure(self) -> int:
        """The size. If it was not declared, all is decoded to learn it."""
        if self._declared is None and not self._is_complete:
            with suppress(IsomountError, OSError):
                while not self._is_complete:
                    self._decode_to(self._done + 1)
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes of that range, short at the end. Waits until they are decoded.

        Raises DamagedDataError or OSError for what could not be decoded.
        """
        wanted = max(0, min(offset + length, self._declared or offset + length) - offset)
        if offset + wanted > self._done and not self._is_complete:
            self._decode_to(offset + wanted)
        if offset + wanted > self._done and self._failure is not None:
            raise DamagedDataError(
                f"{self.name}: can be decompressed up to byte {self._done} only: {self._failure}"
            ) from self._failure
        return self._reader.read_at(offset, max(0, min(wanted, self._done - offset)))

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """As ``read_at``, but None instead of waiting."""
        return self._reader.read_resident(offset, length) if self._is_complete else None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """Where the file has that range, if it is in memory."""
        return self._reader.resident_range(offset, length) if self._is_complete else None

    def close(self) -> None:
        """Stop decoding, and remove the file unless it is complete and kept."""
        behind.forget(self._step)
        with self._lock:
            self._is_complete = True
            self._end_iterator()
            self._reader.close()
            if self._file >= 0:
                os.close(self._file)
            self._file = -1
        if self._origin is not None:
            self._origin.close()

    def _decode_to(self, end: int) -> None:
        """Decode until ``end`` or the end of all."""
        while self._done < end:
            with self._lock:
                if self._is_complete or not self._decode_chunk():
                    return
            self._tell()

    def _step(self) -> bool:
        """Decode a little. Returns whether there is more. It never raises."""
        with self._lock:
            return not self._is_complete and self._decode_chunk()

    def _decode_chunk(self) -> bool:
        """Decode and write the next piece. Returns whether there may be more."""
        try:
            if self._iterator is None:
                self._iterator = iter(self._chunks())
            chunk = next(self._iterator, b"")
            left = None if self._declared is None else self._declared - self._done
            self._write(chunk if left is None else chunk[:left])
            if chunk and self._done != self._declared:
                return True
            if self._declared is not None and self._done < self._declared:
                raise EOFError("it is cut off")
        except (IsomountError, OSError, EOFError) as error:
            self._failure = error
        self._finish()
        return False

    def _write(self, chunk: bytes) -> None:
        if self._done // _ROOM_EVERY != (self._done + len(chunk)) // _ROOM_EVERY:
            self._require_room()
        view = memoryview(chunk)
        while view:
            written = os.pwrite(self._file, view, self._done)
            self._done += written
            view = view[written:]

    def _require_room(self) -> None:
        """The size may not be known, or be without end."""
        if room_in(f"/proc/self/fd/{self._file}") <= 0:
            raise OSError(errno.ENOSPC, "the disk is full, and it is decompressed there")

    def _finish(self) -> None:
        """No more comes: keep the file if all came, and read it as any other from now on."""
        self._end_iterator()
        if self._failure is None:
            self.size = self._done
            if self._key is not None:
                COPIES.keep(self._file, self._key)
            with suppress(ImageUnreadableError):  # it is opened anew as its size was not known
                self._reader = LocalSource(f"/proc/self/fd/{self._file}")
        elif self._declared is None:
            self.size = self._done
        self._is_complete = True

    def _end_iterator(self) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            with suppress(IsomountError, OSError):
                close()

    def _tell(self) -> None:
        """Say now and then how far it is."""
        now = time.monotonic()
        if now - self._told < _PATIENCE:
            return
        self._told = now
        whole = f" of {readable_size(self._declared)}" if self._declared else ""
        self._notice(f"{self.name}: {readable_size(self._done)}{whole} decompressed")
