"""Identifiers of ISO 9660 and Joliet as the names that are shown."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.iso9660.names import iso_name, joliet_name
from isomount.formats.options import Map


def archimedes(load: int = 0, attributes: int = 0) -> bytes:
    return b"ARCHIMEDES" + struct.pack("<III", load, 0, attributes) + bytes(10)


def utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        (b"README.TXT;1", b"readme.txt"),
        (b"QUX.TXT;2", b"qux.txt.2"),
        (b"LONG.TXT;12", b"long.txt.12"),
        (b"TRAIL.TXT;", b"trail.txt."),
        (b"DOTEND.", b"dotend."),
        (b"DOTEND2.;1", b"dotend2"),
        (b"TWODOTS..;1", b"twodots."),
        (b"ABC.;2", b"abc..2"),
        (b"A;B;1", b"a.b"),
        (b"SLASH/NAME", b"slash.name"),
        (b"lower.txt;1", b"lower.txt"),
        (b"\xc4\xd6.TXT;1", b"\xc4\xd6.txt"),
        (b"CTL\x01\n;1", b"ctl\x01\n"),
        (b"CUT\0OFF;1", b"cut"),
        (b"CUT;1\0", b"cut.1"),
        (b"DIR", b"dir"),
        (b"N" * 221, b"n" * 221),
        (b";1", b""),
        (b".;1", b""),
        (b"", b""),
    ],
)
def test_map_normal(identifier: bytes, name: bytes) -> None:
    assert iso_name(identifier, b"", False, Map.NORMAL) == name
    assert iso_name(identifier, b"", False, Map.ACORN) == name


@pytest.mark.parametrize(
    ("identifier", "name"),
    [(b"VER.TXT;1", b"VER.TXT;1"), (b"SL/ASH", b"SL/ASH"), (b"CUT\0OFF", b"CUT")],
)
def test_map_off(identifier: bytes, name: bytes) -> None:
    assert iso_name(identifier, b"", False, Map.OFF) == name


@pytest.mark.parametrize(
    ("identifier", "use", "name"),
    [
        (b"_RUN.;1", archimedes(0xFFFFFD00, 0x100), b"!run,ffd"),
        (b"_RUN.;1", archimedes(0xFFFFFD00), b"_run,ffd"),
        (b"RUN.;1", archimedes(0xFFFFFD00, 0x100), b"run,ffd"),
        (b"B.TXT;1", archimedes(0xFFFABC12), b"b.txt,abc"),
        (b"C.;1", archimedes(0xFFEFFF00), b"c"),
        # Linux looks at an area of exactly 32 bytes.
        (b"D.;1", archimedes(0xFFFABC12) + b"xx", b"d"),
        (b"E.;1", archimedes(0xFFFABC12)[:-2], b"e"),
        (b"F.;1", b"B" + archimedes(0xFFFABC12)[1:], b"f"),
    ],
)
def test_map_acorn(identifier: bytes, use: bytes, name: bytes) -> None:
    assert iso_name(identifier, use, False, Map.ACORN) == name
    assert b"," not in iso_name(identifier, use, False, Map.NORMAL)


def test_map_acorn_gives_directories_no_type() -> None:
    use = archimedes(0xFFFDDC00, 0x100)
    assert iso_name(b"_DIR", use, True, Map.ACORN) == b"!dir"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Readme.TXT;1", "Readme.TXT"),
        ("QUX.TXT;2", "QUX.TXT;2"),
        ("DOT.", "DOT"),
        ("dot..", "dot"),
        ("Trailing.;1", "Trailing"),
        ("a.;2", "a.;2"),
        ("a.;1;1", "a.;1"),
        (";1", ";1"),
        ("...", "."),
        ("日本語.txt", "日本語.txt"),
        ("🎉", "🎉"),
        ("a\ud83cb", "ab"),
        ("\udf89", ""),
        ("a\ud83c", "a"),
        ("cut\0off", "cut"),
    ],
)
def test_joliet(text: str, name: str) -> None:
    assert joliet_name(utf16(text), "utf-8") == name.encode()


def test_joliet_in_another_character_set_has_question_marks() -> None:
    assert joliet_name(utf16("é日"), "iso8859-1") == b"\xe9?"


def test_half_a_joliet_character_is_left_out() -> None:
    assert joliet_name(utf16("ab") + b"\0", "utf-8") == b"ab"


@given(st.binary(max_size=255), st.binary(max_size=40), st.booleans())
def test_any_identifier_has_a_name(identifier: bytes, use: bytes, directory: bool) -> None:
    for mapping in Map:
        name = iso_name(identifier, use, directory, mapping)
        assert b"\0" not in name
        assert len(name) <= len(identifier) + 4
    for charset in ("utf-8", "ascii"):
        assert b"\0" not in joliet_name(identifier, charset)
