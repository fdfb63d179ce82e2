"""An object of a web server or a bucket as the source of an image."""

import errno
import logging
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from isomount.errors import ClosedError
from isomount.sources.address import shown
from isomount.sources.base import FileRange
from isomount.sources.remote.failures import ChangedError, FetchError, failure_of, sentence
from isomount.sources.remote.packages import package
from isomount.sources.remote.patience import Patience
from isomount.sources.remote.stores import Deadlines, Place, place_of
from isomount.workers import WORKERS

_log = logging.getLogger("isomount.sources")

# What is fetched at least: a round trip of 1 ms takes as long as this from a fast server, one of
# 50 ms as long as 128 KiB from a slow one (20 Mbit/s).
BLOCK = 128 << 10
# Ranges under way at a time for one reader: they wait for the server, not for a processor.
_READS_AT_ONCE = 4
_THREADS = 8
# What obstore says where the server does not say when the object was last changed.
_NEVER = datetime.fromtimestamp(0, UTC)


class ObjectSource:
    """What is at one address, read by ranges, all of the same version of it. Thread-safe.

    Every range is asked for on condition that the object is what it was, and every answer is looked
    at for that: once it is another, nothing more is read of it.
    """

    block_size = BLOCK
    reads_at_once = _READS_AT_ONCE

    def __init__(self, address: str, deadlines: Deadlines = Deadlines()) -> None:  # noqa: B008
        """Raises ImageUnreadableError with the reason and the remedy."""
        self.name = shown(address)
        self._address = address
        self._place: Place | None = place_of(address, deadlines)
        self._get: Any = package("obstore", "remote", self.name).get
        self._patience = Patience(self.name)
        self._lock = threading.Lock()
        self._has_changed = False
        self._version: _Version | None = None
        try:
            # The first block tells size and version: whoever opens an image reads it next.
            self._first: memoryview | None = self._patience.tried(lambda: self._ask(0, BLOCK))
        except FetchError as failure:
            raise sentence(self.name, failure) from None
        WORKERS.at_most = max(WORKERS.at_most, _THREADS)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return 0 if self._version is None else self._version.size

    @property
    def version(self) -> str:
        """What tells this version of the object from every other; "" if the server does not say."""
        version = self._version
        if version is None or not version.is_known:
            return ""
        return f"{self.name if version.is_strong else self._address}\0{version!r}"

    def measure(self) -> int:
        """The size: another one would be another object."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Those bytes. Raises OSError if they do not come, or the object is another by now."""
        return bytes(self._read(offset, length))

    def pieces(self, offset: int, length: int) -> Iterable[bytes]:
        """As ``read_at``, in pieces of the block size."""
        data = self._read(offset, length)
        return [bytes(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)]

    def _read(self, offset: int, length: int) -> memoryview:
        stop = min(offset + length, self.size)
        if stop <= offset:
            return memoryview(b"")
        if self._has_changed:
            raise _changed()
        with self._lock:
            first, self._first = self._first, None
        if first is not None and (offset, stop) == (0, len(first)):
            return first
        try:
            return self._patience.tried(lambda: self._ask(offset, stop))
        except ChangedError:
            if not self._has_changed:
                self._has_changed = True
                _log.error("%s: %s", self.name, _changed().strerror)
            raise _changed() from None
        except FetchError as failure:
            raise OSError(errno.EIO, failure.reason) from None

    def _ask(self, start: int, stop: int) -> memoryview:
        """One range, by one request. Raises FetchError."""
        place, version = self._place, self._version
        if place is None:
            raise ClosedError(f"{self.name}: the image is closed")
        options: dict[str, Any] = {"range": (start, stop)}
        if version is not None and version.is_strong:
            options["if_match"] = version.tag
        try:
            answer = self._get(place.store, place.path, options=options)
            found = _Version(answer.meta)
            data = memoryview(answer.bytes())
        except Exception as error:  # its classes are many, and Python's own among them
            raise failure_of(error) from None
        if version is None:
            self._version = version = found
        elif found != version:
            raise ChangedError
        if len(data) != min(stop, version.size) - start:
            raise FetchError("the server sent another number of bytes than it said")
        return data

    def read_resident(self, offset: int, length: int) -> None:
        """Always None: the server is far away."""

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """None: there is no file here."""
        return None

    def close(self) -> None:
        """Let go of the connections."""
        self._place = None


class _Version:
    """What tells one version of an object from another: what the server says of it."""

    def __init__(self, meta: dict[str, Any]) -> None:
        self.size: int = meta["size"]
        self.tag: str | None = meta.get("e_tag")
        self._when: datetime = meta["last_modified"]
        self._said = (self.size, self.tag, meta.get("version"), str(self._when))

    @property
    def is_known(self) -> bool:
        """Whether the server says more of it than its size."""
        return self.tag is not None or self._when > _NEVER

    @property
    def is_strong(self) -> bool:
        """Whether the server can be asked for just this version (RFC 9110, 13.1.1)."""
        return self.tag is not None and not self.tag.startswith("W/")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Version) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)

    def __repr__(self) -> str:
        return repr(self._said)


def _changed() -> OSError:
    return OSError(
        errno.EIO,
        "is another file there by now, and is not mixed with what was read; open it anew",
    )
