"""``isomount list``: list mounts."""

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from isomount.cli.options.arguments import Parser
from isomount.cli.terminal.columns import aligned
from isomount.cli.terminal.output import finish, put
from isomount.cli.terminal.words import say
from isomount.state.register import MountEntry, Running, running
from isomount.text import one_line, readable_size

_USAGE = "isomount list [--all] [--json]"
_DESCRIPTION = """List the images that isomount shows for you: where, which view, since when.

An image that was deleted, or replaced by another file, while it is shown has "(deleted)" behind it:
what was mounted can be read on, until it is unmounted by its folder or its former name. That an
image was renamed, or overwritten in place, is not noticed. One that was cut off when it was mounted
says behind its size how much is missing."""
_EXAMPLES = """examples:
  isomount list                              your mounts
  isomount list --all                        every user's
  isomount list --json | jq -r '.[].image'   for programs: sizes in bytes, times in UTC
"""
_HEADER = ("IMAGE", "MOUNTED ON", "VIEW", "LABEL", "SIZE", "SINCE")
_UNKNOWN = "-"


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    flags, _ = parser().parse(words, names_at_most=0)
    rows = running(everybody=flags.all)
    if flags.json:
        put(json.dumps([_plain(row) for row in rows], indent=2, ensure_ascii=False))
    elif rows:
        _print_table(rows)
    elif sys.stdout is not None and sys.stdout.isatty():
        say("nothing is mounted" if flags.all else "nothing is mounted by you; --all shows more")
    finish()
    return 0


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    parser = Parser("isomount list", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument("-a", "--all", action="store_true", help="every user's mounts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _print_table(rows: list[Running]) -> None:
    lines = aligned([_HEADER, *map(_fields, rows)])
    remarks = ["", *(row.entry.remark if row.entry else "" for row in rows)]
    for line, remark in zip(lines, remarks, strict=True):
        put(line)
        if remark:
            put(f"  {one_line(remark)}")


def _fields(row: Running) -> tuple[str, ...]:
    entry = row.entry
    if entry is None:
        about = (_UNKNOWN,) * 4
    else:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.since))
        about = (
            entry.shown or entry.view,
            entry.label or _UNKNOWN,
            _size(entry),
            since,
        )
    if row.is_dead:
        about = (*about[:-1], f"{about[-1]} (dead; clear it with: isomount umount --lazy)")
    image = f"{row.image} (deleted)" if row.has_lost_image else row.image
    return tuple(map(one_line, (image, row.mount.path, *about)))


def _size(entry: MountEntry) -> str:
    missing = f" ({readable_size(entry.missing)} missing)" if entry.missing else ""
    return f"{readable_size(entry.size)}{missing}"


def _plain(row: Running) -> dict[str, Any]:
    entry = row.entry
    since = None if entry is None else datetime.fromtimestamp(int(entry.since), UTC).isoformat()
    return {
        "image": one_line(row.image),
        "mountpoint": one_line(row.mount.path),
        "view": entry and entry.view,
        "session": entry and entry.session,
        "remark": entry and entry.remark,
        "shown": entry and (entry.shown or entry.view),
        "label": entry and entry.label,
        "size": entry and entry.size,
        "missing": entry and entry.missing,
        "since": since,
        "user": row.mount.owner,
        "pid": entry and entry.pid,
        "dead": row.is_dead,
        "deleted": row.has_lost_image,
    }
