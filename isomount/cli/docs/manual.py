"""The manual page isomount(1), generated from the parsers, so that it is always up to date.

``python -m isomount.cli.docs.manual`` prints it, for man(1).
"""

import argparse
import re
import sys
from collections.abc import Iterator

import isomount
from isomount import cli
from isomount.cli.docs.exit_codes import exit_codes
from isomount.cli.options.arguments import Parser
from isomount.cli.options.table import TABLE, Target
from isomount.cli.verbs import mount, mount8

FSTAB_LINE = (
    "/srv/disc.iso /mnt/disc isomount"
    " noauto,nofail,x-systemd.automount,x-gvfs-show,user,allow_other 0 0"
)

_FSTAB = f"""
.PP
mount(8) runs isomount for the type
.BR isomount ,
by the helper /sbin/mount.isomount, and for the type
.BR fuse.isomount ,
by that of the package fuse3.
A line of /etc/fstab for an image that any user may mount, that systemd mounts when it is first
looked at, and that file managers show (a blank in a name is written \\e040):
.PP
.in +4
.nf
{FSTAB_LINE}
.fi
.in
.PP
systemd mounts as root, so that nobody else sees the image without
.BR allow_other .
Where an ordinary user mounts it instead, as
.B user
lets them, that needs the line user_allow_other in /etc/fuse.conf, and the folder has to be that
user's (chown).
Without
.BR noauto ,
the image is mounted at boot; with
.BR nofail ,
the boot goes on without it. mount(8) returns isomount's exit status.
.PP
The helper's flags are those that mount(8) gives it:
"""

_SYSTEMD = """
.PP
The template
.B isomount@.service
of the user's service manager keeps an image mounted beside it; the instance is the image's path:
.PP
.in +4
.nf
systemctl \\-\\-user start "isomount@$(systemd\\-escape \\-\\-path ~/disc.iso).service"
.fi
.in
.PP
That of the system reads
.RI /etc/isomount/ NAME .conf:
.PP
.in +4
.nf
IMAGE=/srv/images/debian.iso
MOUNTPOINT=/srv/debian
OPTIONS=allow_other,norock
.fi
.in
.PP
and is started by
.BI "systemctl enable \\-\\-now isomount@" NAME\\fR.
The service counts as started when the mount answers, and its status names the image, the view
and the mount point. A .mount unit has the line
.BR Type=isomount .
"""

_SIGNALS = """
.PP
SIGTERM, SIGINT and SIGHUP unmount. Files that are open are still served, and the process ends with
the last of them; a second signal ends it at once. A killed process leaves a dead mount, which the
next mount of the same folder clears away.
"""

_FILES = """
.TP
.I /etc/fuse.conf
The line user_allow_other lets ordinary users say allow_other and allow_root.
.TP
.I /dev/fuse
The kernel's side of every mount.
.TP
.I ~/.local/state/isomount
The images that were mounted, for
.BR "isomount recent" ,
and warnings of mounts, in the file log, where there is no system's log.
.TP
.I ~/.cache/isomount/remote
What travelled of images that are far away, see
.BR "isomount cache" .
"""


def page() -> str:
    """The page as man(7) source."""
    parts = [
        f'.TH ISOMOUNT 1 "" "isomount {isomount.__version__}" "User Commands"',
        ".SH NAME",
        "isomount \\- show a disc image as a read\\-only folder, without root",
        ".SH SYNOPSIS",
        *_synopsis(),
        ".SH DESCRIPTION",
        *_paragraphs(mount.parser().description),
        *_flags(mount.parser()),
        *_examples(mount.parser()),
        ".SH COMMANDS",
    ]
    for name, parser in verbs().items():
        parts += [f".SS isomount {name}", *_paragraphs(parser.description)]
        parts += [*_flags(parser), *_examples(parser)]
    parts += [".SH OPTIONS", ".PP", *_options(), ".SH EXIT STATUS", *_exit_codes()]
    parts += [".SH SIGNALS", _SIGNALS, ".SH MOUNT(8) AND FSTAB", _FSTAB, *_flags(mount8.parser())]
    parts += [".SH SYSTEMD", _SYSTEMD]
    parts += [".SH FILES", _FILES, ".SH SEE ALSO"]
    parts += [".BR fusermount3 (1),", ".BR mount (8),", ".BR fstab (5),", ".BR systemd.mount (5)"]
    return re.sub(r"\n+", "\n", "\n".join(parts)) + "\n"


def verbs() -> dict[str, Parser]:
    """The parser of each verb, by its name."""
    return {verb: cli.verb_module(verb).parser() for verb in cli.VERBS}


def _synopsis() -> Iterator[str]:
    own = (mount.parser().usage or "").split("\n")[0]  # the verbs have their own below
    others = [*verbs().values(), mount8.parser()]
    usages = [own, *(" ".join((parser.usage or "").split()) for parser in others)]
    yield from (".nf", *map(_text, usages), ".fi")


def _paragraphs(text: str | None) -> Iterator[str]:
    for paragraph in (text or "").strip().split("\n\n"):
        yield ".PP"
        yield from map(_text, paragraph.split("\n"))


def _flags(parser: Parser) -> Iterator[str]:
    for flag in parser.flags:
        if flag.help is argparse.SUPPRESS or not flag.option_strings:
            continue
        value = "" if flag.nargs == 0 else f" \\fI{_text(_metavar(flag))}\\fR"
        yield ".TP"
        yield ", ".join(f"\\fB{_text(word)}\\fR" for word in flag.option_strings) + value
        yield _text(flag.help or "")


def _metavar(flag: argparse.Action) -> str:
    return str(flag.metavar or flag.dest).upper()


def _examples(parser: Parser) -> Iterator[str]:
    title, _, lines = (parser.epilog or "").strip().split("\n\n")[0].partition("\n")
    if title == "examples:":
        yield from (".PP", "Examples:", ".PP", ".nf", *map(_text, lines.split("\n")), ".fi")


def _options() -> Iterator[str]:
    yield "These are the words of"
    yield ".BR \\-o ,"
    yield "with a comma between them; a comma in a value is written \\e,."
    for target in Target:
        yield f".SS {_text(target.value)}"
        options = [option for option in TABLE.values() if option.target is target]
        if target is Target.TABLE:
            yield ".PP"
            yield _text(", ".join([*(option.usage for option in options), "x-..."]))
            continue
        for option in options:
            name, equals, value = option.usage.partition("=")
            yield ".TP"
            yield f"\\fB{_text(name + equals)}\\fR" + (f"\\fI{_text(value)}\\fR" if value else "")
            yield _text(option.help)


def _exit_codes() -> Iterator[str]:
    for code, meaning in exit_codes().items():
        yield ".TP"
        yield f".B {code}"
        yield _text(meaning)


def _text(text: str) -> str:
    """``text`` escaped for roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.stdout.write(page())
