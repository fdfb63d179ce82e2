"""Parsing the values of ``-o`` into the parts of a mount request."""

import dataclasses
import difflib
import os
from collections.abc import Iterable
from typing import Any

from isomount.cli.options.table import TABLE, TABLE_PREFIXES, WITH_OR_WITHOUT_VALUE, Option, Target
from isomount.errors import UsageError
from isomount.image import ViewOptions
from isomount.mounting.options import FuseOptions
from isomount.options import parsed


@dataclasses.dataclass(frozen=True, slots=True)
class ParsedOptions:
    """The values of all ``-o``. ``asks_to_write`` is set if the last of rw and ro is rw."""

    view: ViewOptions
    fuse: FuseOptions
    nonempty: bool = False
    log: str | None = None
    xattr: bool = False
    idle: float | None = None
    lane: bool = True
    cache: int | None = None
    cache_directory: str | None = None
    asks_to_write: bool = False


def parse_options(arguments: Iterable[str], *, sloppy: bool = False) -> ParsedOptions:
    """Parse the value of every ``-o`` in order; later options override earlier ones.

    ``sloppy`` ignores unknown ones. Raises UsageError, which names the option and valid values.
    """
    found: dict[Target, dict[str, Any]] = {target: {} for target in Target}
    asks_to_write = False
    for argument in arguments:
        for word in split_options(argument):
            name, equals, text = word.partition("=")
            option = TABLE.get(name) if sloppy else _option(name)
            if option is None:
                continue
            if name in ("rw", "ro"):
                asks_to_write = name == "rw"
            value = _value(option, text if equals else None)
            if option.field:
                found[option.target][option.field] = value
    fuse = FuseOptions(**found[Target.FUSE])
    if fuse.allow_other and fuse.allow_root:
        raise UsageError("options allow_other and allow_root exclude each other; choose one")
    view = ViewOptions(**found[Target.VIEW])
    return ParsedOptions(view, fuse, asks_to_write=asks_to_write, **found[Target.MOUNT])


def split_options(argument: str) -> list[str]:
    r"""Split at commas as libfuse does: ``\,`` is a comma, ``\\`` a backslash, ``\040`` a byte.

    Empty options (",,") are ignored.
    """
    rest = os.fsencode(argument)
    words = [bytearray()]
    at = 0
    while at < len(rest):
        byte = rest[at]
        at += 1
        if byte == ord(","):
            words.append(bytearray())
        elif byte == ord("\\") and at < len(rest):
            octal = rest[at : at + 3]
            if len(octal) == 3 and octal[0] in b"0123" and set(octal[1:]) <= set(b"01234567"):
                words[-1].append(int(octal, 8))
                at += 3
            else:
                words[-1].append(rest[at])
                at += 1
        else:
            words[-1].append(byte)
    return [os.fsdecode(bytes(word)) for word in words if word]


def _option(name: str) -> Option | None:
    """The option of that name; None for one that only appears in the mount table."""
    if name in TABLE:
        return TABLE[name]
    if name.startswith(TABLE_PREFIXES):
        return None
    if name == "remount":
        raise UsageError(
            "option remount: a mount cannot be changed; unmount it, then mount the image again"
        )
    close = difflib.get_close_matches(name, TABLE, 1)
    hint = f'did you mean "{close[0]}"?' if close else "see isomount --help for all of them"
    raise UsageError(f'unknown option "{name}"; {hint}')


def _value(option: Option, text: str | None) -> object:
    if option.parse is None:
        if text is not None and option.name not in WITH_OR_WITHOUT_VALUE:
            raise UsageError(f'option {option.name} takes no value, but was given "{text}"')
        return option.sets
    if text is None:
        raise UsageError(f"option {option.name} needs a value: {option.usage}")
    return parsed(option.name, option.parse, text)
