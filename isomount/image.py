"""An open disc image: the library's front door."""

import io
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, Self

from isomount.blocks import BlockCache, Store
from isomount.containers import unpack
from isomount.errors import ClosedError, IsomountError, UsageError
from isomount.formats.base import View
from isomount.formats.disc.sessions import bytes_missing
from isomount.formats.options import Check, Family, Map, ViewOptions
from isomount.locate import find_image
from isomount.options import view_options
from isomount.sources import (
    USUAL,
    BinaryFile,
    Keeping,
    Source,
    absolute,
    file_name,
    is_remote,
    refuse_what_is_no_path,
    shown,
)
from isomount.tree import Volume

if TYPE_CHECKING:
    from isomount.containers.discs.disc import Disc
    from isomount.containers.discs.source import DiscSource
    from isomount.extract import Extractor, Place, Report, Totals
    from isomount.path import ImagePath

__all__ = [
    "Family",
    "Image",
    "Keeping",
    "Map",
    "ViewOptions",
    "absolute",
    "file_name",
    "is_remote",
    "open",
    "open_image",
    "refuse_what_is_no_path",
    "shown",
]

# The views that record modes.
_WITH_MODES = ("Rock Ridge", "UDF")


class Image:
    """An image, the views that it has and the one that is shown.

    ``name`` is the image's path, or what its file object is called. ``views`` names every view
    found, ``volume`` is the chosen one with its cached tree, ``session`` the one it belongs to, and
    ``remark`` says what another view shows and this one does not, ``elsewhere`` where the files are
    if no view has any, "" otherwise. ``source`` is the whole file, in which the image begins at
    byte ``offset``: the partition ``partition``, where it is one. ``front`` is how many bytes of
    the disc came before a session that was stored alone: positions count from the disc's start.
    ``disc`` has the tracks of a CD, where the image tells them.
    ``damage`` counts what was found broken so far.

    Thread-safe. Close it, or use it in a ``with`` statement.
    """

    def __init__(
        self,
        source: Source,
        options: ViewOptions,
        tracks: "DiscSource | None" = None,
        store: Store | None = None,
    ) -> None:
        """The image takes ``source`` over, and closes it where it cannot be opened.

        ``tracks`` is the same source where it is known to be the data tracks of a disc. ``store``
        is memory for blocks that ``source`` uses already.

        Raises NotAnImageError, DamagedImageError or UsageError.
        """
        self.name = source.name
        self.options = options
        self.closed = False
        self.source = source
        self.tracks = tracks
        try:
            if options.check is Check.EDC:
                source = tracks = self.source = self.tracks = _checked(tracks, self.name)
            found = find_image(source, options, store or Store(), tracks)
            self.blocks, self.damage = found.blocks, found.damage
            self.offset, self.partition, self.front = found.offset, found.partition, found.front
            views = found.views
            self.views, self.session = views.names, views.session
            self.elsewhere = _files_elsewhere(self.blocks, views.chosen)
            self.remark = views.remark or self.elsewhere
            if self.front:
                self.remark = _alone(self.front, self.remark)
            self.volume = Volume(views.chosen, self.blocks, self.damage)
        except BaseException:  # whatever it is, nobody will close an image that never was
            source.close()
            raise

    @property
    def disc(self) -> "Disc | None":
        """The disc whose data tracks these are; None where it is not known to be one."""
        return None if self.tracks is None else self.tracks.disc

    @property
    def size(self) -> int:
        """How many bytes the image has."""
        return self.blocks.size - self.front

    @property
    def missing(self) -> int:
        """How many bytes it is too short for the volume of its session; 0 when it is whole.

        Only volume descriptors are read.
        """
        return bytes_missing(self.blocks, self.session.start)

    @property
    def label(self) -> str:
        """The volume's name, "" when it has none."""
        return self.volume.label

    @property
    def view(self) -> str:
        """Which of ``views`` is shown."""
        return self.volume.view.name

    @property
    def shown(self) -> str:
        """The view that is shown, of which session, and where in the file the image is.

        The session only where there are several, the place only where it is not the whole file.
        """
        view = f"{self.view}, {self.session}" if self.session.of > 1 else self.view
        if self.partition is not None:
            return f"{view} of {self.partition.words}"
        return f"{view} from byte {self.offset}" if self.offset else view

    @property
    def root(self) -> "ImagePath":
        """The path of the root directory, which leads to all others."""
        from isomount.path import ImagePath  # a mount does without

        return ImagePath(self)

    def open(self, path: "str | ImagePath") -> io.BufferedReader:
        """The file at ``path``, for reading bytes; its ``raw`` is an ImageFile.

        Symbolic links are followed within the image. Raises PathNotFoundError,
        PathNotDirectoryError, PathIsDirectoryError or PathError; so does a read where bytes are
        lost.
        """
        from isomount.file import open_file

        found = self.root / path if isinstance(path, str) else path
        if found.image is not self:
            raise UsageError(f"{path!r} is a path of another image; open it there")
        return open_file(self, found.node(), str(found))

    def extract(
        self,
        target: str | os.PathLike[str],
        paths: "Iterable[str | ImagePath]" = (),
        *,
        owners: bool | None = None,
        exact_modes: bool | None = None,
        verify: bool = False,
        report: "Report | None" = None,
    ) -> "Totals":
        """Copy ``paths``, everything for none, into the directory ``target``; made if missing.

        Each keeps its place: "a/b" becomes ``target``/a/b. Symbolic links are copied as such, and
        nothing is written outside ``target``. With ``owners``, the default for root alone, owners,
        set-id bits and devices are kept too. With ``exact_modes``, by default as ``owners``,
        directories that are read-only on the disc are so here; without, who made them can remove
        them. ``verify`` reads every file back and compares.

        A path that is not there raises before anything is written, PlaceError says that nothing
        (more) can be written. What else goes wrong is passed over and told to ``report`` as it
        happens; without one, ExtractError tells it in the end.
        """
        # Here because a mount does not need it.
        from isomount.extract import ExtractError, Place, Problems

        self.require_open()
        names = [os.fsencode(str(path)) for path in paths]
        for name in names:
            self.volume.lookup(name)
        with Place(os.fspath(target)) as place:
            problems = Problems()
            extractor = self.extractor(
                place, report or problems, owners=owners, exact_modes=exact_modes, verify=verify
            )
            totals = extractor.extract(names)
        if problems.found:
            raise ExtractError(f"{self.name}: not all of it was extracted", problems.found, totals)
        return totals

    def extractor(
        self,
        place: "Place",
        report: "Report",
        *,
        owners: bool | None = None,
        exact_modes: bool | None = None,
        verify: bool = False,
    ) -> "Extractor":
        """What ``extract`` does its work with, as the view's modes want it."""
        from isomount.extract import Extractor, Modes

        owners = os.geteuid() == 0 if owners is None else owners
        modes = Modes.EXACT if (owners if exact_modes is None else exact_modes) else Modes.USABLE
        return Extractor(
            self.volume,
            place,
            report,
            owners=owners,
            modes=modes if self._has_modes else Modes.NEW,
            verify=verify,
        )

    def close(self) -> None:
        """Close the image. Reading from it raises ClosedError from now on; twice does no harm."""
        self.closed = True
        self.blocks.close()

    def require_open(self) -> None:
        """Raise ClosedError if the image is closed: what is cached is not told either."""
        if self.closed:
            raise ClosedError(f"{self.name}: the image is closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {'closed' if self.closed else self.view}>"

    @property
    def _has_modes(self) -> bool:
        """Whether files have modes of their own; others get those that new files have."""
        chosen = self.options.mode is not None or self.options.dmode is not None
        return chosen or self.view.startswith(_WITH_MODES)


def _files_elsewhere(blocks: BlockCache, view: View) -> str:
    """Where the files are, if ``view`` has none and another file system does; else ""."""
    try:
        if next(view.entries(blocks, view.root), None) is not None:
            return ""
    except (IsomountError, OSError):
        return ""
    from isomount.formats.disc.hfs import files_elsewhere  # few discs need it

    return files_elsewhere(blocks, view)


def _checked(tracks: "DiscSource | None", name: str) -> "DiscSource":
    """``tracks`` with every sector's checksum verified as it is read."""
    if tracks is None:
        raise UsageError(
            f"check=edc: {name} is no file of raw CD sectors, so it has no checksums (EDC) to "
            "check; leave the option out"
        )
    from isomount.containers.discs.check import CheckedDiscSource  # seldom asked for

    return CheckedDiscSource(tracks)


def _alone(front: int, remark: str) -> str:
    said = f"a session stored alone: the {front} bytes of the disc before it are not there"
    return f"{said}; {remark}" if remark else said


def open_image(
    file: str | os.PathLike[str] | BinaryFile,
    options: ViewOptions,
    notice: Callable[[str], None] | None = None,
    keeping: Keeping = USUAL,
) -> Image:
    """Open the image that ``file`` names, as ``options`` want it.

    ``notice`` is told, in a sentence, what takes long or much room before it is done; without it,
    the log is. ``keeping`` is what is kept on the disk of an image that is far away.

    Raises ImageUnreadableError, NotAnImageError, DamagedImageError or UsageError.
    """
    found = unpack(file, notice, keeping)
    return Image(found.source, options, found.tracks, found.store)


def open(
    file: str | os.PathLike[str] | BinaryFile,
    *,
    view: Literal["auto", "iso9660", "udf"] = "auto",
    norock: bool = False,
    nojoliet: bool = False,
    map: Literal["normal", "off", "acorn"] = "normal",
    check: Literal["relaxed", "strict", "edc"] | None = None,
    iocharset: str = "utf8",
    utf8: bool = False,
    hide: bool = False,
    unhide: bool = False,
    showassoc: bool = False,
    undelete: bool = False,
    cruft: bool = False,
    nocompress: bool = False,
    uid: int | str | None = None,
    gid: int | str | None = None,
    mode: int | str | None = None,
    dmode: int | str | None = None,
    umask: int | str = 0,
    overriderockperm: bool = False,
    offset: int | None = None,
    partition: int | None = None,
    session: int | Literal["last"] | None = None,
    sbsector: int | None = None,
    bs: int | None = None,
    anchor: int | None = None,
    lastblock: int | None = None,
    novrs: bool = False,
) -> Image:
    """Open a disc image: a path of a file or a drive, an address, or a file object of bytes.

    A file object is seekable, stays its owner's, and has to stay open for as long as the image is.

    The keywords are the options of the command's ``-o``, with the same names, meanings and words;
    modes are numbers (0o644) or octal strings ("644"), and None leaves it to the disc.

    Raises ImageUnreadableError (with MissingImageError, which is a FileNotFoundError,
    ForbiddenImageError and DirectoryAsImageError), NotAnImageError, DamagedImageError, and
    UsageError, which is a ValueError, for a keyword's value or a view that is not there.
    """
    given = dict(locals())  # the keywords by their names: nothing else has a name yet
    return open_image(given.pop("file"), view_options(given))
