"""From the file that was named to the image in it, through as many containers as there are."""

import errno
import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from isomount.blocks import Store
from isomount.containers.base import Archive, Surroundings, closed_on_failure
from isomount.containers.names import PIECE
from isomount.containers.paths import locate
from isomount.containers.recognise import DEPTH_AT_MOST, content
from isomount.containers.siblings import ArchiveSiblings, LocalSiblings, NoSiblings, RemoteSiblings
from isomount.errors import (
    MissingImageError,
    NotAnImageError,
)
from isomount.sources import USUAL, BinaryFile, Keeping, Source, is_remote, open_source

if TYPE_CHECKING:
    from isomount.containers.discs.disc import Disc
    from isomount.containers.discs.source import DiscSource

    _Content = Source | Archive | Disc


class Unpacked(NamedTuple):
    """The image's own bytes, and the memory for decoded blocks.

    ``tracks`` is the same source where it is known to be the data tracks of a disc.
    """

    source: Source
    tracks: "DiscSource | None"
    store: Store

    @property
    def disc(self) -> "Disc | None":
        """The disc whose data tracks the source has, if it is known."""
        return None if self.tracks is None else self.tracks.disc


def unpack(
    file: str | os.PathLike[str] | BinaryFile,
    notice: Callable[[str], None] | None = None,
    keeping: Keeping = USUAL,
) -> Unpacked:
    """Open what ``file`` names, a path or a binary file object, down to the image in it.

    ``notice`` is told beforehand what takes long or much room; without it, the log is.
    ``keeping`` is what is kept on the disk of an image that is far away.

    Raises ImageUnreadableError, NotAnImageError or DamagedImageError.
    """
    store = Store()
    if not isinstance(file, str | os.PathLike):
        surroundings = _noticed(Surroundings(NoSiblings(), store), notice)
        return _unpack(open_source(file), surroundings, "")
    if is_remote(address := os.fspath(file)):
        surroundings = _noticed(Surroundings(RemoteSiblings(address, keeping), store), notice)
        return _unpack(open_source(address, keeping), surroundings, "")
    path, member = locate(os.fspath(file))
    source = open_source(path)
    if stat.S_ISBLK(os.stat(path).st_mode):  # a disc in a drive is in no container
        return Unpacked(source, None, store)
    siblings = LocalSiblings(os.path.dirname(os.path.abspath(path)))
    return _unpack(source, _noticed(Surroundings(siblings, store), notice), member)


def _noticed(surroundings: Surroundings, notice: Callable[[str], None] | None) -> Surroundings:
    return surroundings if notice is None else surroundings._replace(notice=notice)


def _unpack(source: Source, surroundings: Surroundings, path: str) -> Unpacked:
    """The image in ``source``, at ``path`` within it if that is not "".

    Each thing that comes out closes what it came out of: the last one is to be closed, here if
    there is no image.
    """
    last: _Content = source
    try:
        last = source = _whole(source, surroundings)
        for _ in range(DEPTH_AT_MOST):
            found = content(source, surroundings)
            if found is None:
                _refuse_the_rest(source.name, path)
                return Unpacked(surroundings.cached(source), None, surroundings.store)
            last = found
            if isinstance(found, Archive):
                from isomount.containers.archives.choose import choose, opened

                member, path = choose(found, source.name, path)
                surroundings = surroundings._replace(siblings=ArchiveSiblings(found, member))
                last = source = opened(found, member)
                last = source = _whole(source, surroundings)
                continue
            from isomount.containers.discs.disc import Disc  # plain images do without

            if isinstance(found, Disc):
                _refuse_the_rest(source.name, path)
                return _data_of(found, source.name, surroundings)
            source = found
        raise NotAnImageError(f"{source.name}: is a container in a container, too many times")
    except BaseException:  # Ctrl-C too: nobody else would close it
        last.close()
        raise


def _whole(source: Source, surroundings: Surroundings) -> Source:
    """The file of which ``source`` is a piece, by its name; ``source`` itself as a rule."""
    if PIECE.search(source.name) is None:
        return source
    from isomount.containers.archives.pieces import joined  # few images need it

    return joined(source, surroundings)


def _refuse_the_rest(name: str, path: str) -> None:
    """Raise MissingImageError if ``path`` leads on into the image ``name``."""
    if path:
        raise MissingImageError(
            errno.ENOTDIR,
            f"{name}/{path}",
            f"{name} is a disc image and no archive; name it alone, and what is in it behind it: "
            "isomount ls IMAGE PATH",
        )


def _data_of(disc: "Disc", name: str, surroundings: Surroundings) -> Unpacked:
    """The data tracks of ``disc``, which is closed if there are none."""
    from isomount.containers.discs.source import DiscSource  # most images are no tracks

    with closed_on_failure(disc):
        tracks = DiscSource(disc, name, surroundings.cached)
    return Unpacked(tracks, tracks, surroundings.store)
