"""Tar (.tar; POSIX 1003.1 pax, GNU): members stand behind their headers, one after the other.

Headers are read by the standard library, the members where they stand. Sparse ones have holes,
which are zeros.
"""

import tarfile
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple, cast

from isomount.containers.archives.file import SourceFile
from isomount.containers.archives.members import ListedArchive, Part, require_bounded, tidy
from isomount.containers.archives.sparse import Run, Sparse
from isomount.containers.base import Archive, OtherKindError, Surroundings
from isomount.errors import DamagedImageError
from isomount.sources import Source

# What the standard library raises for damaged headers, as far as is known.
_DAMAGE = (tarfile.TarError, ValueError, OverflowError, LookupError, RecursionError, EOFError)


class TarEntry(NamedTuple):
    """A member. ``start`` is where its bytes are; ``stored`` are offset and length of those that
    are there where it is sparse."""

    size: int
    start: int
    stored: Sequence[tuple[int, int]] | None


class TarArchive(ListedArchive[TarEntry]):
    """The members of a tar file."""

    def __init__(self, file: Source) -> None:
        """Raises OtherKindError, NotAnImageError or DamagedImageError."""
        super().__init__(file, dict(_entries(file)))

    def _content(self, entry: TarEntry, path: str) -> Source:
        if entry.stored is None:
            return Part(self._file, entry.start, entry.size, path)
        runs = _runs(entry.stored, entry.start, self._file)
        return Sparse(Part(self._file, 0, self._file.size, path), runs, entry.size)


def unpack(file: Source, surroundings: Surroundings) -> Archive:
    """The members of a tar file. Raises OtherKindError, NotAnImageError or DamagedImageError."""
    return TarArchive(file)


def _entries(file: Source) -> Iterator[tuple[str, TarEntry]]:
    """The regular files and their tidy names; of what is twice there, the last one counts."""
    count = 0
    for header in _headers(file):
        if not (header.isreg() and tidy(header.name)):
            continue
        count += 1
        require_bounded(count, file.name)
        stored = cast(Sequence[tuple[int, int]] | None, header.sparse)
        yield tidy(header.name), TarEntry(max(0, header.size), header.offset_data, stored)


def _headers(file: Source) -> Iterator[tarfile.TarInfo]:
    """Every header. What follows a damaged one is not found: the members before it are there."""
    stream, at = SourceFile(file), -1
    try:
        archive = tarfile.TarFile(fileobj=cast(IO[bytes], stream), errors="surrogateescape")
        while (header := archive.next()) is not None and header.offset > at:
            at = header.offset
            yield header
            stream.next_header()
            archive.members.clear()  # type: ignore[attr-defined]  # all would be kept
    except _DAMAGE as error:
        if at < 0:
            raise OtherKindError from error


def _runs(table: Sequence[tuple[int, int]], start: int, file: Source) -> list[Run]:
    """Where the bytes of a sparse member are, which ``table`` lists by offset and length.

    Raises DamagedImageError.
    """
    runs: list[Run] = []
    end = 0
    for offset, length in table:
        if length == 0:  # fills the header, or says how long the member is
            continue
        if offset < end or length < 0 or start + length > file.size:
            raise DamagedImageError(
                f"{file.name}: a member's table of holes is damaged; copy or download it again"
            )
        runs.append(Run(offset, length, start))
        end, start = offset + length, start + length
    return runs
