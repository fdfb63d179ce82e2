"""Names that a disc stores as bytes of some character set, as the UTF-8 that Linux shows.

ISO 9660 and Rock Ridge record no character set: writers left names in that of their own system.
"""

import re
from collections.abc import Callable

# ISO 2022 switches to two bytes a character with it.
_ESCAPE = b"\x1b$B"

_ADVICE = (
    "names on this disc are not UTF-8, so they are shown as they are stored; the option "
    "iocharset=NAME shows them right (isomount info guesses which)"
)

# A letter right after a byte above 0x7F may be the second half of a character: in Shift JIS, GBK
# and Big5 those go down to 0x40.
_SURE_LETTERS = re.compile(rb"(?<![\x80-\xff])[A-Z]+")


class StoredNames:
    """Names of one image, which are in ``charset``. Thread-safe.

    ``remark`` gets a sentence, for once, when they are expected to be UTF-8 and are not.
    """

    def __init__(self, charset: str, remark: Callable[[str], None] = lambda _: None) -> None:
        self._charset = charset
        self._remark = remark
        self._said = False
        # Not so for what switches by escape sequences, or has a yen sign for the backslash.
        self.keeps_ascii = _keeps_ascii(charset)

    def shown(self, stored: bytes) -> bytes:
        """``stored`` as UTF-8; what is no text in the character set stays as it is."""
        if self.keeps_ascii and stored.isascii():
            return stored
        if self._charset == "utf-8":
            self._check(stored)
            return stored
        try:
            text = stored.decode(self._charset, "surrogateescape")
            return text.encode("utf-8", "surrogateescape")
        except UnicodeError:  # half a surrogate pair, say, as UTF-7 can write it
            return stored

    def _check(self, stored: bytes) -> None:
        if not self._said and not is_utf8(stored):
            self._said = True
            self._remark(_ADVICE)


def is_utf8(name: bytes) -> bool:
    """Whether ``name`` is UTF-8."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def lowered(name: bytes) -> bytes:
    """``name`` with its ASCII letters in lower case.

    In a name that is not UTF-8 those stay that may belong to a character of two bytes.
    """
    if name.isascii() or is_utf8(name):
        return name.lower()
    return _SURE_LETTERS.sub(lambda found: found[0].lower(), name)


def _keeps_ascii(charset: str) -> bool:
    probe = bytes(range(128)) + _ESCAPE
    return probe.decode(charset, "replace") == probe.decode("ascii")
