"""``mount.isomount IMAGE FOLDER [-sfnv] [-o OPTIONS] [-t TYPE]``: the helper for mount(8).

mount(8) only looks for it in /sbin, and runs it for the type isomount, in ``-t`` or fstab.
"""

from collections.abc import Sequence

from isomount.cli.options.arguments import Parser
from isomount.cli.options.help import add_options
from isomount.cli.options.parse import parse_options
from isomount.cli.verbs import mount
from isomount.errors import UsageError
from isomount.text import one_line

_USAGE = "mount.isomount IMAGE FOLDER [-sfnv] [-o OPTION[,OPTION...]] [-t TYPE]"
_DESCRIPTION = "Mount a disc image for mount(8). People say: mount -t isomount IMAGE FOLDER"
_EXAMPLES = """examples:
  mount -t isomount debian.iso /mnt -o uid=1000
"""


def run(words: Sequence[str]) -> int:
    """Mount as mount(8) asks. Returns isomount's exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=2)
    if flags.namespace:
        raise UsageError(
            f"-N {flags.namespace}: isomount cannot mount into another namespace; "
            f"run mount inside it with: nsenter --mount={flags.namespace} mount ..."
        )
    if len(names) < 2:
        raise UsageError("name the image and the folder; see mount.isomount --help")
    options = parse_options(flags.options, sloppy=flags.sloppy)
    if flags.fake:
        return 0
    # mount(8) passes "rw" unless it was told "ro", so it does not mean that anybody wants to write.
    code = mount.carry_out(names, options, read_only=not flags.verbose)
    if flags.verbose:
        print(f"{one_line(names[0])} is mounted on {one_line(names[1])}")
    return code


def parser() -> Parser:
    """The flags that mount(8) gives its helpers."""
    parser = Parser("mount.isomount", _DESCRIPTION, _EXAMPLES, _USAGE)
    add_options(parser, "as isomount's")
    parser.add_argument("-s", dest="sloppy", action="store_true", help="ignore unknown options")
    parser.add_argument("-f", dest="fake", action="store_true", help="only check the options")
    parser.add_argument("-n", dest="no_mtab", action="store_true", help="changes nothing")
    parser.add_argument("-v", dest="verbose", action="store_true", help="say what was mounted")
    parser.add_argument("-t", dest="type", metavar="TYPE", help="changes nothing")
    parser.add_argument("-N", dest="namespace", metavar="NAMESPACE", help="is refused")
    return parser
