"""``isomount umount MOUNTPOINT|IMAGE``: end a mount."""

import os
from collections.abc import Sequence

from isomount.cli.arguments import Parser
from isomount.daemon.detach import unmount
from isomount.daemon.mountpoint import await_farewell
from isomount.daemon.mounts import Mount, all_mounts, is_same_image
from isomount.errors import NotMountedError, UsageError

_USAGE = "isomount umount MOUNTPOINT|IMAGE [--lazy]"
_DESCRIPTION = (
    "Unmount what isomount has mounted: the folder MOUNTPOINT, or IMAGE wherever it is shown."
)
_EXAMPLES = """examples:
  isomount umount disc             unmount what is shown in the folder disc
  isomount umount debian.iso       unmount that image, wherever it is
  isomount umount --lazy disc      take it away at once; open files can be read to their end
"""


def run(words: Sequence[str]) -> int:
    """Unmount. Returns the exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=1)
    path = _find(names[0] if names else "")
    unmount(path, lazy=flags.lazy)
    if not flags.lazy:
        await_farewell(path)
    return 0


def parser() -> Parser:
    """What this verb understands, for the command, the manual and the shells."""
    parser = Parser("isomount umount", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument(
        "-z", "-l", "--lazy", action="store_true", help="detach it even when it is in use"
    )
    return parser


def _find(what: str) -> str:
    """The mount point that ``what`` names. Nothing is touched that may hang until it has to be."""
    if not what:
        raise UsageError("name the mount point or the image to unmount")
    mounts = all_mounts()
    place = os.path.abspath(what)
    here = _topmost(mounts, place) or _topmost(mounts, _without_links(place))
    if here is not None and here.is_isomount:
        return here.path
    ours = [mount for mount in mounts if mount.is_isomount]
    shown = [mount.path for mount in ours if what == mount.source or is_same_image(mount, place)]
    if len(shown) > 1:
        raise UsageError(f"{what}: is mounted more than once, on {', '.join(shown)}; name one")
    if shown:
        return shown[0]
    if here is not None:
        raise NotMountedError(
            f"{what}: what is mounted there is not isomount's ({here.source}, {here.kind})"
        )
    raise NotMountedError(f"{what}: not mounted")


def _topmost(mounts: list[Mount], path: str) -> Mount | None:
    return next((mount for mount in reversed(mounts) if mount.path == path), None)


def _without_links(path: str) -> str:
    """``path`` with the links above its last component followed, then that one's own."""
    parent, name = os.path.split(path)
    return os.path.realpath(os.path.join(os.path.realpath(parent), name))
