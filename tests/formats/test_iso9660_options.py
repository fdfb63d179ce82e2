"""What each option changes of what is shown."""

import pytest

from isomount.formats.node import Node
from isomount.formats.options import Check, Map
from tests.formats.iso_builder import (
    ASSOCIATED,
    DIRECTORY,
    HIDDEN,
    ROOT_USE,
    IsoImage,
    directory_record,
    field,
    nm,
    px,
    record,
    sl,
)


def plain() -> IsoImage:
    image = IsoImage()
    image.root(record(b"F.TXT;1"), directory_record(b"D", 40))
    image.directory(40)
    return image


def rock() -> IsoImage:
    """A file, a directory, a link, a device, a fifo, a socket and a record without attributes."""
    image = IsoImage()
    image.rock_ridge(
        record(b"F;1", use=nm(b"file") + px(0o104640, 2, 10, 20)),
        directory_record(b"D", 40, use=nm(b"dir")),
        record(b"L;1", use=nm(b"link") + px(0o120777, 1, 10, 20) + sl((0, b"x"))),
        record(b"C;1", use=nm(b"chr") + px(0o020600, 1, 10, 20)),
        record(b"P;1", use=nm(b"fifo") + px(0o010600, 1, 10, 20)),
        record(b"S;1", use=nm(b"sock") + px(0o140600, 1, 10, 20)),
        record(b"N;1", use=nm(b"nopx")),
    )
    image.directory(40, use=px(0o41750, 2, 10, 20))
    return image


def modes(tree: dict[str, Node]) -> dict[str, int]:
    return {path: node.mode & 0o7777 for path, node in tree.items()}


RECORDED = {
    "file": 0o4640,
    "dir": 0o1750,
    "link": 0o777,
    "chr": 0o600,
    "fifo": 0o600,
    "sock": 0o600,
    "nopx": 0o555,
}


def test_without_options_the_disc_decides() -> None:
    assert modes(plain().open().tree()) == {"f.txt": 0o555, "d": 0o555}
    assert modes(rock().open().tree()) == RECORDED
    assert {(node.uid, node.gid) for node in plain().open().tree().values()} == {(0, 0)}


def test_uid_and_gid_are_everybodys() -> None:
    for image in (plain(), rock()):
        opened = image.open(uid=5, gid=6)
        nodes = [*opened.tree().values(), opened.volume.node(opened.volume.root)]
        assert {(node.uid, node.gid) for node in nodes} == {(5, 6)}


def test_mode_and_dmode_of_plain_trees() -> None:
    opened = plain().open(mode=0o640, dmode=0o750)
    assert modes(opened.tree()) == {"f.txt": 0o640, "d": 0o750}
    assert opened.volume.node(opened.volume.root).mode == 0o40750
    assert modes(plain().open(mode=0o640).tree()) == {"f.txt": 0o640, "d": 0o555}


def test_mode_and_dmode_leave_rock_ridges_alone_unless_told() -> None:
    opened = rock().open(mode=0o640, dmode=0o750)
    assert modes(opened.tree()) == RECORDED | {"nopx": 0o640}
    opened = rock().open(mode=0o604, dmode=0o705, overriderockperm=True)
    assert modes(opened.tree()) == RECORDED | {"file": 0o604, "dir": 0o705, "nopx": 0o604}
    assert opened.volume.node(opened.volume.root).mode == 0o40705
    assert modes(rock().open(overriderockperm=True).tree()) == RECORDED


def test_umask_takes_permissions_away() -> None:
    assert modes(plain().open(umask=0o022).tree()) == {"f.txt": 0o555, "d": 0o555}
    assert modes(plain().open(umask=0o077).tree()) == {"f.txt": 0o500, "d": 0o500}
    assert modes(rock().open(umask=0o077).tree()) == {
        "file": 0o4600,
        "dir": 0o1700,
        "link": 0o777,
        "chr": 0o600,
        "fifo": 0o600,
        "sock": 0o600,
        "nopx": 0o500,
    }


# ---------------------------------------------------------------- names


def test_map() -> None:
    image = IsoImage()
    acorn = b"ARCHIMEDES" + b"\0\xbc\xfa\xff" + bytes(18)
    image.root(record(b"README.TXT;1"), record(b"OLD.TXT;2"), record(b"ACORN;1", use=acorn))
    assert image.open().names() == ["readme.txt", "old.txt.2", "acorn"]
    assert image.open(map=Map.OFF).names() == ["README.TXT;1", "OLD.TXT;2", "ACORN;1"]
    assert image.open(map=Map.ACORN).names() == ["readme.txt", "old.txt.2", "acorn,abc"]


def test_map_changes_no_rock_ridge_names() -> None:
    image = IsoImage()
    image.rock_ridge(record(b"A;1", use=nm(b"Name;1")), record(b"B.TXT;1"))
    assert image.open(map=Map.OFF).names() == ["Name;1", "B.TXT;1"]
    assert image.open().names() == ["Name;1", "b.txt"]


def test_check_decides_how_names_are_looked_up() -> None:
    volume = plain().open(check=Check.RELAXED).volume
    assert volume.lookup("F.TxT") == volume.lookup("f.txt")
    for check in (Check.STRICT, None):
        with pytest.raises(FileNotFoundError):
            plain().open(check=check).volume.lookup("F.TXT")


def test_joliet_names_are_shown_in_the_charset() -> None:
    image = IsoImage()
    image.root(record(b"A;1", use=nm("é".encode())), use=ROOT_USE)
    image.joliet(record("é".encode("utf-16-be")), record("日本".encode("utf-16-be")))
    latin = image.open(norock=True, charset="iso8859-1")
    directory = latin.volume.directory(latin.volume.root)
    assert [name for _, name, _ in directory.after(latin.blocks, 0)] == [b"\xe9", b"??"]
    assert image.open(norock=True).names() == ["é", "日本"]


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("cp1251", "Привет.TXT"),
        ("koi8-r", "Привет.TXT"),
        ("cp866", "ПРИВЕТ.TXT"),
        ("iso8859-1", "größe.TXT"),
        ("shift_jis", "アイテム表ソ.TXT"),  # second halves are letters and a backslash
        ("euc_jp", "日本語.TXT"),
        ("gbk", "丂丄丅.TXT"),
        ("big5", "功蓋許.TXT"),
        ("euc_kr", "한글.TXT"),
        ("johab", "한글.TXT"),
        ("gb18030", "中文é.TXT"),
        ("iso2022_jp", "日本.TXT"),
        ("shift_jisx0213", "日本.TXT"),
    ],
)
def test_stored_names_are_decoded(charset: str, name: str) -> None:
    """Of plain ISO 9660 and of Rock Ridge, with the targets of links; in lower case after that."""
    stored = name.encode(charset)
    shown = name.replace(".TXT", ".txt")
    image = IsoImage()
    image.root(record(stored + b";1", 50, 3), directory_record(stored[:-4], 40))
    image.directory(40, record(b"A.TXT;1"))
    assert image.open(charset=charset).names() == [shown, shown[:-4], f"{shown[:-4]}/a.txt"]
    rock = IsoImage()
    link = px(0o120777) + nm(b"link") + sl((0, stored))
    rock.rock_ridge(
        record(b"A;1", 50, 3, use=px(0o100644) + nm(stored)),
        record(b"B;1", 50, 3, use=px(0o100644) + nm(stored + b"2")),
        record(b"C;1", use=link),
    )
    opened = rock.open(charset=charset)
    assert opened.names() == [name, f"{name}2", "link"]
    target = opened.volume.lookup("link")
    assert target.target == name.encode()
    assert target.size == len(name.encode())


def test_labels_are_decoded_too() -> None:
    image = IsoImage()
    image.root(record(b"A;1"))
    image.descriptors[0] = image.descriptors[0].replace(b"LABEL", "ДИСКИ".encode("cp1251"))
    assert image.open(charset="cp1251").volume.label == "ДИСКИ"


def test_stored_names_stay_as_they_are_without_it(caplog: pytest.LogCaptureFixture) -> None:
    """One line in the log says which option may help, however many names there are."""
    stored = [f"表{n}Aア{n}.TXT".encode("shift_jis") for n in range(50)]
    image = IsoImage()
    image.root(*(record(name + b";1") for name in stored))
    opened = image.open()
    directory = opened.volume.directory(opened.volume.root)
    names = [name for _, name, _ in directory.after(opened.blocks, 0)]
    assert [name.decode("shift_jis") for name in names] == [f"表{n}aア{n}.txt" for n in range(50)]
    said = [each.getMessage() for each in caplog.records]
    assert len(said) == 1
    assert "iocharset=NAME" in said[0]


def test_utf8_names_need_no_word(caplog: pytest.LogCaptureFixture) -> None:
    image = IsoImage()
    image.root(record("ÜBER.TXT;1".encode()))
    assert image.open().names() == ["Über.txt"]
    assert not caplog.records


def test_no_half_of_a_character_is_folded() -> None:
    """Two characters of Shift JIS that differ in what ASCII has as the case of a letter."""
    first, second = b"\x83\x41", b"\x83\x61"
    image = IsoImage()
    image.root(record(first + b".A;1", 50, 1), record(second + b".A;1", 50, 2))
    volume = image.open(check=Check.RELAXED).volume
    assert volume.lookup(first + b".A").size == 1
    assert volume.lookup(second + b".A").size == 2


# ---------------------------------------------------------------- flags


def flagged() -> IsoImage:
    image = IsoImage()
    image.root(
        record(b"F;1", 50, 3, flags=ASSOCIATED),
        record(b"F;1", 50, 9),
        record(b"H;1", flags=HIDDEN),
        directory_record(b"D", 40)[:25]
        + bytes([DIRECTORY | HIDDEN])
        + directory_record(b"D", 40)[26:],
        record(b"BOTH;1", flags=HIDDEN | ASSOCIATED),
        # Record format and protection have no effect.
        record(b"OTHER;1", flags=0x18),
    )
    image.directory(40)
    return image


def test_hidden_files_are_shown_unless_hide_says_otherwise() -> None:
    assert flagged().open().names() == ["f", "h", "d", "other"]
    assert flagged().open(hide=True).names() == ["f", "other"]


@pytest.mark.parametrize("option", ["showassoc", "unhide"])
def test_associated_files_are_shown_on_request(option: str) -> None:
    opened = flagged().open(**{option: True})
    assert opened.names() == ["f", "f~2", "h", "d", "both", "other"]
    assert opened.volume.lookup("f").size == 3
    assert opened.volume.lookup("f~2").size == 9
    assert flagged().open().volume.lookup("f").size == 9


def test_hide_counts_before_unhide() -> None:
    assert flagged().open(hide=True, unhide=True).names() == ["f", "f~2", "other"]


def test_versions_of_one_name_are_all_shown() -> None:
    image = IsoImage()
    image.root(record(b"F.TXT;2", 50, 2), record(b"F.TXT;1", 50, 1))
    sizes = {path: node.size for path, node in image.open().tree().items()}
    assert sizes == {"f.txt.2": 2, "f.txt": 1}


def test_unknown_fields_change_nothing() -> None:
    image = IsoImage()
    image.rock_ridge(record(b"A;1", use=field(b"AL", b"\0\0") + nm(b"a") + field(b"SF", bytes(17))))
    assert image.open().names() == ["a"]


def test_only_rwx_can_be_chosen() -> None:
    opened = rock().open(mode=0o7604, dmode=0o7705, overriderockperm=True)
    assert modes(opened.tree()) == RECORDED | {"file": 0o604, "dir": 0o705, "nopx": 0o604}
    assert modes(plain().open(mode=0o7640).tree())["f.txt"] == 0o640
