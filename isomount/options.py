"""The options that decide what is shown of an image, by the names that users know them by.

The command's ``-o`` and the keywords of ``isomount.open`` are both read by this table.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from isomount import values
from isomount.errors import UsageError
from isomount.formats.options import ViewOptions

_SIZES_UDF = (512, 1024, 2048, 4096, 8192, 16384, 32768)


class ViewOption(NamedTuple):
    """The field of ViewOptions that an option sets: to what ``parse`` makes of its value.

    Without ``parse`` it takes no value and sets ``sets``.
    """

    field: str
    parse: Callable[[str], object] | None = None
    sets: object = True


def _flags(*names: str) -> dict[str, ViewOption]:
    return {name: ViewOption(name) for name in names}


# Of options that set the same field the later one wins.
VIEW_OPTIONS: dict[str, ViewOption] = {
    "view": ViewOption("view", values.family),
    **_flags("norock", "nojoliet"),
    "map": ViewOption("map", values.name_map),
    "check": ViewOption("check", values.check),
    "iocharset": ViewOption("charset", values.character_set),
    "utf8": ViewOption("charset", sets="utf-8"),
    **_flags("hide", "unhide", "showassoc", "undelete", "cruft", "nocompress"),
    "uid": ViewOption("uid", values.user),
    "gid": ViewOption("gid", values.group),
    "mode": ViewOption("mode", values.permissions),
    "dmode": ViewOption("dmode", values.permissions),
    "umask": ViewOption("umask", values.permissions),
    **_flags("overriderockperm"),
    "offset": ViewOption("offset", values.number(0)),
    "partition": ViewOption("partition", values.number(1)),
    "session": ViewOption("session", values.session),
    "sbsector": ViewOption("sbsector", values.number(0)),
    "bs": ViewOption("bs", values.one_of(*_SIZES_UDF)),
    "anchor": ViewOption("anchor", values.number(0)),
    "lastblock": ViewOption("lastblock", values.number(0)),
    **_flags("novrs"),
}


def parsed(name: str, parse: Callable[[str], object], text: str) -> object:
    """What the value ``text`` of the option ``name`` means. Raises UsageError naming both."""
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f'option {name}: "{text}" is not allowed; it takes {error}') from None


def view_options(given: Mapping[str, object]) -> ViewOptions:
    """ViewOptions out of Python values by the options' names.

    Numbers count as what they are (a mode is 0o644 or "644"), words as on the command line, a flag
    is True or False, and None is an option that was not given. Raises UsageError.
    """
    fields: dict[str, Any] = {}
    for name, option in VIEW_OPTIONS.items():
        value = given.get(name)
        if value is None:
            continue
        if option.parse is not None:
            fields[option.field] = parsed(name, option.parse, _word(option, value))
        elif not isinstance(value, bool):
            raise UsageError(f'option {name}: "{value}" is not allowed; it takes True or False')
        elif value:
            fields[option.field] = option.sets
    return ViewOptions(**fields)


def _word(option: ViewOption, value: object) -> str:
    """``value`` as the command line has it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:o}" if option.parse is values.permissions else str(value)
    return value if isinstance(value, str) else repr(value)
