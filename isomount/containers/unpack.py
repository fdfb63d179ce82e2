"""From the file that was named to the image in it, through as many containers as there are."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from isomount.blocks import Store
from isomount.containers.archives.choose import choose
from isomount.containers.base import Archive, OtherKindError, Surroundings
from isomount.containers.discs.disc import Disc
from isomount.containers.kinds import BARE, HEAD, KINDS, TAIL, Kind
from isomount.containers.siblings import ArchiveSiblings, LocalSiblings, NoSiblings
from isomount.errors import IsomountError, NotAnImageError
from isomount.sources import BinaryFile, Source, open_source

if TYPE_CHECKING:
    from isomount.containers.discs.source import DiscSource

# A container in a container in a container; more than this is a bomb.
_DEPTH_AT_MOST = 8
# Where a plain image says what it is (ECMA-119 8.1.2, ECMA-167 2/9.1.2).
_RECOGNITION = 32769
_PLAIN = (b"CD001", b"BEA01", b"NSR02", b"NSR03", b"BOOT2", b"CDROM")


class Unpacked(NamedTuple):
    """The image's own bytes, and the memory for decoded blocks.

    ``tracks`` is the same source where it is known to be the data tracks of a disc.
    """

    source: Source
    tracks: "DiscSource | None"
    store: Store

    @property
    def disc(self) -> Disc | None:
        """The disc whose data tracks the source has, if it is known."""
        return None if self.tracks is None else self.tracks.disc


def unpack(file: str | os.PathLike[str] | BinaryFile) -> Unpacked:
    """Open what ``file`` names, a path or a binary file object, down to the image in it.

    Raises ImageUnreadableError, NotAnImageError or DamagedImageError.
    """
    source = open_source(file)
    store = Store()
    if not isinstance(file, str | os.PathLike):
        return _unpack(source, Surroundings(NoSiblings(), store))
    if stat.S_ISBLK(os.stat(file).st_mode):  # a disc in a drive is in no container
        return Unpacked(source, None, store)
    siblings = LocalSiblings(os.path.dirname(os.path.abspath(file)))
    return _unpack(source, Surroundings(siblings, store))


def _unpack(source: Source, surroundings: Surroundings) -> Unpacked:
    """The image in ``source``, which is closed if there is none."""
    try:
        for _ in range(_DEPTH_AT_MOST):
            source = surroundings.cached(source)
            found = _content(source, surroundings)
            if found is None:
                return Unpacked(source, None, surroundings.store)
            if isinstance(found, Disc):
                return _data_of(found, source.name, surroundings)
            if isinstance(found, Archive):
                chosen = choose(found, source.name)
                surroundings = surroundings._replace(siblings=ArchiveSiblings(found, chosen.name))
                source = found.open(chosen.name)
            else:
                source = found
        raise NotAnImageError(f"{source.name}: is a container in a container, too many times")
    except BaseException:
        source.close()
        raise


def _data_of(disc: Disc, name: str, surroundings: Surroundings) -> Unpacked:
    """The data tracks of ``disc``, which is closed if there are none."""
    from isomount.containers.discs.source import DiscSource  # most images are no tracks

    try:
        tracks = DiscSource(disc, name, surroundings.cached)
    except BaseException:
        disc.close()
        raise
    return Unpacked(tracks, tracks, surroundings.store)


def _content(source: Source, surroundings: Surroundings) -> Source | Archive | Disc | None:
    """What is in ``source`` if it is a container."""
    for kind in _candidates(source):
        with suppress(OtherKindError):
            return kind.unpack(source, surroundings)
    return None


def _candidates(source: Source) -> Iterator[Kind]:
    """The kinds that ``source`` may be of.

    A plain image is none of those that are known by their beginning, whatever it begins with.
    """
    tail = _read(source, max(0, source.size - TAIL), TAIL)
    yield from (kind for kind in KINDS if kind.is_at_end(tail))
    if _read(source, _RECOGNITION, 5) in _PLAIN:
        return
    head = _read(source, 0, HEAD)
    yield from (kind for kind in KINDS if kind.is_at_start(head, source.name))
    yield BARE


def _read(source: Source, offset: int, length: int) -> bytes:
    """That range; nothing if it cannot be read: what is wrong shows when it is needed."""
    try:
        return source.read_at(offset, length)
    except (IsomountError, OSError):
        return b""
