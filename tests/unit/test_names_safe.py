"""Names that cannot leave their folder, hide one another or be too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.tree.names import folded, numbered_name, safe_name, shortened


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        (b"plain.txt", b"plain.txt"),
        (b"a/b", b"a_b"),
        (b"../../etc/passwd", b".._.._etc_passwd"),
        (b"a\0b", b"a_b"),
        (b"", b"_"),
        (b".", b"_"),
        (b"..", b"__"),
        (b"...", b"..."),
        (b"/", b"_"),
        (b"\xff\xfe", b"\xff\xfe"),
        (b"n" * 255, b"n" * 255),
        (b"n" * 256, b"n" * 255),
        ("é".encode() * 128, "é".encode() * 127),
        ("日".encode() * 86, "日".encode() * 85),
        (b"n" * 253 + "日".encode(), b"n" * 253),
        ("🎉".encode() * 64, "🎉".encode() * 63),
        # Bytes that are no UTF-8 are cut where the room ends.
        (b"\x80" * 300, b"\x80" * 255),
    ],
)
def test_a_name_is_made_one_path_component(name: bytes, safe: bytes) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("name", "number", "other"),
    [
        (b"a.txt", 2, b"a~2.txt"),
        (b"noending", 3, b"noending~3"),
        (b".hidden", 2, b".hidden~2"),
        (b"a.tar.gz", 10, b"a.tar~10.gz"),
        (b"a." + b"e" * 17, 2, b"a." + b"e" * 17 + b"~2"),
        (b"n" * 255, 2, b"n" * 253 + b"~2"),
        (b"n" * 251 + b".txt", 12, b"n" * 248 + b"~12.txt"),
        ("é".encode() * 127, 2, "é".encode() * 126 + b"~2"),
    ],
)
def test_a_namesake_gets_a_number_before_its_ending(name: bytes, number: int, other: bytes) -> None:
    assert numbered_name(name, number) == other


@given(st.binary(max_size=400))
def test_any_name_is_safe(name: bytes) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 255
    assert b"/" not in safe
    assert b"\0" not in safe
    assert safe not in (b".", b"..")
    assert safe_name(safe) == safe


@given(st.text(min_size=1, max_size=300), st.integers(2, 10_000_000))
def test_a_numbered_name_stays_safe_and_decodable(text: str, number: int) -> None:
    name = safe_name(text.encode("utf-8", "replace"))
    other = numbered_name(name, number)
    assert safe_name(other) == other
    assert other != name
    other.decode()


@given(st.text(max_size=80), st.integers(1, 100))
def test_shortening_keeps_whole_characters(text: str, length: int) -> None:
    name = text.encode("utf-8", "replace")
    if len(name) > length:
        short = shortened(name, length)
        assert name.startswith(short)
        assert length - 4 < len(short) <= length
        short.decode()


def test_names_fold_ascii_case_and_final_dots_only() -> None:
    assert folded(b"ABC.Txt..") == b"abc.txt"
    assert folded("ÜN".encode()) == "Ün".encode()
