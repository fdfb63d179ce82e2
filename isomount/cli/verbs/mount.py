"""``isomount IMAGE [MOUNTPOINT]``: mount an image."""

import dataclasses
import os
from collections.abc import Callable, Sequence

import isomount
from isomount.cli.docs.exit_codes import exit_codes
from isomount.cli.mistakes import refuse_stray_names, refuse_unknown_verb, refuse_wrong_order
from isomount.cli.options.arguments import Parser
from isomount.cli.options.help import add_options, options_help
from isomount.cli.options.parse import ParsedOptions, parse_options
from isomount.cli.reading import ANY_NUMBER
from isomount.cli.terminal.output import put
from isomount.cli.terminal.words import say
from isomount.containers.names import is_image
from isomount.containers.paths import is_file
from isomount.daemon import launch
from isomount.daemon.request import MountRequest
from isomount.errors import IsomountError, UsageError
from isomount.image import Keeping, ViewOptions, absolute, refuse_what_is_no_path, shown
from isomount.mounting.mountpoint import default_for
from isomount.owners import known_here
from isomount.text import one_line

_USAGE = """isomount IMAGE [MOUNTPOINT] [-o OPTION[,OPTION...]]... [-f] [-d]
       isomount umount|list|open|recent|cache ... : what is mounted; integrate: into your desktop
       isomount info|ls|tree|cat|extract IMAGE ... : without mounting; see isomount VERB --help"""

_DESCRIPTION = """Show a disc image (ISO 9660, Rock Ridge, Joliet, UDF) as a read-only folder.

IMAGE is an image file, or a drive with a disc in it, or the address of an image (https, s3, gs, az,
ssh), of which only what is read is fetched; of an archive that holds several images,
archive.zip/disc.iso is one of them. MOUNTPOINT is the folder to show it in; it is
made if it is missing, and removed again. Without it, a folder beside the image, named like it. Of
several images each is shown beside itself."""

_EXAMPLES = """examples:
  isomount debian.iso disc         show the image in the folder disc, made if it is missing
  isomount debian.iso              the same in the folder debian beside the image
  isomount *.iso                   each of them so
  isomount https://e.org/d.iso d   an image far away; what is read of it is kept on the disk
  isomount umount disc             end that; "fusermount3 -u disc" does the same
  isomount open debian.iso         mount it and open the file manager there
  isomount extract debian.iso      copy everything out of it, without mounting
  isomount windows.iso disc -o view=iso9660,nojoliet
"""

_ENDING = """
A comma in an option's value is written "\\,". IMAGE and MOUNTPOINT named like a verb (umount,
list ...) are written with a slash (./umount).

exit codes:
"""


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    refuse_unknown_verb(words)
    flags, names = parser().parse(words, names_at_most=ANY_NUMBER)
    refuse_wrong_order(names)
    options, foreground = parse_options(flags.options), flags.foreground or flags.debug
    if not _are_images(names):
        refuse_stray_names(names)
        return carry_out(
            names,
            options,
            read_only=flags.read_only,
            foreground=foreground,
            debug=flags.debug,
        )
    if foreground:
        raise UsageError("only one image can be mounted in the foreground; leave -f and -d out")
    return _mount_each(names, options, read_only=flags.read_only)


def _are_images(names: list[str]) -> bool:
    """Whether ``names`` are several images: then none of them is a mount point."""
    if len(names) == 2:
        # A file is no mount point either. What is meant is told by the endings.
        endings = {os.path.splitext(name)[1].lower() for name in names}
        return is_file(names[1]) and (len(endings) == 1 or all(map(is_image, names)))
    return len(names) > 2 and all(map(is_file, names[1:]))


def _mount_each(images: list[str], options: ParsedOptions, *, read_only: bool) -> int:
    """Mount each beside itself, saying what goes wrong. Returns the first failure's exit code."""
    code = 0
    for image in images:
        try:
            carry_out([image], options, read_only=read_only)
        except IsomountError as error:
            say(str(error))
            code = code or error.exit_code
    return code


def carry_out(
    names: list[str],
    options: ParsedOptions,
    *,
    read_only: bool = False,
    foreground: bool = False,
    debug: bool = False,
    tell: Callable[[str], None] = say,
) -> int:
    """Mount the image ``names[0]`` on the directory ``names[1]``, or on the default one.

    ``read_only`` suppresses the notice that rw has no effect. ``tell`` is called with a sentence
    for what else is to be known of the mount. Returns the exit code; raises IsomountError.
    """
    request = dataclasses.replace(_request(names, options), foreground=foreground, debug=debug)
    code = launch.start(request, tell)
    if options.asks_to_write and not (read_only or foreground):
        say("mounted read-only: rw is ignored, disc images cannot be written to")
    if len(names) == 1 and not foreground:
        put(f"{one_line(shown(request.image))} is mounted on {one_line(request.mountpoint)}")
    return code


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    ending = _ENDING + "".join(f"  {code:<3} {said}\n" for code, said in exit_codes().items())
    parser = Parser("isomount", _DESCRIPTION, f"{_EXAMPLES}\n{options_help()}{ending}", _USAGE)
    add_options(parser, "see below")
    parser.add_argument(
        "-f", "--foreground", action="store_true", help="stay in the foreground, log to stderr"
    )
    parser.add_argument(
        "-d", "--debug", action="store_true", help="the same, and log every request"
    )
    parser.add_argument("-r", "--read-only", action="store_true", help="always so; changes nothing")
    parser.add_argument(
        "-V",
        "--version",
        action="version",
        version=f"isomount {isomount.__version__}",
        help="show the version and exit",
    )
    return parser


def _request(names: list[str], options: ParsedOptions) -> MountRequest:
    if not names or not names[0]:
        raise UsageError("name the image to mount; see isomount --help")
    refuse_what_is_no_path(names[0])
    image = absolute(names[0])
    mountpoint = names[1] if len(names) > 1 else default_for(image)
    if not mountpoint:
        raise UsageError("the mount point has no name; see isomount --help")
    return MountRequest(
        image=image,
        mountpoint=os.path.abspath(mountpoint),
        view=_as_this_user(options.view),
        fuse=options.fuse,
        nonempty=options.nonempty,
        log=_log_path(options),
        xattr=options.xattr,
        idle=options.idle,
        lane=options.lane,
        keeping=_keeping(options),
    )


def _as_this_user(view: ViewOptions) -> ViewOptions:
    """By default, an ordinary user owns all files in their mounts, root those of nobody here."""
    if os.geteuid() == 0:
        return known_here(view)
    return dataclasses.replace(
        view,
        uid=os.getuid() if view.uid is None else view.uid,
        gid=os.getgid() if view.gid is None else view.gid,
    )


def _keeping(options: ParsedOptions) -> Keeping:
    limit = Keeping().limit if options.cache is None else options.cache
    directory = options.cache_directory
    return Keeping(limit, None if directory is None else os.path.abspath(directory))


def _log_path(options: ParsedOptions) -> str | None:
    return None if options.log is None else os.path.abspath(options.log)
