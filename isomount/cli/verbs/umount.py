"""``isomount umount MOUNTPOINT|IMAGE|LABEL...``: unmount images, or all."""

import os
import shlex
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from isomount.cli.options.arguments import Parser
from isomount.cli.reading import ANY_NUMBER
from isomount.cli.terminal.words import say
from isomount.containers.paths import is_same
from isomount.desktop.eject import eject
from isomount.desktop.session_bus import has_session_bus
from isomount.errors import IsomountError, NotMountedError, UsageError
from isomount.image import absolute
from isomount.mounting.holders import who_holds
from isomount.mounting.mountpoint import await_farewell
from isomount.mounting.mounts import Mount, all_mounts, is_same_image, mount_at
from isomount.mounting.unmount import BusyError, unmount
from isomount.state.register import running

# For file managers to let go of what they were told to leave, and between two attempts; seconds.
_LETTING_GO, _AGAIN = 3.0, 0.1

_USAGE = "isomount umount MOUNTPOINT|IMAGE|LABEL...|--all [--lazy]"
_DESCRIPTION = (
    "Unmount what isomount has mounted: the folder MOUNTPOINT, or IMAGE wherever it is shown, or\n"
    "what has that LABEL, or everything that is mounted by you. File managers that show it are\n"
    "asked to leave it, as their eject button does. A mount in use stays; who uses it is told."
)
_EXAMPLES = """examples:
  isomount umount disc             unmount what is shown in the folder disc
  isomount umount debian.iso       unmount that image, wherever it is
  isomount umount one two          unmount both
  isomount umount --lazy disc      take it away at once; open files can be read to their end
  isomount umount --all            end all your mounts; "isomount list" shows them
"""


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=ANY_NUMBER)
    if not flags.all:
        return _each(names or [""], lambda name: _end(_find(name), lazy=flags.lazy))
    if names:
        raise UsageError(f"--all leaves nothing to name, but {names[0]} was named")
    # Those within others first.
    paths = [each.mount.path for each in reversed(running(everybody=False))]
    return _each(paths, lambda path: _end(path, lazy=flags.lazy))


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    parser = Parser("isomount umount", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument(
        "-z", "-l", "--lazy", action="store_true", help="detach it even when it is in use"
    )
    parser.add_argument("-a", "--all", action="store_true", help="every mount of yours")
    return parser


def _each(names: Iterable[str], end: Callable[[str], None]) -> int:
    """``end`` each of ``names``, saying what goes wrong. Returns the first failure's exit code."""
    code = 0
    for name in names:
        try:
            end(name)
        except IsomountError as error:
            say(str(error))
            code = code or error.exit_code
    return code


def _end(path: str, *, lazy: bool) -> None:
    """Unmount ``path``. If it is busy, the error names the processes that use it."""
    try:
        unmount(path, lazy=lazy)
    except BusyError as error:
        if not (has_session_bus() and (eject(path) or _is_let_go(path))):
            raise _in_use(path, error) from error
    if not lazy:
        await_farewell(path)


def _is_let_go(path: str) -> bool:
    """Whether ``path`` can be unmounted after all.

    File managers were told that it is about to go. One that was still listing it then lets go when
    it has done so, which is too late for who told it.
    """
    until = time.monotonic() + _LETTING_GO
    while time.monotonic() < until:
        time.sleep(_AGAIN)
        with suppress(BusyError):
            unmount(path, lazy=False)
            return True
    return False


def _in_use(path: str, error: BusyError) -> IsomountError:
    """``error`` with the names of who uses the mount, where they can be seen."""
    mount = mount_at(path)
    who = who_holds(mount) if mount else ""
    if not who:
        return error
    return IsomountError(
        f"{path}: is in use by {who}; close that, or detach it from them with: "
        f"isomount umount --lazy {shlex.quote(path)}"
    )


def _find(what: str) -> str:
    """The mount point that ``what`` names, without accessing mounts that may hang if possible."""
    if not what:
        raise UsageError(
            "name the mount point, the image or the label to unmount; see isomount umount --help"
        )
    mounts = all_mounts()
    place = absolute(what)
    here = _topmost(mounts, place) or _topmost(mounts, _without_links(place))
    ours = running(everybody=True)
    if here is not None and here in [each.mount for each in ours]:
        return here.path
    shown = [
        each.mount.path
        for each in ours
        if what == each.mount.source
        or is_same(each.image, place)
        or is_same_image(each.mount, place)
    ]
    if not shown and here is None:
        # A label is the image's word: only among this user's own mounts does it name one.
        own = [each for each in ours if each.mount.owner == os.geteuid()]
        shown = [each.mount.path for each in own if each.entry and each.entry.label == what]
    if len(shown) > 1:
        raise UsageError(f"{what}: is mounted more than once, on {', '.join(shown)}; name one")
    if shown:
        return shown[0]
    if here is not None:
        raise NotMountedError(
            f"{what}: what is mounted there is not isomount's ({here.source}, {here.kind})"
        )
    raise NotMountedError(f"{what}: not mounted; what is mounted is shown by: isomount list")


def _topmost(mounts: list[Mount], path: str) -> Mount | None:
    return next((mount for mount in reversed(mounts) if mount.path == path), None)


def _without_links(path: str) -> str:
    """``path`` with symbolic links resolved, those of its parent directory first."""
    parent, name = os.path.split(path)
    return os.path.realpath(os.path.join(os.path.realpath(parent), name))
