"""The text of a sheet, in whatever encoding it was written.

Of the encodings that cannot be told apart, that one is right in which a file beside the sheet has
the name that the sheet says; otherwise a guess by the letters serves, as nothing but titles and
names depends on it.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from posixpath import splitext
from unicodedata import normalize

from isomount.containers.base import Siblings
from isomount.errors import NotAnImageError
from isomount.sources import Source

# 99 tracks with all their CD-Text take 200 KiB at the most; more is no sheet.
_SIZE_AT_MOST = 1 << 20
# In this order, as the mark of UTF-16 LE begins that of UTF-32 LE.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Which of four bytes are mostly NUL in text that is mostly ASCII.
_WIDE = {
    (1, 2, 3): "utf-32-le",
    (0, 1, 2): "utf-32-be",
    (1, 3): "utf-16-le",
    (0, 2): "utf-16-be",
}
_LOOKED_AT = 4096
# What a file's name may be written in, besides what is guessed.
_OTHERS = ("cp932", "cp1251", "cp1252", "cp1250", "gbk", "big5", "cp949", "cp866", "cp437")
_LINE_END = re.compile(r"\r\n|\n|\r")
# What old editors end or fill a file with.
_FILLING = "\0\x1a"


def read_sheet(file: Source, siblings: Siblings) -> list[str]:
    """The lines of the sheet ``file``, without their ends. The first is line 1.

    Raises NotAnImageError if it is too large for a sheet.
    """
    if file.size > _SIZE_AT_MOST:
        raise NotAnImageError(
            f"{file.name}: is {file.size} bytes long, too much for the list of a disc's tracks; "
            "name the image file itself"
        )
    texts = decodings(file.read_at(0, file.size))
    text = texts[0] if len(texts) == 1 else _with_names(texts, siblings.names())
    return _LINE_END.split(text.rstrip(_FILLING))


def decodings(data: bytes) -> list[str]:
    """What ``data`` may say, the likeliest first; one text only where there is no doubt."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return [data[len(mark) :].decode(encoding, "replace")]
    wide = _wide(data)
    if wide:
        return [data.decode(wide, "replace")]
    try:
        return [data.decode("utf-8")]
    except UnicodeDecodeError:
        return list(_guesses(data))


def folded(name: str) -> str:
    """``name`` without what differs between systems: case, and how accents are composed."""
    return normalize("NFC", name).casefold()


def _wide(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark."""
    looked_at = data[:_LOOKED_AT]
    quarter = len(looked_at) // 4
    nulls = [looked_at[at : 4 * quarter : 4].count(0) for at in range(4)]
    mostly = tuple(at for at in range(4) if quarter and 2 * nulls[at] > quarter)
    return _WIDE.get(mostly)


def _guesses(data: bytes) -> Iterator[str]:
    for encoding in dict.fromkeys((_guess(data), *_OTHERS)):
        try:
            yield data.decode(encoding)
        except UnicodeDecodeError:
            continue
    # A name on the disk may be in no encoding at all: Python has it as UTF-8 with surrogates.
    yield data.decode("utf-8", "surrogateescape")


def _guess(data: bytes) -> str:
    """The likeliest encoding of what is neither UTF-8 nor wide."""
    if _is_japanese(data):
        return "cp932"
    high = re.findall(rb"[\x80-\xff]+", data)
    # Whole words of Cyrillic have no ASCII in them, an accent stands alone.
    words = sum(len(each) for each in high if len(each) > 1)
    return "cp1251" if 2 * words > sum(map(len, high)) else "cp1252"


def _is_japanese(data: bytes) -> bool:
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return False
    foreign = sum(not character.isascii() for character in text)
    # Russian words come out as halfwidth kana and rare kanji; of Japanese, kana are wide.
    wide = sum("\u3040" <= character <= "\u30ff" for character in text)
    narrow = sum("\uff61" <= character <= "\uff9f" for character in text)
    return bool(foreign) and narrow <= wide + (foreign - narrow) // 2


def _with_names(texts: Sequence[str], names: Sequence[str]) -> str:
    """The text that says the name of a file beside the sheet, as far as ASCII cannot tell."""
    stems = [splitext(folded(name))[0] for name in names if not name.isascii()]
    telling = [stem for stem in stems if stem and not stem.isascii()]
    for text in texts:
        said = folded(text)
        if any(stem in said for stem in telling):
            return text
    return texts[0]
