"""``isomount info IMAGE``: show what is known about an image."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

from isomount.cli.options.arguments import Parser
from isomount.cli.reading import (
    image_name,
    open_to_read,
    reading_parser,
    view_options,
)
from isomount.cli.terminal.output import put
from isomount.cli.terminal.units import moment
from isomount.survey import BootEntry, Guesses, Identity, Partition, Survey, Track, survey
from isomount.text import one_line, readable_size

_USAGE = "isomount info IMAGE [--json] [-o OPTION[,OPTION...]]..."
_DESCRIPTION = (
    "Show what an image says about itself: its views, label, identifiers and dates, the program\n"
    "that made it, sessions, boot entries, partitions, and whether it is whole."
)
_EXAMPLES = """examples:
  isomount info debian.iso                       for people
  isomount info debian.iso --json | jq .label    for programs: sizes in bytes, times in UTC
"""
_COLUMN = 16
_SHOWN_DAMAGE = 10
_IDENTIFIERS = (
    ("volume_set", "Volume set"),
    ("system", "System"),
    ("publisher", "Publisher"),
    ("preparer", "Prepared by"),
    ("application", "Application"),
    ("copyright_file", "Copyright file"),
    ("abstract_file", "Abstract file"),
    ("bibliography_file", "Bibliography"),
)
_DATES = (
    ("created_ns", "Created"),
    ("modified_ns", "Modified"),
    ("effective_ns", "Effective"),
    ("expires_ns", "Expires"),
)


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=1)
    options = view_options(flags)
    with open_to_read(image_name(names, "info"), options, warn=False) as image:
        found = survey(image)
    if flags.json:
        put(json.dumps(_plain(found), indent=2, ensure_ascii=False))
        return 0
    for name, text in _lines(found):
        put(f"{name + ':' if name else '':<{_COLUMN}} {one_line(text)}".rstrip())
    return 0


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    parser = reading_parser("info", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _lines(found: Survey) -> Iterator[tuple[str, str]]:
    """The lines to print: a name, empty for further lines of the same, and a text."""
    yield "Image", found.image
    if found.container:
        yield "Stored as", found.container
    yield "Size", _size_words(found)
    yield "Label", found.label or "(none)"
    others = {f"{each.label} ({each.structure})" for each in found.volumes if each.label}
    if len({each.label for each in found.volumes if each.label}) > 1:
        yield "Labels", ", ".join(sorted(others))
    yield (
        "Views",
        ", ".join(f"{each} (shown)" if each == found.view else each for each in _unique(found)),
    )
    if found.remark:
        yield "", found.remark
    yield from _place(found)
    yield "Made with", found.tool or "(unknown)"
    yield from _names_words(found.charset)
    yield from _identifiers(found.volumes)
    if len(found.sessions) > 1:
        starts = ", ".join(
            f"{number} at sector {at}" for number, at in enumerate(found.sessions, 1)
        )
        yield "Sessions", f"{len(found.sessions)}: {starts}; choose with -o session=N"
        if found.session:
            yield "", f"{found.session} is shown"
    yield from _under("Tracks", map(_track_words, found.tracks))
    yield from _under("Boot", map(_boot_words, found.boot.entries if found.boot else ()))
    yield from _under(
        "Partitions",
        (
            _partition_words(each) + (" (shown)" if each == found.partition else "")
            for each in found.partitions
        ),
    )
    yield from _under("Damage", _damage_words(found))


def _place(found: Survey) -> Iterator[tuple[str, str]]:
    """Where in its file the image is, if it is not the whole file."""
    if found.partition is not None:
        yield "Shown", f"{found.partition.words}, from byte {found.offset} of the file"
    elif found.offset:
        yield "Shown", f"from byte {found.offset} of the file"


def _unique(found: Survey) -> list[str]:
    return list(dict.fromkeys([*found.views, found.view]))


def _under(name: str, texts: Iterator[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        yield name, text
        name = ""


def _size_words(found: Survey) -> str:
    size = f"{found.size} bytes ({readable_size(found.size)})"
    if found.missing:
        return f"{size}, {found.missing} bytes less than the volume needs: it is cut off"
    if found.volume_size and found.size > found.volume_size:
        return f"{size}, {found.size - found.volume_size} bytes more than the volume"
    return f"{size}, as the volume says" if found.volume_size else size


def _names_words(charset: Guesses) -> Iterator[tuple[str, str]]:
    """What names that are not UTF-8 may be in, and the option that shows them."""
    if not charset.found:
        return
    words = [f'{each.charset} ("{each.example}")' for each in charset.found]
    if charset.is_sure:
        option = f"iocharset={charset.found[0].charset}"
        yield "Names", f"not UTF-8; probably {words[0]}: show them with -o {option}"
    else:
        yield "Names", f"not UTF-8; perhaps {' or '.join(words)}: try -o iocharset=NAME"


def _identifiers(volumes: list[Identity]) -> Iterator[tuple[str, str]]:
    """Identifiers and dates, each from the first volume that has it, as others repeat it."""
    for field, name in _IDENTIFIERS:
        text = next((value for each in volumes if (value := getattr(each, field))), "")
        if text:
            yield name, text
    for field, name in _DATES:
        time = next((value for each in volumes if (value := getattr(each, field))), None)
        when = None if time is None else moment(time)
        if when is not None:
            yield name, when.strftime("%Y-%m-%d %H:%M:%S UTC")


def _track_words(track: Track) -> str:
    title = track.texts.get("TITLE", "")
    words = f', "{title}"' if title else ""
    return (
        f"{track.number}: {track.mode.value}, session {track.session}, {track.time} long, "
        f"from sector {track.start}{words}"
    )


def _boot_words(entry: BootEntry) -> str:
    state = "" if entry.bootable else ", not bootable"
    return (
        f"{entry.platform_name}, {entry.media_name}{state}, "
        f"{entry.sectors} sectors loaded from byte {entry.block * 2048}"
    )


def _partition_words(each: Partition) -> str:
    kind = f"{each.type_id} ({each.kind})" if each.kind else each.type_id
    name = f' "{each.name}"' if each.name else ""
    active = ", active" if each.active else ""
    return (
        f"{each.table.value} {each.number}: {kind}{name}, "
        f"{readable_size(each.length)} from byte {each.start}{active}"
    )


def _damage_words(found: Survey) -> Iterator[str]:
    if found.missing:
        yield f"the last {found.missing} bytes are missing; copy or download the image again"
    for offset, what in found.damage[:_SHOWN_DAMAGE]:
        yield f"at byte {offset}: {what}"
    if len(found.damage) > _SHOWN_DAMAGE:
        yield f"and {len(found.damage) - _SHOWN_DAMAGE} more; --json has them"


def _plain(found: Survey) -> dict[str, Any]:
    """The survey as JSON values, with times in ISO 8601."""
    plain: dict[str, Any] = {
        name: getattr(found, name)
        for name in (
            "image",
            "offset",
            "size",
            "volume_size",
            "missing",
            "views",
            "view",
            "remark",
            "label",
            "tool",
        )
    }
    plain["image"] = one_line(found.image)
    plain["volumes"] = [_plain_identity(each) for each in found.volumes]
    plain["sessions"] = found.sessions
    plain["session"] = found.session
    plain["container"] = found.container
    plain["tracks"] = [_plain_track(each) for each in found.tracks]
    plain["boot"] = None if found.boot is None else _plain_boot(found)
    plain["partition"] = found.partition and _plain_partition(found.partition)
    plain["partitions"] = [_plain_partition(each) for each in found.partitions]
    plain["charset"] = {
        "is_sure": found.charset.is_sure,
        "guesses": [each._asdict() for each in found.charset.found],
    }
    plain["damage"] = [{"offset": offset, "what": what} for offset, what in found.damage]
    return plain


def _plain_track(each: Track) -> dict[str, Any]:
    return {
        "number": each.number,
        "mode": each.mode.value,
        "session": each.session,
        "start": each.start,
        "sectors": each.length,
        "length": each.time,
        "title": each.texts.get("TITLE"),
        "performer": each.texts.get("PERFORMER"),
        "isrc": each.isrc or None,
    }


def _plain_partition(each: Partition) -> dict[str, Any]:
    return {**each._asdict(), "table": each.table.value}


def _plain_identity(each: Identity) -> dict[str, Any]:
    plain = dataclasses.asdict(each)
    for field, _ in _DATES:
        time = plain.pop(field)
        when = None if time is None else moment(time)
        plain[field.removesuffix("_ns")] = None if when is None else when.isoformat()
    return plain


def _plain_boot(found: Survey) -> dict[str, Any]:
    assert found.boot is not None
    return {
        "block": found.boot.block,
        "identifier": found.boot.identifier,
        "is_sound": found.boot.is_sound,
        "entries": [
            {
                **entry._asdict(),
                "platform_name": entry.platform_name,
                "media_name": entry.media_name,
            }
            for entry in found.boot.entries
        ],
    }
