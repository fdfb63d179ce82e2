"""A file behind ssh as the source of an image."""

import errno
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from isomount.errors import ClosedError, ImageUnreadableError
from isomount.sources.address import shown
from isomount.sources.base import FileRange
from isomount.sources.remote.failures import FetchError, sentence
from isomount.sources.remote.packages import package

_log = logging.getLogger("isomount.sources")

# As of objects; a request of SFTP carries 32 KiB, several of which are under way at a time.
BLOCK = 128 << 10
# In seconds: to connect, and without any sign of life, three times in a row.
_CONNECT, _SIGN_OF_LIFE = 10, 5


def open_file(address: str) -> "FileSource":
    """The file at ``address``, by SFTP. ~/.ssh/config and the agent are asked as ssh does.

    Raises ImageUnreadableError.
    """
    name = shown(address)
    parts = urlsplit(address)
    if not parts.hostname:
        raise ImageUnreadableError(f"{name}: names no host; write: ssh://HOST/PATH/disc.iso")
    found: dict[str, Any] = {"port": parts.port, "username": parts.username}
    system = package("sshfs", "ssh", name).SSHFileSystem

    def connect() -> Any:
        return system(
            parts.hostname,
            connect_timeout=_CONNECT,
            keepalive_interval=_SIGN_OF_LIFE,
            skip_instance_cache=True,
            **{word: value for word, value in found.items() if value is not None},
        )

    try:
        return FileSource(name, connect, unquote(parts.path))
    except Exception as error:  # of asyncssh, asyncio and Python
        raise sentence(name, _failure_of(error)) from None


def _failure_of(error: Exception) -> FetchError:
    kind = type(error).__name__
    if isinstance(error, FileNotFoundError) or kind == "SFTPNoSuchFile":
        return FetchError("the server has no such file", "look at the path", code=errno.ENOENT)
    if isinstance(error, PermissionError) or "Permission" in kind or "HostKey" in kind:
        return FetchError(
            f"the server does not let you read it ({str(error) or kind})",
            "see that this works: ssh HOST",
            code=errno.EACCES,
        )
    return FetchError(f"the server cannot be read: {str(error) or kind}", "see that ssh works")


class FileSource:
    """A file of another machine. Thread-safe: one reads at a time.

    Where the connection breaks off there is another one, and the file is looked at again.
    """

    block_size = BLOCK

    def __init__(self, name: str, connect: Callable[[], Any], path: str) -> None:
        """``connect`` gives an fsspec file system. Raises whatever that does."""
        self.name = name
        self._lock = threading.Lock()
        self._connect, self._path = connect, path
        self._is_closed = False
        self._file, self._said = self._opened()
        self.size = self._said[0]
        self.version = f"{name}\0{self._said!r}"

    def _opened(self) -> tuple[Any, tuple[int, str]]:
        """The open file, and what tells this version of it: size and time of the last change."""
        system = self._connect()
        about = system.info(self._path)
        if about.get("type") == "directory":
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        said = int(about["size"]), str(about.get("mtime"))
        return system.open(self._path, "rb", block_size=BLOCK), said

    def measure(self) -> int:
        """The size when it was opened."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Those bytes. Raises OSError if they cannot be had, or it is another file by now."""
        wanted = max(0, min(length, self.size - offset))
        with self._lock:
            if self._is_closed:
                raise ClosedError(f"{self.name}: the image is closed")
            try:
                return self._read(offset, wanted)
            except Exception:  # of asyncssh, asyncio and Python: one more try, from the beginning
                self._file = None
            try:
                return self._read(offset, wanted)
            except Exception as error:
                self._file = None
                reason = _failure_of(error).reason
                _log.warning("%s: cannot be read for now: %s", self.name, reason)
                raise OSError(errno.EIO, reason) from None

    def _read(self, offset: int, length: int) -> bytes:
        if self._file is None:
            file, said = self._opened()
            if said != self._said:
                raise OSError(errno.EIO, "it is another file by now; open it anew")
            self._file = file
        self._file.seek(offset)
        return bytes(self._file.read(length))

    def pieces(self, offset: int, length: int) -> Iterable[bytes]:
        """As ``read_at``, in pieces of the block size."""
        data = self.read_at(offset, length)
        return [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]

    def read_resident(self, offset: int, length: int) -> None:
        """Always None: the server is far away."""

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        """None: there is no file here."""
        return None

    def close(self) -> None:
        """Close the file, and with it the connection."""
        with self._lock:
            self._is_closed, file, self._file = True, self._file, None
        if file is not None:
            file.close()
