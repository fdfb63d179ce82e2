"""Converters for the values of options.

All of them raise ValueError with the valid values; the caller adds the name of the option.
"""

import codecs
import grp
import pwd
import string
from collections.abc import Callable
from typing import TypeVar

from isomount.formats.options import Check, Family, Map

_T = TypeVar("_T")

# A character set must encode these as ASCII does, or "/" and "." in names would change meaning.
_ASCII = (
    string.ascii_letters
    + string.digits
    + "".join(sorted(set(string.punctuation) - {"\\", "~", "%"}))
)

# (uid_t)-1 and (gid_t)-1 mean "unchanged" to the kernel, so they cannot be owners.
_HIGHEST_ID = 0xFFFFFFFE
_YEAR = 366 * 24 * 60  # in minutes

_MAPS = {"n": Map.NORMAL, "o": Map.OFF, "a": Map.ACORN} | {each.value: each for each in Map}
_CHECKS = {"r": Check.RELAXED, "s": Check.STRICT} | {each.value: each for each in Check}
_FAMILIES = {each.value: each for each in Family}

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def number(low: int, high: int | None = None) -> Callable[[str], int]:
    """A decimal number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit():
            value = int(text) if len(text) < 20 else -1
            if low <= value and (high is None or value <= high):
                return value
        bounds = f"of {low} or more" if high is None else f"from {low} to {high}"
        raise ValueError(f"a whole number {bounds}")

    return parse


def one_of(*sizes: int) -> Callable[[str], int]:
    """One of a few numbers."""

    def parse(text: str) -> int:
        if text in map(str, sizes):
            return int(text)
        raise ValueError(f"one of {', '.join(map(str, sizes))}")

    return parse


def size(text: str) -> int:
    """A number of bytes, or of larger units, which are powers of 1024."""
    digits, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    if digits.isascii() and digits.isdigit() and len(digits) < 16 and unit in _UNITS:
        return int(digits) * _UNITS[unit]
    raise ValueError("a size, such as 500M or 4G")


def minutes(text: str) -> float:
    """A time in minutes, decimals allowed."""
    whole, _, fraction = text.partition(".")
    if all(part.isascii() and part.isdigit() for part in (whole, fraction or "0")):
        value = float(text)
        if 0 < value <= _YEAR:
            return value
    raise ValueError("minutes, such as 30 or 0.5")


def permissions(text: str) -> int:
    """Permission bits in octal, as chmod takes them."""
    if text and len(text) <= 6 and set(text) <= set("01234567"):
        value = int(text, 8)
        if value <= 0o7777:
            return value
    raise ValueError("an octal number from 0 to 7777, such as 755")


def user(text: str) -> int | None:
    """A user's number or name; None for "ignore" and "forget" of the udf driver."""
    if text in ("ignore", "forget"):
        return None
    if text.isascii() and text.isdigit():
        return number(0, _HIGHEST_ID)(text)
    try:
        return pwd.getpwnam(text).pw_uid
    except (KeyError, ValueError):
        raise ValueError("a user's number, or the name of a user known here") from None


def group(text: str) -> int | None:
    """A group's number or name; None for "ignore" and "forget" of the udf driver."""
    if text in ("ignore", "forget"):
        return None
    if text.isascii() and text.isdigit():
        return number(0, _HIGHEST_ID)(text)
    try:
        return grp.getgrnam(text).gr_gid
    except (KeyError, ValueError):
        raise ValueError("a group's number, or the name of a group known here") from None


def session(text: str) -> int:
    """A session number from 1; -1 for "last"."""
    if text in ("last", "-1"):
        return -1
    try:
        return number(1)(text)
    except ValueError:
        raise ValueError('a session counted from 1, or "last"') from None


def name_map(text: str) -> Map:
    """How ISO 9660 names are shown."""
    return _word(text, _MAPS, "normal, off or acorn")


def check(text: str) -> Check:
    """Whether upper and lower case count as equal, or whether checksums are verified."""
    return _word(text, _CHECKS, "relaxed, strict or edc")


def family(text: str) -> Family:
    """The family of structures to show."""
    return _word(text, _FAMILIES, "auto, iso9660 or udf")


def character_set(text: str) -> str:
    """A character set by its name in Python or in the kernel (utf8, cp437, iso8859-1, macroman)."""
    spellings = [text]
    if text.startswith("mac"):
        spellings.append("mac_" + text.removeprefix("mac"))  # the kernel writes maccyrillic
    for spelling in spellings:
        name = _codec(spelling)
        if name is not None:
            return name
    raise ValueError("a character set that holds ASCII, such as utf8, cp437 or iso8859-1")


def words(text: str) -> str:
    """Any text that is not empty."""
    if not text or "\0" in text:
        raise ValueError("some text")
    return text


def _codec(name: str) -> str | None:
    try:
        # Where a backslash begins a number it is a notation for programs, not of names.
        if _ASCII.encode(name) == _ASCII.encode("ascii") and len(b"\\u0041".decode(name)) == 6:
            return codecs.lookup(name).name
    except (LookupError, UnicodeError, ValueError):
        pass  # no such codec, not a text encoding, or not able to encode ASCII
    return None


def _word(text: str, table: dict[str, _T], allowed: str) -> _T:
    if text in table:
        return table[text]
    raise ValueError(allowed)
