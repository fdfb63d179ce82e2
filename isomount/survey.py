"""Everything that an image tells about itself without its files being looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from isomount.blocks import BlockCache
from isomount.containers.discs.disc import Mode, Track
from isomount.errors import IsomountError
from isomount.formats.charset import is_utf8
from isomount.formats.charset_guess import Guess, Guesses, guess
from isomount.formats.disc.boot import BootCatalog, BootEntry, read_catalog
from isomount.formats.disc.partitions import Partition, read_partitions
from isomount.formats.disc.sessions import sessions
from isomount.formats.identity import Identity, authoring_tool
from isomount.formats.iso9660.identity import identities as iso9660_identities
from isomount.formats.udf.identity import identities as udf_identities
from isomount.image import Image
from isomount.tree.walk import Walk

__all__ = [
    "BootEntry",
    "Guess",
    "Guesses",
    "Identity",
    "Mode",
    "Partition",
    "Survey",
    "Track",
    "survey",
]

# Names that are looked at for a guess at their character set.
_NAMES_AT_MOST = 2000

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of an image. Sizes are bytes; ``sessions`` are their first 2048-byte sectors,
    ``session`` says which is shown ("session 2 of 3"), "" where there is one.

    The image begins at byte ``offset`` of its file, and is the one of ``partitions`` that
    ``partition`` is; places other than those of partitions count from there.
    ``volumes`` holds a descriptor's identifiers each; ``tool`` is the program that made the image,
    "" where nothing gives it away. ``volume_size`` is how far the volumes say they reach, 0 where
    they do not say. ``remark`` says what another view shows and this one does not, or where the
    files are if none has any. ``charset`` guesses what names that are not UTF-8 are in. ``damage``
    pairs an image byte with what is wrong there. ``container`` says what kind of sheet or file the
    tracks were found by, "" for an image that is not known to be a disc's ``tracks``.
    """

    image: str
    offset: int
    partition: Partition | None
    size: int
    volume_size: int
    views: list[str]
    view: str
    remark: str
    label: str
    volumes: list[Identity]
    tool: str
    sessions: list[int]
    session: str
    boot: BootCatalog | None
    partitions: list[Partition]
    charset: Guesses
    damage: list[tuple[int, str]]
    container: str
    tracks: list[Track]

    @property
    def missing(self) -> int:
        """How many bytes the image is too short for its volumes; 0 when it is whole."""
        return max(0, self.volume_size - self.size)


def survey(image: Image) -> Survey:
    """Look at the open ``image``. A part that cannot be read is damage."""
    blocks, damage = image.blocks, image.damage

    def part(name: str, read: Callable[[], _Part], otherwise: _Part) -> _Part:
        try:
            return read()
        except (IsomountError, OSError) as error:
            damage.note(0, f"the {name} cannot be read: {error}")
            return otherwise

    start = image.session.start
    options = image.session.applied_to(image.options)
    none: list[Identity] = []
    volumes = part(
        "ISO 9660 descriptors", lambda: iso9660_identities(blocks, start, options.charset), none
    )
    if _has_udf(image):
        volumes = volumes + part("UDF descriptors", lambda: udf_identities(blocks, options), none)
    starts = [] if image.front else part("list of sessions", lambda: _sessions(image), [0])
    boot = part("boot catalog", lambda: read_catalog(blocks, start), None)
    if boot is not None and not boot.is_sound:
        damage.note(boot.block * 2048, "the boot catalog's checksum is wrong")
    return Survey(
        image=image.name,
        offset=image.offset,
        partition=image.partition,
        size=image.size,
        volume_size=_reach(image, volumes),
        views=list(image.views),
        view=image.view,
        remark=image.remark,
        label=image.label,
        volumes=volumes,
        tool=authoring_tool(volumes),
        sessions=starts,
        session=str(image.session),
        boot=boot,
        partitions=part("partition table", lambda: _partitions(image), []),
        charset=part("names", lambda: guess(_odd_names(image)), Guesses([], is_sure=False)),
        damage=damage.findings,
        container=image.disc.kind if image.disc else "",
        tracks=list(image.disc.tracks) if image.disc else [],
    )


def _sessions(image: Image) -> list[int]:
    """The first sectors of the sessions: as the disc's tracks have them, else by looking."""
    known = image.tracks.sessions if image.tracks else {}
    return list(known.values()) or sessions(image.blocks)


def _partitions(image: Image) -> list[Partition]:
    """The partitions of the whole file, which the image may be one of.

    A disc that begins with audio, or with another session, has no table before that.
    """
    if image.disc is not None and image.session.start:
        return []
    whole = BlockCache(image.source)
    if image.partition is None:
        return read_partitions(whole)
    return read_partitions(whole, image.partition.block_size)


def _has_udf(image: Image) -> bool:
    """Whether one of the image's views is UDF."""
    return any(name.startswith("UDF") for name in image.views)


def _reach(image: Image, volumes: list[Identity]) -> int:
    """How far the volumes say they reach, in bytes from the image's start; 0 if they do not say."""
    return max(0, max((volume.size for volume in volumes), default=0) - image.front)


def _odd_names(image: Image) -> list[bytes]:
    """The names near the root that are not UTF-8; none where a character set was chosen."""
    if image.options.charset != "utf-8":
        return []
    root = image.volume.node(image.volume.root)
    directories = Walk(image.volume, root).directories()
    names = (name for _, entries, _ in directories for _, name, _ in entries)
    return [name for name in islice(names, _NAMES_AT_MOST) if not is_utf8(name)]
