import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.formats.udf.osta import NAME_MAX, decode, file_name, label


def latin(name: str) -> bytes:
    return b"\x08" + name.encode("latin-1")


def wide(name: str) -> bytes:
    return b"\x10" + name.encode("utf-16-be", "surrogatepass")


# What Linux 6.1 shows of the same identifiers.
@pytest.mark.parametrize(
    ("identifier", "shown"),
    [
        (latin("plain"), "plain"),
        (latin("a b"), "a b"),
        (latin("trail."), "trail."),
        (latin("é"), "é"),
        (wide("日本語"), "日本語"),
        (wide("\U0001f600"), "\U0001f600"),
        (latin("sl/ash"), "sl_ash#E6D4"),
        (latin("file.tar.g/z"), "file.tar#AEBF.g_z"),
        (latin("."), ".#C5AC"),
        (latin(".."), "..#E045"),
        (latin("a//b"), "a_b#DFAD"),
        (latin("a/\0/b"), "a_b#0A11"),
        (latin("a/b.abcde"), "a_b.abcde#E91F"),
        (latin("/.abc"), "_#658F.abc"),
        (latin("A/B.TXT"), "A_B#4A10.TXT"),
        (wide("\ud800"), "_#9C8E"),
        (wide("a/\ud800b"), "a_#0712"),
        (wide("a\ud800\ud800b"), "a_b#C3A9"),
        (wide("\udc00\ud800x"), "_#7D08"),
        (wide("日" * 86), "日" * 83 + "#A4CD"),
    ],
)
def test_names_are_shown_as_linux_shows_them(identifier: bytes, shown: str) -> None:
    assert file_name(identifier) == shown.encode()


@pytest.mark.parametrize(
    "identifier", [b"", b"\x08", b"\x10", b"\x05ab", b"\x10abc", b"\x00name", b"name"]
)
def test_what_is_no_compressed_unicode_has_no_name(identifier: bytes) -> None:
    assert file_name(identifier) is None


def test_names_of_255_bytes_stay_whole_and_longer_ones_keep_their_extension() -> None:
    assert file_name(wide("日" * 85)) == ("日" * 85).encode()
    longer = file_name(latin("é" * 200 + ".txt"))
    assert longer is not None
    assert longer.endswith(b".txt")
    assert longer[-9:-8] == b"#"
    assert len(longer) <= 254


def test_two_long_names_that_differ_at_the_end_stay_different() -> None:
    assert file_name(wide("日" * 100 + "a")) != file_name(wide("日" * 100 + "b"))


def test_a_character_that_the_charset_lacks_is_marked() -> None:
    assert file_name(latin("ünder"), "iso8859-1") == b"\xfcnder"
    name = file_name(wide("日x"), "iso8859-1")
    assert name is not None
    assert name.startswith(b"_x#")


@given(st.binary(max_size=255), st.sampled_from(["utf-8", "iso8859-1", "ascii", "koi8-r"]))
def test_no_identifier_makes_an_unsafe_name(identifier: bytes, charset: str) -> None:
    name = file_name(identifier, charset)
    if name is not None:
        assert name not in (b"", b".", b"..")
        assert b"/" not in name
        assert b"\0" not in name
        assert len(name) <= NAME_MAX
        name.decode(charset)


@given(st.text(max_size=80).filter(lambda text: text not in ("", ".", "..")))
def test_legal_names_come_back_as_they_are(text: str) -> None:
    name = text.replace("/", "-").replace("\0", "-")
    if len(name.encode()) <= NAME_MAX and len(wide(name)) <= NAME_MAX:
        assert file_name(wide(name)) == name.encode()


@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_both_widths_decode_to_the_same_text(text: str) -> None:
    assert decode(latin(text)) == decode(wide(text)) == text


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (b"\x08LinuxUDF".ljust(127, b"\0") + b"\x09", "LinuxUDF"),
        (b"\x10\x65\xe5\x67\x2c".ljust(31, b"\0") + b"\x05", "日本"),
        (bytes(128), ""),
        (b"", ""),
        (b"\x08name\xff", "name"),
        (b"\x07name\x05", ""),
    ],
)
def test_labels(field: bytes, text: str) -> None:
    assert label(field) == text


@given(st.binary(max_size=140))
def test_any_field_has_a_label(field: bytes) -> None:
    label(field).encode()
