# ruff: noqa: RUF001 - letters that look alike in two scripts are what this is about
"""Names in old character sets: decoded, lowered without harm, and guessed."""

import codecs
import encodings
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.charset import StoredNames, is_utf8, lowered
from isomount.formats.charset_guess import guess
from isomount.tree.names import folded
from isomount.values import character_set

MULTI_BYTE = ("shift_jis", "cp932", "gbk", "gb18030", "big5", "big5hkscs", "cp949", "johab")


def usable() -> list[str]:
    """Every codec of Python's that iocharset= takes."""
    found = set()
    for module in pkgutil.iter_modules(encodings.__path__):
        try:
            found.add(character_set(module.name))
        except ValueError:
            continue
    return sorted(found)


CODECS = usable()


def test_every_codec_that_names_can_be_in_is_taken() -> None:
    assert {"cp437", "cp864", "koi8-r", "mac-cyrillic", "tis-620", "iso2022_kr", "hz"} <= {*CODECS}
    assert len(CODECS) > 80
    assert not {"utf-16", "cp037", "idna", "punycode", "unicode_escape", "rot13"} & {*CODECS}


@given(st.sampled_from(CODECS), st.text(min_size=1, max_size=20))
def test_text_in_any_of_them_is_shown_as_utf8(charset: str, text: str) -> None:
    try:
        stored = text.encode(charset)
        decoded = stored.decode(charset).encode()
    except UnicodeError:
        return
    assert StoredNames(charset).shown(stored) == decoded


@given(st.sampled_from(CODECS), st.binary(max_size=40))
def test_nothing_that_is_stored_fails(charset: str, stored: bytes) -> None:
    assert isinstance(StoredNames(charset).shown(stored), bytes)


def test_what_cannot_be_decoded_stays_beside_what_can() -> None:
    # cp1251 leaves 0x98 without a meaning.
    assert StoredNames("cp1251").shown(b"\xcf\x98.a") == "П".encode() + b"\x98.a"


@given(st.sampled_from(MULTI_BYTE), st.text(min_size=1, max_size=20))
def test_lower_case_touches_no_character_of_two_bytes(charset: str, text: str) -> None:
    try:
        stored = text.encode(charset)
        before = stored.decode(charset)
        after = lowered(stored).decode(charset)
    except UnicodeError:
        return
    if is_utf8(stored):
        return  # then it may be UTF-8 just as well
    assert len(before) == len(after)
    for was, now in zip(before, after, strict=True):
        assert was == now or (was.isascii() and was.lower() == now)


@given(st.binary(max_size=30))
def test_folded_is_lowered_once(name: bytes) -> None:
    assert lowered(lowered(name)) == lowered(name)
    assert folded(folded(name)) == folded(name)


@given(st.text(max_size=30))
def test_utf8_is_lowered_as_ascii_is(text: str) -> None:
    assert lowered(text.encode()) == text.encode().lower()


# ---------------------------------------------------------------- guesses

DISCS = [
    ("cp1251", ["Документы", "Привет.txt", "Новая папка", "Отчёт за год.doc"]),
    ("koi8-r", ["Документы", "Привет.txt", "Новая папка", "Отчёт за год.doc"]),
    ("cp866", ["Документы", "Привет.txt", "Новая папка", "Отчет за год.doc"]),
    ("cp1251", ["ДОКУМЕНТЫ", "ПРИВЕТ.TXT", "ОТЧЕТ ЗА ГОД", "ФОТОГРАФИИ", "МУЗЫКА"]),
    ("koi8-r", ["ДОКУМЕНТЫ", "ПРИВЕТ.TXT", "ОТЧЕТ ЗА ГОД", "ФОТОГРАФИИ", "МУЗЫКА"]),
    ("iso8859-1", ["Größe.txt", "Übung", "Bücher", "résumé.doc", "été à Genève"]),
    ("cp437", ["Größe.txt", "Übung", "Bücher", "résumé.doc", "été à Genève"]),
    ("cp850", ["København.jpg", "Ærø", "Århus", "São Paulo", "Málaga", "Påske på Læsø"]),
    ("mac-roman", ["Größe.txt", "Übung", "Bücher", "résumé.doc", "été à Genève"]),
    ("iso8859-2", ["Zdjęcia", "Święta", "Zażółć gęślą jaźń", "Książki"]),
    ("cp1250", ["Zdjęcia", "Święta", "Zażółć gęślą jaźń", "Książki"]),
    ("cp852", ["Zdjęcia", "Święta", "Zażółć gęślą jaźń", "Książki"]),
    ("iso8859-7", ["Καλημέρα.txt", "Φωτογραφίες", "Μουσική"]),
    ("shift_jis", ["日本語.txt", "新しいフォルダ", "写真", "テスト"]),
    ("euc-jp", ["日本語.txt", "新しいフォルダ", "写真", "テスト"]),
    ("gbk", ["新建文件夹", "照片", "音乐", "使用手册.doc"]),
    ("big5", ["新資料夾", "照片", "音樂", "使用手冊.doc"]),
    ("euc-kr", ["새 폴더", "사진", "음악", "문서.doc"]),
]


@pytest.mark.parametrize(("charset", "names"), DISCS, ids=[f"{c}-{n[0]}" for c, n in DISCS])
def test_a_disc_is_enough_to_be_sure(charset: str, names: list[str]) -> None:
    guesses = guess([b"readme.txt", *(name.encode(charset) for name in names)])
    assert guesses.is_sure, guesses
    assert [each.charset for each in guesses.found] == [charset]
    assert guesses.found[0].example == next(name for name in names if not name.isascii())


def test_a_word_leaves_doubt_and_says_so() -> None:
    guesses = guess(["中文.txt".encode("big5")])
    assert not guesses.is_sure
    assert len(guesses.found) > 1
    assert "big5" in [each.charset for each in guesses.found]


def test_where_two_character_sets_agree_the_better_known_one_is_named() -> None:
    assert [each.charset for each in guess([b"gr\xfc\xdfe", b"b\xfccher"]).found] == ["iso8859-1"]
    assert guess(["Œuvre d’été.doc".encode("cp1252")]).found[0].charset == "cp1252"


@pytest.mark.parametrize("names", [[], [b"readme.txt"], [b""]])
def test_ascii_needs_no_guess(names: list[bytes]) -> None:
    assert guess(names).found == []


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_guesses_decode_every_name(names: list[bytes]) -> None:
    for each in guess(names).found:
        codecs.lookup(each.charset)
        for name in names:
            name.decode(each.charset)
