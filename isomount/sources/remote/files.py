"""A file behind ssh as the source of an image."""

import errno
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from isomount.errors import ClosedError, ImageUnreadableError
from isomount.sources.address import shown
from isomount.sources.base import FileRange
from isomount.sources.remote.failures import FetchError, sentence
from isomount.sources.remote.packages import package

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
    try:
        system = package("sshfs", "ssh", name).SSHFileSystem(
            parts.hostname,
            connect_timeout=_CONNECT,
            keepalive_interval=_SIGN_OF_LIFE,
            skip_instance_cache=True,
            **{word: value for word, value in found.items() if value is not None},
        )
        return FileSource(name, system, unquote(parts.path))
    except ImageUnreadableError:
        raise
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
    """An open file of another machine. Thread-safe: one reads at a time."""

    block_size = BLOCK

    def __init__(self, name: str, system: Any, path: str) -> None:
        """Raises whatever ``system``, an fsspec file system, does."""
        self.name = name
        self._lock = threading.Lock()
        self._system, self._path = system, path
        self._said = self._version()
        self.size = int(self._said[0])
        self.version = f"{name}\0{self._said!r}"
        self._file: Any = system.open(path, "rb", block_size=BLOCK)

    def _version(self) -> tuple[int, str]:
        """Size and time of the last change."""
        about = self._system.info(self._path)
        if about.get("type") == "directory":
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        return int(about["size"]), str(about.get("mtime"))

    def measure(self) -> int:
        """The size when it was opened."""
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Those bytes. Raises OSError if they cannot be had."""
        with self._lock:
            if self._file is None:
                raise ClosedError(f"{self.name}: the image is closed")
            try:
                self._file.seek(offset)
                return bytes(self._file.read(max(0, min(length, self.size - offset))))
            except Exception as error:  # of asyncssh, asyncio and Python
                raise OSError(errno.EIO, _failure_of(error).reason) from None

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
            file, self._file = self._file, None
        if file is not None:
            file.close()
