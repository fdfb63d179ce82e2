"""Which kind of container a source is, and what is in it."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from isomount.containers.base import Archive, OtherKindError, Surroundings
from isomount.containers.kinds import BARE, HEAD, KINDS, TAIL, Kind
from isomount.containers.names import uncompressed
from isomount.errors import (
    ImageUnreadableError,
    IsomountError,
    MissingPackageError,
    NotAnImageError,
)
from isomount.sources import Source, is_end_near

if TYPE_CHECKING:
    from isomount.containers.discs.disc import Disc

# A container in a container in a container; more than this is a bomb.
DEPTH_AT_MOST = 8
# Where a plain image says what it is (ECMA-119 8.1.2, ECMA-167 2/9.1.2).
_RECOGNITION = 32769
_PLAIN = (b"CD001", b"BEA01", b"NSR02", b"NSR03", b"BOOT2", b"CDROM")
# Files of sectors by name, and what those of raw data begin with (ECMA-130 14.1).
_TRACKS = (".bin", ".img", ".mdf", ".raw")
_SYNC = b"\0" + b"\xff" * 10 + b"\0"
# The rooms of kinds that one stream of bytes comes of.
_STREAMS = ("streams.", "packed.")


def content(source: Source, surroundings: Surroundings) -> "Source | Archive | Disc | None":
    """What is in ``source`` if it is a container, or the disc that it is a part of.

    Closing that closes ``source``.
    """
    source = surroundings.cached(source)
    if source.name.lower().endswith(_TRACKS) or _read(source, 0, len(_SYNC)) == _SYNC:
        from isomount.containers.discs.beside import disc_beside  # plain images do without

        disc = disc_beside(source, surroundings)
        if disc is not None:
            return dataclasses.replace(disc, files=(*disc.files, source))
    return _first(candidates(source), source, surroundings)


def decompressed(source: Source, surroundings: Surroundings) -> Source:
    """What is in ``source``, the file of a sheet, down to the sectors; ``source`` if nothing is.

    Closes ``source`` on errors. Raises as ``unpack`` does.
    """
    from isomount.containers.discs.disc import Disc

    try:
        for _ in range(DEPTH_AT_MOST):
            source = surroundings.cached(source)
            streams = (kind for kind in candidates(source) if kind.module.startswith(_STREAMS))
            found = _first(streams, source, surroundings)
            if found is None:
                return source
            assert not isinstance(found, Archive | Disc)
            source = found
        raise NotAnImageError(f"{source.name}: is a container in a container, too many times")
    except BaseException:  # Ctrl-C too: nobody else would close it
        source.close()
        raise


def is_plain(source: Source) -> bool:
    """Whether ``source`` says at the usual place that it is an image of 2048-byte sectors."""
    return _read(source, _RECOGNITION, 5) in _PLAIN


def _first(
    kinds: Iterable[Kind], source: Source, surroundings: Surroundings
) -> "Source | Archive | Disc | None":
    for kind in kinds:
        try:
            return kind.unpack(source, surroundings)
        except OtherKindError:
            continue
        except MissingPackageError as error:
            raise ImageUnreadableError(f"{source.name}: {error}") from error
    return None


def candidates(source: Source) -> Iterator[Kind]:
    """The kinds that ``source`` may be of.

    A plain image is none of those that are known by their beginning, whatever it begins with.
    """
    plain = is_plain(source)
    if is_end_near(source) or not (plain or _is_track(source)):
        tail = _read(source, max(0, source.size - TAIL), TAIL)
        yield from (kind for kind in KINDS if kind.is_at_end(tail))
    if plain:
        return
    head = _read(source, 0, HEAD)
    yield from (kind for kind in KINDS if kind.is_at_start(head, source.name))
    yield BARE


def _is_track(source: Source) -> bool:
    """Whether ``source`` is one of raw sectors by both its beginning and its name.

    Of other names, it may be an .nrg or .cdi as well, which say so at their end.
    """
    is_called_so = uncompressed(source.name).lower().endswith(_TRACKS)
    return is_called_so and _read(source, 0, len(_SYNC)) == _SYNC


def _read(source: Source, offset: int, length: int) -> bytes:
    """That range; nothing if it cannot be read: what is wrong shows when it is needed."""
    try:
        return source.read_at(offset, length)
    except (IsomountError, OSError):
        return b""
