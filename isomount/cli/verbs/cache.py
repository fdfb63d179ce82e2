"""``isomount cache list|clear``: what is kept on the disk of images that are far away."""

import json
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from isomount.cli.options.arguments import Parser
from isomount.cli.terminal.columns import aligned
from isomount.cli.terminal.output import finish, put
from isomount.cli.terminal.words import say
from isomount.containers.far import cleared, kept_images
from isomount.errors import UsageError
from isomount.image import Keeping
from isomount.text import one_line, readable_size

_USAGE = "isomount cache list|clear [--json] [--dir DIR]"
_DESCRIPTION = """List or remove what is kept on the disk of images that are far away.

What was read of an image at an address is not fetched again, as long as the image is the same. All
that is kept takes at most 4 GiB, or what the option cache= of a mount says; what was used least
recently goes first. It may be removed at any time, while images are mounted too."""
_EXAMPLES = """examples:
  isomount cache list              which images, how much of each, used when
  isomount cache clear             remove all of it
  isomount cache list --dir DIR    of mounts with -o cachedir=DIR
"""
_HEADER = ("IMAGE", "KEPT", "USED")
_UNKNOWN = "-"


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=1)
    directory = None if flags.dir is None else os.path.abspath(flags.dir)
    keeping = Keeping(directory=directory)
    if names == ["clear"]:
        say(f"{readable_size(cleared(keeping))} removed")
    elif names == ["list"]:
        _list(keeping, as_json=flags.json)
    else:
        raise UsageError("name what to do, list or clear; see isomount cache --help")
    finish()
    return 0


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    parser = Parser("isomount cache", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dir", metavar="DIR", help="the folder that cachedir= named")
    return parser


def _list(keeping: Keeping, *, as_json: bool) -> None:
    images = kept_images(keeping)
    if as_json:
        plain = [
            {
                "image": one_line(each.address),
                "bytes": each.size,
                "used": datetime.fromtimestamp(int(each.used), UTC).isoformat(),
            }
            for each in images
        ]
        put(json.dumps(plain, indent=2, ensure_ascii=False))
        return
    rows = [
        (
            one_line(each.address) or _UNKNOWN,
            readable_size(each.size),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(each.used)),
        )
        for each in reversed(images)
    ]
    for line in aligned([_HEADER, *rows]) if rows else []:
        put(line)
