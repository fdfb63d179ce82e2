"""``isomount open IMAGE``: show an image in the file manager."""

import contextlib
import fcntl
import logging
import os
import pwd
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from isomount.cli import notification
from isomount.cli.arguments import Parser
from isomount.cli.file_manager import FileManager
from isomount.cli.mount import carry_out
from isomount.cli.option_parser import ParsedOptions, parse_options
from isomount.cli.output import put
from isomount.cli.reading import image_name
from isomount.cli.words import one_line
from isomount.daemon.detach import unmount
from isomount.daemon.mountpoint import await_farewell
from isomount.daemon.mounts import all_mounts
from isomount.daemon.register import running
from isomount.errors import IsomountError, MountPointError, NoFileManagerError
from isomount.image import open_image

_USAGE = "isomount open IMAGE [-o OPTION[,OPTION...]]..."
_DESCRIPTION = """Show an image in the file manager.

It is mounted if it is not yet, in a folder named after its label: in /run/media/USER where that is
yours to write to, else in the folder isomount in your home, where file managers look as well.
Without a terminal, what goes wrong is shown by notify-send."""
_EXAMPLES = """examples:
  isomount open debian.iso         mount it if need be, and open the file manager there
  isomount umount debian.iso       end that; the eject button does the same
"""
_RUN_MEDIA = "/run/media"
_HOME_FOLDER = "isomount"
_NAME_AT_MOST = 64


class _Shown(NamedTuple):
    """Where the image is shown; ``made`` are the folders made for that, if this call did it."""

    place: str
    is_new: bool = False
    made: Sequence[str] = ()


def run(words: Sequence[str]) -> int:
    """Open. Returns the exit code; raises IsomountError."""
    try:
        _open(words)
    except IsomountError as error:
        if notification.is_needed():
            notification.notify("The disc image cannot be shown", str(error))
        raise
    return 0


def _open(words: Sequence[str]) -> None:
    flags, names = parser().parse(words, names_at_most=1)
    image = os.path.abspath(image_name(names, "open"))
    options = parse_options(flags.options)
    place = _shown_at(image)
    if place is None:
        place = _mount_and_show(image, options)
    else:
        _show_mounted(place)
    put(f"{one_line(image)} is mounted on {one_line(place)}")


def parser() -> Parser:
    """What this verb understands, for the command, the manual and the shells."""
    parser = Parser("isomount open", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument(
        "-o",
        dest="options",
        metavar="OPTIONS",
        action="append",
        default=[],
        help="as for a mount; a mount that is there already keeps its own",
    )
    return parser


def safe_folder_name(label: str) -> str:
    """``label`` as the name of one visible folder; "" when nothing of it is left."""
    text = "".join(c if c.isprintable() and c != "/" else " " for c in label)
    text = " ".join(text.split()).lstrip(".-~ ")[:_NAME_AT_MOST]
    # No lone surrogates, and in bytes no more than a folder's name may have.
    return text.encode("utf-8", "ignore")[:200].decode("utf-8", "ignore").rstrip()


def _label(image: str, options: ParsedOptions) -> str:
    """What to call the folder: the label, else the image's name without its ending."""
    log = logging.getLogger("isomount")
    quiet = logging.NullHandler()  # the mount will say what it finds damaged
    log.addHandler(quiet)
    try:
        with open_image(image, options.view) as opened:
            label = opened.volume.label
    finally:
        log.removeHandler(quiet)
    stem = os.path.splitext(os.path.basename(image))[0]
    return safe_folder_name(label) or safe_folder_name(os.fsdecode(os.fsencode(stem))) or "disc"


def _shown_at(image: str) -> str | None:
    """Where a mount of this user's shows the image already."""
    for each in running(everybody=False):
        if not each.is_dead and each.shows(image):
            return each.mount.path
    return None


def _show_mounted(place: str) -> None:
    try:
        FileManager().show(place)
    except NoFileManagerError as error:
        raise _or(error, _go_to(place)) from error


def _mount_and_show(image: str, options: ParsedOptions) -> str:
    """Returns where. What cannot be shown is not mounted, or not any more."""
    label = _label(image, options)
    without = f"mount without it: isomount {shlex.quote(image)} FOLDER"
    try:
        manager = FileManager()
    except NoFileManagerError as error:
        raise _or(error, without) from error
    shown = _mount(image, label, options)
    try:
        manager.show(shown.place)
    except NoFileManagerError as error:
        gone = shown.is_new and _take_back(shown)
        raise _or(error, without if gone else _go_to(shown.place)) from error
    return shown.place


def _or(error: NoFileManagerError, remedy: str) -> NoFileManagerError:
    return NoFileManagerError(f"{error}, or {remedy}")


def _go_to(place: str) -> str:
    return f"go where the image is mounted: cd {shlex.quote(place)}"


def _mount(image: str, label: str, options: ParsedOptions) -> _Shown:
    folder, made = _find_media_folder(image)
    try:
        with _locked(folder):
            place = _shown_at(image)  # by another click, while this one waited
            if place is not None:
                return _Shown(place)
            place = os.path.join(folder, _free_name(folder, label))
            carry_out([image, place], options)
            return _Shown(place, is_new=True, made=made)
    except BaseException:  # Ctrl-C as well: folders made for the mount must not stay
        _remove(made)
        raise


def _take_back(shown: _Shown) -> bool:
    """Unmount what this call has mounted. Returns whether it could be: nobody uses it, then."""
    try:
        unmount(shown.place, lazy=False)
    except IsomountError:
        return False
    await_farewell(shown.place)
    _remove(shown.made)
    return True


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    """``folder``, locked: two clicks at once are not to mount an image twice."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        # Whoever had the lock may have failed, and removed the folder that it had made.
        os.makedirs(folder, 0o700, exist_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):  # the daemon may hold the descriptor a little longer
            fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def _find_media_folder(image: str) -> tuple[str, list[str]]:
    """The folder for mount points, and which folders were made to have it, the innermost first."""
    for folder in _media_folders():
        made = _missing(folder)
        with contextlib.suppress(OSError):
            os.makedirs(folder, 0o700, exist_ok=True)
        if os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder, made
        _remove(made)
    raise MountPointError(
        "there is no folder of yours to mount in (/run/media, your home); name one with: "
        f"isomount {shlex.quote(image)} FOLDER"
    )


def _missing(folder: str) -> list[str]:
    missing = []
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing


def _remove(made: Sequence[str]) -> None:
    with contextlib.suppress(OSError):  # somebody else has put something there meanwhile
        for folder in made:
            os.rmdir(folder)


def _media_folders() -> Iterator[str]:
    with contextlib.suppress(KeyError):  # a user without a name
        yield os.path.join(_RUN_MEDIA, pwd.getpwuid(os.geteuid()).pw_name)
    home = os.environ.get("HOME", "")
    if os.path.isabs(home) and home != "/" and os.path.isdir(home):
        yield os.path.join(home, _HOME_FOLDER)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime):
        yield os.path.join(runtime, "media")


def _free_name(folder: str, name: str) -> str:
    """``name``, or with a number behind it, that nothing in ``folder`` has.

    Names are looked up in the folder's listing: to look at one could hang at a dead mount.
    """
    taken = set(os.listdir(folder)) | {os.path.basename(mount.path) for mount in all_mounts()}
    number = 1
    candidate = name
    while candidate in taken:
        number += 1
        candidate = f"{name} {number}"
    return candidate
