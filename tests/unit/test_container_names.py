"""Names: endings of images and of what they are stored in, and paths that lead into archives."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.containers.names import is_image, stem, unwrapped
from isomount.containers.paths import Located, exists, is_file, is_same, locate


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("disc.iso", "disc"),
        ("disc.iso.gz", "disc"),
        ("disc.bin.ecm", "disc"),
        ("archive.zip", "archive"),
        ("games.tar.gz", "games"),
        ("games.tgz", "games"),
        ("a/archive.zip/sub/disc.iso", "disc"),
        ("disc.cue", "disc"),
        ("disc.CHD", "disc"),
        ("disc.iso.001", "disc"),
        ("disc.001", "disc"),
        ("disc.iso.part1", "disc"),
        ("disc.part01.iso", "disc"),
        ("disc.part1.rar", "disc"),
        ("disc.7z.001", "disc"),
        ("disc.iso.aa", "disc"),
        ("disc.i00", "disc"),
        ("debian-12.5.iso", "debian-12.5"),
        ("debian-12.5.zip", "debian-12.5"),
        ("debian-12.5.gz", "debian-12.5"),
        ("x.tar.iso", "x.tar"),
        ("movie.de", "movie"),
        ("anything.else", "anything"),
        ("bare", "bare"),
        (".iso", ".iso"),
        ("archive.zip/", "archive"),
        ("", ""),
    ],
)
def test_what_an_image_is_called_without_its_endings(name: str, short: str) -> None:
    assert stem(name) == short


@pytest.mark.parametrize(
    ("name", "it_is"),
    [
        *((each, True) for each in ("a.iso", "A.ISO", "a.iso.xz", "a.7z", "a.iso.003", "a.tar.gz")),
        *((each, False) for each in ("a.txt", "a.txt.gz", "a.iso.md5", "iso", "a", "a.exe", "")),
    ],
)
def test_names_of_images(name: str, it_is: bool) -> None:
    assert is_image(name) == it_is


def test_what_a_name_is_in_there() -> None:
    assert unwrapped("d/x.bin.gz") == "d/x.bin"
    assert unwrapped("x.bin.001") == "x.bin"


@given(st.text(max_size=40))
def test_a_stem_is_a_part_of_the_name(name: str) -> None:
    assert stem(name) in name
    assert "/" not in stem(name)
    assert is_image(name) in (True, False)


def test_where_a_path_leads(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"")
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "fifo")
    inside = f"{archive}/sub/x.iso"
    assert locate(str(archive)) == (str(archive), "")
    assert locate(inside) == Located(str(archive), "sub/x.iso")
    assert locate(f"{archive}/") == (str(archive), "")
    assert locate(f"{archive}//sub//x.iso/") == (str(archive), "sub/x.iso")
    for other in (
        tmp_path / "none/x",
        tmp_path / "d",
        tmp_path / "fifo/x",
        "\0",
        "",
        "/dev/null/x",
    ):
        assert locate(str(other)) == (str(other), "")
    assert exists(inside)
    assert is_file(inside)
    assert not exists(str(tmp_path / "none/x"))
    assert not is_file(str(tmp_path / "d"))


def test_relative_paths_lead_into_archives_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.zip").write_bytes(b"")
    assert locate("a.zip/x.iso") == ("a.zip", "x.iso")


def test_the_same_place(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"")
    (tmp_path / "link").symlink_to("a.zip")
    one, other = str(tmp_path / "a.zip"), str(tmp_path / "link")
    assert is_same(one, other)
    assert is_same(f"{one}/x", f"{other}/x")
    assert not is_same(f"{one}/x", f"{other}/y")
    assert not is_same(one, f"{one}/x")
    assert not is_same(str(tmp_path / "gone"), one)
