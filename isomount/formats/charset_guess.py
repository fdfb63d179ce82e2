# ruff: noqa: RUF001 - letters that look alike in two scripts are what this is about
"""Which character set names are in, guessed by how likely they are as text in each.

For each candidate, names get a likelihood: the product of how common their characters are in the
languages that are written in it, and of how likely it is that they stand side by side. The bytes
are the same for all, so the likelihoods compare.
"""

import math
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

# So much more likely than the next one is "probably": odds of a hundred to one.
_SURE = math.log(100)
_GUESSES_AT_MOST = 3
# More names make no better guess.
_NAMES_AT_MOST = 500


class Guess(NamedTuple):
    """A character set, by the name that iocharset= takes, and the first name decoded by it."""

    charset: str
    example: str


class Guesses(NamedTuple):
    """The best guess first. ``is_sure``: the others are not likely, so they are left out."""

    found: list[Guess]
    is_sure: bool


def guess(names: Iterable[bytes]) -> Guesses:
    """The character sets that ``names`` may be in; none where they are UTF-8 or nothing fits."""
    distinct = dict.fromkeys(name for name in names if not name.isascii())
    stored = list(distinct)[:_NAMES_AT_MOST]
    scores: dict[tuple[str, ...], tuple[float, str]] = {}
    for charset, language in _CANDIDATES:
        try:
            texts = tuple(name.decode(charset) for name in stored)
        except UnicodeDecodeError:
            continue
        score = language.rarity + sum(map(language.likelihood, texts))
        # What decodes to the same text is the same: the first, wider known one counts.
        best = scores.get(texts)
        if best is None or score > best[0]:
            scores[texts] = (score, charset if best is None else best[1])
    if not stored or not scores:
        return Guesses([], is_sure=False)
    ranked = sorted(scores.items(), key=lambda item: item[1][0], reverse=True)
    top = ranked[0][1][0]
    likely = [Guess(name, texts[0]) for texts, (score, name) in ranked if score > top - _SURE]
    return Guesses(likely[:_GUESSES_AT_MOST], is_sure=len(likely) == 1)


class _Everyday(NamedTuple):
    """Of a writing of thousands of characters those that its standard puts first, by use.

    They are encoded in ``charset`` with a first byte of ``low`` to ``high``; each has ``share``.
    """

    charset: str
    low: int
    high: int
    share: float

    def holds(self, character: str) -> bool:
        """Whether ``character`` is one of them."""
        try:
            return self.low <= character.encode(self.charset)[0] <= self.high
        except UnicodeEncodeError:
            return False


class _Language:
    """The writing of one or a few languages: how common which characters are."""

    def __init__(
        self,
        common: dict[str, float],
        classes: tuple[tuple[str, str, float], ...] = (),
        everyday: _Everyday | None = None,
        discs: float = 1,
    ) -> None:
        """``common`` has single characters, ``classes`` first, last and the share of each one.

        ``discs`` is how many discs have names in it, compared with the others.
        """
        self._common = common
        self._classes = classes
        self._everyday = everyday
        self.rarity = math.log(discs)
        self._known: dict[str, float] = {}

    def likelihood(self, text: str) -> float:
        """The logarithm of how likely ``text`` is."""
        total = 0.0
        before = " "
        for character in text:
            share = self._known.get(character)
            if share is None:
                share = self._known[character] = math.log(self._share(character))
            total += share + _beside(before, character)
            before = character
        return total

    def _share(self, character: str) -> float:
        if not character.isprintable():
            return _CONTROL
        if character.isascii():
            return _ASCII
        if character in self._common:
            return self._common[character]
        if character.lower() in self._common:
            return self._common[character.lower()]
        for low, high, share in self._classes:
            if low <= character <= high:
                return share
        if self._everyday is not None and self._everyday.holds(character):
            return self._everyday.share
        return _OTHER_LETTER if character.isalpha() else _SYMBOL


# The shares of single characters that no language says more of.
_ASCII, _OTHER_LETTER, _SYMBOL, _CONTROL = 1 / 60, 1 / 60_000, 1 / 200_000, 1 / 10_000_000
# Within a word: a change of script, a capital after a small letter, accents in a row.
_MIXED, _CAPITAL_WITHIN, _ACCENTS = math.log(1 / 200), math.log(1 / 50), math.log(1 / 10)
# A word that begins with a capital, and one that goes on with them.
_CAPITAL, _CAPITALS = math.log(1 / 2), math.log(0.9)


def _beside(before: str, character: str) -> float:
    """What it costs that ``character`` follows ``before``."""
    first, second = _script(before), _script(character)
    total = 0.0
    if first and second and first != second:
        total += _MIXED
    if first == second == "latin" and before > "\x7f" and character > "\x7f":
        total += _ACCENTS
    if character.isupper():
        total += _CAPITAL_WITHIN if before.islower() else _CAPITALS if first else _CAPITAL
    return total


@cache
def _script(character: str) -> str:
    """Whose letter it is, "" for what is none."""
    if not character.isalpha():
        return ""
    for last, name in (("\u024f", "latin"), ("\u03ff", "greek"), ("\u052f", "cyrillic")):
        if character <= last:
            return name
    return "half" if "\uff61" <= character <= "\uff9f" else "east"


def _each(letters: str, share: float) -> dict[str, float]:
    return dict.fromkeys(letters, share)


_RUSSIAN = _Language(
    _each("оеаи", 0.085)
    | _each("нтс", 0.06)
    | _each("рвлкмд", 0.04)
    | _each("пуяыьгзб", 0.02)
    | _each("чйхж", 0.012)
    | _each("шюцщэф", 0.005)
    | _each("іїєўъё", 0.001)
)
_GREEK = _Language(_each("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώ", 1 / 40), discs=0.05)
_WESTERN = _Language(
    _each("éäöüß", 1 / 150) | _each("áàâãåæçèêëíîïñóôõøúùû", 1 / 400) | _each("ìòðþýœ", 1 / 1000)
)
_CENTRAL = _Language(_each("áéíóúäöü", 1 / 300) | _each("ąćęłńśźżčďěňřšťůžýőűôľĺŕßăâîşţđ", 1 / 400))
_TURKISH = _Language(_each("ığşçöü", 1 / 150) | _each("âîû", 1 / 1000), discs=0.2)
_JAPANESE = _Language(
    _each(
        "日本語新規資料写真年月大小中上下文書東京音楽画像動集一二三四五人出入力行者会社名前",
        1 / 400,
    )
    | _each("ー・、。", 1 / 200),
    (
        ("ぁ", "ん", 1 / 120),
        ("ァ", "ヶ", 1 / 150),
        ("\uff61", "\uff9f", 1 / 1500),
        ("！", "～", 1 / 20_000),
    ),
    _Everyday("euc_jp", 0xB0, 0xCF, 1 / 4000),
)
_SIMPLIFIED = _Language(
    _each(
        "的一是不了在有人我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可"
        "里后小文件夹新建资料照片音乐电影视频图第集安装软件系统程序说明书目录光盘数据版本教程网络公司北京",
        1 / 350,
    ),
    everyday=_Everyday("gb2312", 0xB0, 0xD7, 1 / 3000),
)
_TRADITIONAL = _Language(
    _each(
        "的一是不了在有人我他這中大來上國個到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可"
        "裡後小文件夾新建資料照片音樂電影視頻圖第集安裝軟體系統程式說明書目錄光碟數據版本教學網路公司臺灣",
        1 / 350,
    ),
    everyday=_Everyday("big5", 0xA4, 0xC6, 1 / 3500),
)
_KOREAN = _Language({}, everyday=_Everyday("euc_kr", 0xB0, 0xC8, 1 / 500))

# Of those that decode names to the same text the first is named.
_CANDIDATES = (
    *((name, _WESTERN) for name in ("iso8859-1", "cp1252", "cp437", "cp850", "mac-roman")),
    *((name, _RUSSIAN) for name in ("cp1251", "koi8-r", "cp866", "iso8859-5", "koi8-u")),
    *((name, _CENTRAL) for name in ("iso8859-2", "cp1250", "cp852")),
    *((name, _GREEK) for name in ("iso8859-7", "cp1253", "cp737")),
    *((name, _TURKISH) for name in ("iso8859-9", "cp857")),
    *((name, _JAPANESE) for name in ("shift_jis", "euc-jp", "cp932")),
    ("gbk", _SIMPLIFIED),
    ("big5", _TRADITIONAL),
    *((name, _KOREAN) for name in ("euc-kr", "cp949")),
)
