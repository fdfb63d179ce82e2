"""``isomount open IMAGE``: show an image in the file manager."""

import os
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from isomount.cli.options.arguments import Parser
from isomount.cli.options.help import add_options
from isomount.cli.options.parse import ParsedOptions, parse_options
from isomount.cli.reading import image_name
from isomount.cli.terminal.output import put
from isomount.cli.terminal.words import say
from isomount.cli.verbs.mount import carry_out
from isomount.containers.names import stem
from isomount.daemon.apart import apart
from isomount.desktop import notification
from isomount.desktop.file_manager import FileManager
from isomount.desktop.media import (
    find_media_directory,
    free_name,
    locked,
    remove,
    safe_directory_name,
)
from isomount.errors import IsomountError, NoFileManagerError
from isomount.image import absolute, file_name, is_remote, open_image, refuse_what_is_no_path, shown
from isomount.mounting.mountpoint import await_farewell
from isomount.mounting.shut_out import advising
from isomount.mounting.unmount import unmount
from isomount.state.register import running
from isomount.text import one_line

_USAGE = "isomount open IMAGE [-o OPTION[,OPTION...]]..."
_DESCRIPTION = """Show an image in the file manager.

It is mounted if it is not yet, in a folder named after its label: in /run/media/USER where that is
yours to write to, else in ~/Discs: only there do file managers list it, with an eject button, and
not in $XDG_RUNTIME_DIR.
Without a terminal, what goes wrong, or is missing from the image, is shown by notify-send."""
_EXAMPLES = """examples:
  isomount open debian.iso         mount it if need be, and open the file manager there
  isomount umount debian.iso       end that; the eject button does the same
"""


class _Shown(NamedTuple):
    """Where the image is mounted; ``made`` are the directories created for that."""

    place: str
    is_new: bool = False
    made: Sequence[str] = ()


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    try:
        _open(words)
    except IsomountError as error:
        if notification.is_needed():
            notification.notify("The disc image cannot be shown", str(error))
        raise
    return 0


def _open(words: Sequence[str]) -> None:
    flags, names = parser().parse(words, names_at_most=1)
    name = image_name(names, "open")
    refuse_what_is_no_path(name)
    image = absolute(name)
    options = parse_options(flags.options)
    place = _shown_at(image)
    if place is None:
        place = _mount_and_show(image, options)
    else:
        _show_mounted(place)
    put(f"{one_line(shown(image))} is mounted on {one_line(place)}")


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    parser = Parser("isomount open", _DESCRIPTION, _EXAMPLES, _USAGE)
    add_options(parser, "as for a mount; a mount that is there already keeps its own")
    return parser


def _tell(message: str) -> None:
    """Say ``message``, where nobody sees a terminal by a notification too."""
    say(message)
    if notification.is_needed():
        notification.notify("About the disc image", message)


def _label(image: str, options: ParsedOptions) -> str:
    """What to call the directory: the label, else the image's name without its endings."""
    label = (
        apart(lambda: _label_in(image, options)) if is_remote(image) else _label_in(image, options)
    )
    return safe_directory_name(label) or safe_directory_name(stem(file_name(image))) or "disc"


def _label_in(image: str, options: ParsedOptions) -> str:
    # Nobody listens to the log here: the mount will say what it finds damaged.
    with advising(image), open_image(image, options.view) as opened:
        return opened.label


def _shown_at(image: str) -> str | None:
    """The mount point where this user has mounted the image already."""
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
    """Mount and show the image. Returns the mount point. If it cannot be shown, it is unmounted."""
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
    directory, made = find_media_directory(image)
    try:
        with locked(directory):
            place = _shown_at(image)  # mounted by another process meanwhile
            if place is not None:
                return _Shown(place)
            place = os.path.join(directory, free_name(directory, label))
            carry_out([image, place], options, tell=_tell)
            return _Shown(place, is_new=True, made=made)
    except BaseException:  # KeyboardInterrupt too: remove what was created
        remove(made)
        raise


def _take_back(shown: _Shown) -> bool:
    """Undo the mount, unless it is in use. Returns whether it was undone."""
    try:
        unmount(shown.place, lazy=False)
    except IsomountError:
        return False
    await_farewell(shown.place)
    remove(shown.made)
    return True
