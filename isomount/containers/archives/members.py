"""What archives have in common: a table of members, and how long the archive stays open."""

import errno
import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from isomount.containers.base import Archive, Member
from isomount.errors import MissingImageError, NotAnImageError
from isomount.sources import FileRange, Source, Window, is_end_near

# Each takes some 300 bytes of memory. No archive that is made to hand a disc on comes near it.
MEMBERS_AT_MOST = 1 << 17


class Entry(Protocol):
    """What an archive tells of a member."""

    @property
    def size(self) -> int:
        """How many bytes it has unpacked."""


E = TypeVar("E", bound=Entry)


class ListedArchive(Archive, Generic[E]):
    """An archive that is ``file``, with ``entries`` by their tidy paths.

    The file is closed when the archive and all members that were opened are, in whatever order: a
    sheet may be closed before its data, or the other way round.
    """

    def __init__(self, file: Source, entries: Mapping[str, E]) -> None:
        self._file = file
        self._entries = entries
        self._users = 1
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def members(self) -> Sequence[Member]:
        """Its regular files."""
        return [Member(name, entry.size) for name, entry in self._entries.items()]

    def open(self, name: str) -> Source:
        """The content of the member ``name``."""
        path = f"{self._file.name}/{name}"
        entry = self._entries.get(name)
        if entry is None:
            raise MissingImageError(errno.ENOENT, path, "there is no such file in the archive")
        member = self._content(entry, path)
        with self._lock:
            self._users += 1
        return OpenMember(member, self._leave)

    @abstractmethod
    def _content(self, entry: E, path: str) -> Source:
        """The content of ``entry``, which is called ``path`` in messages."""

    def close(self) -> None:
        """Close the file as soon as no member is open."""
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            is_last = self._users == 0
        if is_last:
            self._file.close()


class Part(Window):
    """A member that is stored as it is. Closing it leaves the archive open."""

    def __init__(self, whole: Source, start: int, length: int, name: str) -> None:
        super().__init__(whole, start, length)
        self.name = name

    def close(self) -> None:
        """Nothing: it has no file of its own."""


class OpenMember:
    """The source ``member``, which tells its archive when it is closed. A source itself."""

    def __init__(self, member: Source, leave: Callable[[], None]) -> None:
        self.name = member.name
        self.block_size = member.block_size
        self._member = member
        self._leave: Callable[[], None] | None = leave

    @property
    def is_end_known(self) -> bool:
        """As of the member: whether reading its end needs no long wait."""
        return is_end_near(self._member)

    @property
    def size(self) -> int:
        """That of the member."""
        return self._member.size

    def measure(self) -> int:
        """As the member does."""
        return self._member.measure()

    def read_at(self, offset: int, length: int) -> bytes:
        """As the member does."""
        return self._member.read_at(offset, length)

    def read_resident(self, offset: int, length: int) -> bytes | memoryview | None:
        """As the member does."""
        return self._member.read_resident(offset, length)

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """As the member does."""
        return self._member.resident_range(offset, length)

    def close(self) -> None:
        """Close the member, and the archive if nothing else of it is open. Idempotent."""
        leave, self._leave = self._leave, None
        if leave is not None:
            self._member.close()
            leave()


def tidy(name: str) -> str:
    """The path of a member without what leads out of the archive, or nowhere; "" if that is all.

    "/" at the beginning, "." and ".." are left out: nothing is written by these names, but users
    type them behind the archive's, where such words would mean something else.
    """
    parts = name.partition("\0")[0].split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def require_bounded(count: int, name: str) -> None:
    """Raise NotAnImageError if the archive ``name`` has more members than are kept in memory."""
    if count > MEMBERS_AT_MOST:
        raise NotAnImageError(
            f"{name}: is an archive of more than {MEMBERS_AT_MOST} files; "
            "unpack the image from it first"
        )
