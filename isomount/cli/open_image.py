"""``isomount open IMAGE``: show an image in the file manager."""

import contextlib
import fcntl
import logging
import os
import pwd
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from isomount.cli.arguments import Parser
from isomount.cli.mount import carry_out
from isomount.cli.option_parser import ParsedOptions, parse_options
from isomount.cli.reading import image_name
from isomount.cli.words import one_line, say
from isomount.daemon.detach import find_program
from isomount.daemon.mounts import all_mounts, is_same_image
from isomount.daemon.register import running
from isomount.errors import MountPointError
from isomount.image import open_image

_USAGE = "isomount open IMAGE [-o OPTION[,OPTION...]]..."
_DESCRIPTION = """Show an image in the file manager.

It is mounted if it is not yet, in a folder named after its label: in /run/media/USER where that is
yours to write to, else in the folder isomount in your home, where file managers look as well."""
_EXAMPLES = """examples:
  isomount open debian.iso         mount it if need be, and open the file manager there
  isomount umount debian.iso       end that; the eject button does the same
"""
_RUN_MEDIA = "/run/media"
_HOME_FOLDER = "isomount"
_NAME_AT_MOST = 64
# A file manager that is still there after so many seconds has been opened.
_PATIENCE = 10.0


def run(words: Sequence[str]) -> int:
    """Open. Returns the exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=1)
    image = os.path.abspath(image_name(names, "open"))
    options = parse_options(flags.options)
    label = _label(image, options)
    with _media_folder(image) as folder:
        place = _shown_at(image)
        if place is None:
            place = os.path.join(folder, _free_name(folder, label))
            code = carry_out([image, place], options)
            if code:
                return code
    print(f"{one_line(image)} is mounted on {one_line(place)}", flush=True)
    _show(place)
    return 0


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
        if not each.is_dead and (each.image == image or is_same_image(each.mount, image)):
            return each.mount.path
    return None


@contextmanager
def _media_folder(image: str) -> Iterator[str]:
    """The folder for mount points, locked: two clicks at once are not to mount an image twice."""
    folder = _find_media_folder(image)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield folder
    finally:
        with contextlib.suppress(OSError):  # the daemon may hold the descriptor a little longer
            fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def _find_media_folder(image: str) -> str:
    for folder in _media_folders():
        with contextlib.suppress(OSError):
            os.makedirs(folder, 0o700, exist_ok=True)
        if os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise MountPointError(
        "there is no folder of yours to mount in (/run/media, your home); name one with: "
        f"isomount {shlex.quote(image)} FOLDER"
    )


def _media_folders() -> Iterator[str]:
    with contextlib.suppress(KeyError):  # a user without a name
        yield os.path.join(_RUN_MEDIA, pwd.getpwuid(os.geteuid()).pw_name)
    home = os.environ.get("HOME", "")
    if os.path.isabs(home) and home != "/":
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


def _show(place: str) -> None:
    """Open the file manager; where that is impossible, say why: the mount is there all the same."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        say(f"there is no display here to open a file manager on; go there with: cd {_word(place)}")
        return
    program = find_program("xdg-open")
    if program is None:
        say("no file manager was opened, as xdg-open is missing; install the package xdg-utils")
        return
    opener = subprocess.Popen(
        [program, place],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = opener.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        opener.returncode = 0  # it is the file manager itself, and stays
        return
    if code:
        say(
            f"no file manager was opened (xdg-open ended with code {code}); install one, "
            f"or go there with: cd {_word(place)}"
        )


def _word(place: str) -> str:
    return shlex.quote(place)
