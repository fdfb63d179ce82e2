"""7z, RAR (4 and 5), cabinets and LHA, by the system's libarchive.

It decodes members from their beginning only, so they are decoded once (see ``copy.py``). The bytes
of the archive come from its source, wherever that is.
"""

import ctypes
import logging
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

from isomount.containers.archives import rar
from isomount.containers.archives.decode import Memory, decoded
from isomount.containers.archives.file import SourceFile
from isomount.containers.archives.members import ListedArchive, require_bounded, tidy
from isomount.containers.base import Archive, Surroundings
from isomount.containers.kept import key_of
from isomount.errors import DamagedDataError, DamagedImageError, IsomountError, NotAnImageError
from isomount.sources import Source

# The beginning of a file, what libarchive calls its format, and who unpacks it by hand.
_FORMATS = (
    (b"7z\xbc\xaf\x27\x1c", "7zip", "7z x"),
    (rar.RAR5, "rar5", "unrar x"),
    (rar.RAR4, "rar", "unrar x"),
    (b"MSCF", "cab", "cabextract"),
)
_CHUNK = 256 << 10
# How many small members, sheets as a rule, are kept once they were asked for.
_SMALL_AT_MOST = 8
# What a callback returns when it has failed (archive_read_open(3)).
_FATAL = -30


class LibarchiveEntry(NamedTuple):
    """A member: its place in the order of the archive, from 0 on."""

    size: int
    number: int
    is_encrypted: bool


class LibarchiveArchive(ListedArchive[LibarchiveEntry]):
    """The members of an archive that libarchive reads."""

    def __init__(self, file: Source, surroundings: Surroundings) -> None:
        """Raises NotAnImageError or DamagedImageError."""
        head = file.read_at(0, 8)
        self._format, self._program = next(
            (name, program) for mark, name, program in _FORMATS if head.startswith(mark)
        )
        self._surroundings = surroundings
        self._small: dict[int, Source] = {}
        with _told(file, self._program):
            super().__init__(file, dict(_entries(file, self._format)))

    def _content(self, entry: LibarchiveEntry, path: str) -> Source:
        if entry.is_encrypted:
            raise NotAnImageError(_encrypted(path, self._file, self._program))
        if entry.number in self._small:
            return self._small[entry.number]
        key = key_of(self._file, self._format, path.removeprefix(self._file.name), str(entry.size))
        source = decoded(
            path, entry.size, key, lambda: self._chunks(entry.number), self._surroundings
        )
        if isinstance(source, Memory) and len(self._small) < _SMALL_AT_MOST:
            self._small[entry.number] = source  # where it stands behind the data, it took a while
        return source

    def _chunks(self, number: int) -> Iterator[bytes]:
        """The bytes of the member ``number``, in pieces."""
        try:
            with _reading(self._file, self._format) as archive:
                for at, entry in enumerate(archive):
                    if at == number:
                        yield from entry.get_blocks(_CHUNK)
                        return
        except (IsomountError, OSError):
            raise
        except Exception as error:  # libarchive-c's, which is imported only where it is needed
            raise DamagedDataError(f"the archive is damaged: {_message(error)}") from error


def unpack(file: Source, surroundings: Surroundings) -> Archive:
    """The members of an archive that libarchive reads.

    Raises NotAnImageError or DamagedImageError.
    """
    rar.refuse_what_is_not_read(file)
    return LibarchiveArchive(file, surroundings)


def _entries(file: Source, form: str) -> Iterator[tuple[str, LibarchiveEntry]]:
    """The regular files and their tidy names; of what is twice there, the last one counts."""
    with _reading(file, form) as archive:
        for number, entry in enumerate(archive):
            require_bounded(number, file.name)
            name = entry.pathname or b""
            path = tidy(os.fsdecode(name).replace("\\", "/"))
            if path and stat.S_ISREG(entry.filetype):
                yield path, LibarchiveEntry(entry.size or 0, number, _is_encrypted(entry))


@contextmanager
def _told(file: Source, program: str) -> Iterator[None]:
    """Errors of libarchive about the headers of ``file`` as ours."""
    try:
        yield
    except (IsomountError, OSError):
        raise
    except Exception as error:  # libarchive-c's, as above
        message = _message(error)
        if "encrypt" in message:
            raise NotAnImageError(_encrypted(file.name, file, program)) from error
        raise DamagedImageError(
            f"{file.name}: the archive cannot be read: {message}; copy or download it again, "
            f"or see what is left of it with: {program} {shlex.quote(file.name)}"
        ) from error


def _encrypted(path: str, file: Source, program: str) -> str:
    return (
        f"{path}: is encrypted; unpack it with its password first: "
        f"{program} {shlex.quote(file.name)}"
    )


def _message(error: Exception) -> str:
    """What libarchive says, without the numbers that its exception adds."""
    said = getattr(error, "msg", None) or "it is damaged or cut off"
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


@contextmanager
def _reading(file: Source, form: str) -> Iterator[Any]:
    """What libarchive finds in ``file``, in the order of the archive.

    Raises what reading the file raised, and libarchive's own exceptions.
    """
    library = _package()
    calls = _Callbacks(file)
    try:
        with library.custom_reader(calls.read, form, "none", seek_func=calls.seek) as archive:
            yield archive
    except Exception:  # libarchive-c's, which hides what happened in our own callback
        if calls.failure is not None:
            raise calls.failure from None
        raise


class _Callbacks:
    """How libarchive gets at the bytes of ``file``. No exception gets through C."""

    def __init__(self, file: Source) -> None:
        self.failure: Exception | None = None
        self._stream = SourceFile(file)
        self._buffer = ctypes.create_string_buffer(_CHUNK)

    def read(self, archive: int, context: int, place: Any) -> int:
        """Put a pointer to the next bytes into ``place``. Returns how many they are."""
        try:
            self._stream.next_header()
            data = self._stream.read(_CHUNK)
            ctypes.memmove(self._buffer, data, len(data))
            place[0] = ctypes.addressof(self._buffer)
            return len(data)
        except Exception as error:  # C would go on as if nothing had happened
            self.failure = error
            return _FATAL

    def seek(self, archive: int, context: int, offset: int, whence: int) -> int:
        """Change the position. Returns the new one."""
        try:
            return self._stream.seek(offset, whence)
        except Exception as error:  # C would go on as if nothing had happened
            self.failure = error
            return _FATAL


def _is_encrypted(entry: Any) -> bool:
    """Whether a member's content is encrypted, which libarchive-c has no name for."""
    ask = import_module("libarchive.ffi").libarchive.archive_entry_is_encrypted
    ask.argtypes = [ctypes.c_void_p]
    return bool(ask(entry._entry_p))


def _package() -> Any:
    """The module of libarchive-c. Raises NotAnImageError if it or the library is missing."""
    # It logs what it also raises, and warns of names that the locale has no characters for.
    logging.getLogger("libarchive").setLevel(logging.CRITICAL)
    try:
        return import_module("libarchive")
    except Exception as error:  # ImportError; TypeError or OSError where the library is missing
        raise NotAnImageError(
            "to read 7z and RAR archives, the Python package libarchive-c and the system's "
            "libarchive are needed: install isomount[archives] and the package libarchive13"
        ) from error
