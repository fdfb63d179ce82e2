"""Where in a file its image is: all of it as a rule, else a partition, or what options say."""

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from isomount.blocks import BlockCache, Store
from isomount.damage import Damage
from isomount.errors import DamagedImageError, IsomountError, NotAnImageError, UsageError
from isomount.formats.detect import Views, find_views
from isomount.formats.disc.sessions import missing_front
from isomount.formats.iso9660.descriptors import SECTOR
from isomount.formats.iso9660.records import LOST
from isomount.formats.options import ViewOptions
from isomount.sources import LaterPart, Source, Window

if TYPE_CHECKING:
    from isomount.containers.discs.source import DiscSource
    from isomount.formats.disc.partitions import Partition

# The partitions that are tried, each as a whole image would be.
_PARTITIONS_AT_MOST = 32
# Why there is nothing to show in one place; in another there may be.
_FAILURES = (NotAnImageError, DamagedImageError, UsageError)


class Found(NamedTuple):
    """An image at byte ``offset`` of its file, what was noted of it, and its views.

    ``front`` is how many bytes of the disc came before a session that was stored alone.
    """

    offset: int
    partition: "Partition | None"
    front: int
    blocks: BlockCache
    damage: Damage
    views: Views


def find_image(
    source: Source, options: ViewOptions, store: Store, tracks: "DiscSource | None" = None
) -> Found:
    """The image in ``source``, where ``options`` say that it is; ``store`` is memory for blocks.

    ``tracks`` is the same source where it is known to be the data tracks of a disc.

    Where they say nothing, the whole comes first, so that a hybrid image stays what it is; if it is
    no image, or none that can be shown, the first partition that is one is taken.

    Raises NotAnImageError, DamagedImageError, UsageError or, reading a partition table, OSError.
    """
    if options.offset is not None and options.partition is not None:
        raise UsageError("options offset and partition exclude each other; choose one")
    if options.offset is not None:
        return _from_byte(source, options, options.offset, store)
    whole = BlockCache(source, store)
    if options.partition is not None:
        from isomount.formats.disc.partitions import numbered

        return _first(source, options, store, numbered(whole, options.partition))
    try:
        return _look(source, options, store, tracks=tracks)
    except _FAILURES as error:
        return _first(source, options, store, _candidates(whole), error)


def _candidates(whole: BlockCache) -> "Iterator[Partition]":
    """The partitions to try, as far as the tables can be read."""
    from isomount.formats.disc.partitions import candidates  # most files are images as a whole

    # That the file is no image is known already, and tells more.
    with suppress(IsomountError, OSError):
        yield from islice(candidates(whole), _PARTITIONS_AT_MOST)


def _from_byte(source: Source, options: ViewOptions, offset: int, store: Store) -> Found:
    if offset >= source.size > 0:
        raise UsageError(f"option offset={offset}: {source.name} has only {source.size} bytes")
    if not offset:
        return _look(source, options, store)
    try:
        return _look(Window(source, offset), options, store, offset)
    except _FAILURES as error:
        raise _about(f"from byte {offset}", source.name, error) from error


def _first(
    source: Source,
    options: ViewOptions,
    store: Store,
    partitions: "Iterable[Partition]",
    otherwise: IsomountError | None = None,
) -> Found:
    """The first of ``partitions`` that is an image; without one, what came nearest is raised.

    That is an image which cannot be shown, else ``otherwise``.
    """
    failure = otherwise
    for partition in partitions:
        window = Window(source, partition.start, partition.length)
        try:
            return _look(window, options, store, partition.start, partition)
        except _FAILURES as error:
            if failure is None or (_is_none(failure) and not _is_none(error)):
                failure = _about(partition.words, source.name, error)
    assert failure is not None
    raise failure


def _is_none(failure: IsomountError) -> bool:
    return isinstance(failure, NotAnImageError)


def _look(
    source: Source,
    options: ViewOptions,
    store: Store,
    offset: int = 0,
    partition: "Partition | None" = None,
    tracks: "DiscSource | None" = None,
) -> Found:
    blocks, damage = BlockCache(source, store), Damage()
    is_placed = options.sbsector is not None or (tracks is not None and tracks.sessions)
    front = 0 if is_placed else _missing_front(blocks)
    if front:
        blocks = BlockCache(LaterPart(source, front), store)
        options = dataclasses.replace(options, sbsector=front // SECTOR)
        tracks = None  # they count from elsewhere
    views = find_views(blocks, options, source.name, damage, tracks)
    return Found(offset, partition, front, blocks, damage, views)


def _about(place: str, name: str, error: IsomountError) -> IsomountError:
    """The same failure, with the place in the file that it is about."""
    return type(error)(f"{name} ({place}): {str(error).removeprefix(f'{name}: ')}")


def _missing_front(blocks: BlockCache) -> int:
    try:
        return missing_front(blocks) * SECTOR
    except LOST:
        return 0
