"""OSTA compressed Unicode: the names and labels of UDF (UDF 2.1.1, 2.1.3, 4.2.2.1)."""

import re
from binascii import crc_hqx

# The longest name in bytes on Linux, and the length to which longer names are cut.
NAME_MAX = 255
_CUT_TO = 254
_MARK = "_"
# An extension of up to this many characters is kept when a name is cut.
_EXTENSION_MAX = 4
_CHECKSUM_LENGTH = len("#ABCD")
# A lone high surrogate is replaced together with the character after it.
_ILLEGAL = re.compile("(?:[/\0\udc00-\udfff]|[\ud800-\udbff].?)+", re.DOTALL)


def decode(identifier: bytes) -> str | None:
    """The text of a compressed Unicode field (UDF 2.1.1); None if it is invalid.

    The first byte (compression ID) is the width of a character in bits; in names of deleted files,
    254 and 255 are used for 8 and 16. Lone surrogates are kept in the text.
    """
    width = identifier[:1]
    if width in (b"\x08", b"\xfe"):
        return identifier[1:].decode("latin-1")
    if width in (b"\x10", b"\xff") and len(identifier) % 2 == 1:
        return identifier[1:].decode("utf-16-be", "surrogatepass")
    return None


def label(field: bytes) -> str:
    """The text of a dstring (UDF 2.1.3), whose last byte is its length; "" if it has none."""
    text = decode(field[: min(field[-1], len(field) - 1)]) if field else None
    return (text or "").split("\0")[0].encode("utf-8", "replace").decode("utf-8").strip()


def file_name(identifier: bytes, charset: str = "utf-8") -> bytes | None:
    """The name to show for a file identifier (UDF 4.2.2.1); None if it cannot be decoded.

    Characters that are invalid on Linux ("/", NUL, lone surrogates, those that ``charset`` lacks)
    become "_". Such names, "." and "..", and names that are cut get "#" and the CRC of the stored
    name before the extension, so that they remain unique.
    """
    plain = identifier[1:]
    if (
        identifier[:1] == b"\x08"
        and plain.isascii()
        and b"/" not in plain
        and b"\0" not in plain
        and plain not in (b"", b".", b"..")
    ):
        return plain
    text = decode(identifier)
    if not text:
        return None
    shown, changed = _legal(text, charset)
    name = shown.encode(charset)
    if not changed and len(name) <= NAME_MAX:
        return name
    return _with_checksum(shown, crc_hqx(plain, 0), charset)


def _legal(text: str, charset: str) -> tuple[str, bool]:
    """The text with invalid characters replaced, and whether it is changed.

    A run of illegal characters becomes one "_", as does each character that ``charset`` lacks.
    """
    if text in (".", ".."):
        return text, True
    legal = _ILLEGAL.sub(_MARK, text)
    shown = "".join(each if _encodes(each, charset) else _MARK for each in legal)
    return shown, shown != text


def _encodes(character: str, charset: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _with_checksum(shown: str, checksum: int, charset: str) -> bytes:
    """The name, cut if necessary, with the checksum before its extension."""
    stem, extension = shown, ""
    dot = shown.rfind(".", -_EXTENSION_MAX - 1)
    if 0 <= dot < len(shown) - 1:
        stem, extension = shown[:dot], shown[dot:]
    tail = extension.encode(charset)
    room = _CUT_TO - _CHECKSUM_LENGTH - len(tail)
    return _cut(stem, room, charset) + b"#%04X" % checksum + tail


def _cut(stem: str, room: int, charset: str) -> bytes:
    """As many whole characters as fit in ``room`` bytes."""
    data = stem.encode(charset)
    if len(data) <= room:
        return data
    return data[:room].decode(charset, "ignore").encode(charset)
