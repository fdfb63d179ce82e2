"""Discs whose names are in an old character set, as the command shows them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.command import run
from tests.corpus import SHARED
from tests.formats.iso_builder import IsoImage, directory_record, nm, px, record

CASES = SHARED / "cases"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A Rock Ridge disc with a root and a directory of names in KOI8-R."""
    made = IsoImage()
    made.rock_ridge(
        record(b"A.TXT;1", 50, 5, use=px(0o100644) + nm("Привет.txt".encode("koi8-r"))),
        directory_record(b"D", 40, use=px(0o40755, 2) + nm("Фото".encode("koi8-r"))),
    )
    made.directory(
        40,
        record(b"B.TXT;1", 50, 5, use=px(0o100644) + nm("Зимний вечер.jpg".encode("koi8-r"))),
        use=px(0o40755, 2),
    )
    made.put(50, b"hello")
    return made.write(tmp_path / "koi8.iso")


def test_info_guesses_and_names_the_option(image: Path) -> None:
    done = run("info", image)
    line = (
        'Names:           not UTF-8; probably koi8-r ("Привет.txt"): show them with -o iocharset='
    )
    assert f"{line}koi8-r\n" in done.stdout
    plain = json.loads(run("info", "--json", image).stdout)
    guesses = [{"charset": "koi8-r", "example": "Привет.txt"}]
    assert plain["charset"] == {"is_sure": True, "guesses": guesses}
    assert "Names:" not in run("info", image, "-o", "iocharset=koi8-r").stdout


def test_info_is_honest_about_doubt(tmp_path: Path) -> None:
    made = IsoImage()
    made.root(record("中文.TXT;1".encode("big5")))
    (line,) = [
        line
        for line in run("info", made.write(tmp_path / "x.iso")).stdout.splitlines()
        if line.startswith("Names:")
    ]
    assert 'big5 ("中文.txt")' in line
    assert " or " in line
    assert line.endswith("try -o iocharset=NAME")


def test_ls_says_once_which_option_may_help(image: Path) -> None:
    done = run("ls", "-R", image)
    assert done.returncode == 0
    assert done.stderr.count("iocharset=NAME") == 1
    done = run("ls", "-R", image, "-o", "iocharset=koi8-r")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Привет.txt" in done.stdout.splitlines()


def test_extract_takes_the_same_option(image: Path, tmp_path: Path) -> None:
    done = run("extract", image, "-C", tmp_path / "out", "-o", "iocharset=koi8-r", cwd=tmp_path)
    assert done.returncode == 0
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")}
    assert names == {"Привет.txt", "Фото", "Фото/Зимний вечер.jpg"}
    assert (tmp_path / "out" / "Привет.txt").read_bytes() == b"hello"
    shutil.rmtree(tmp_path / "out")


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the checkout")
@pytest.mark.parametrize(("name", "charset"), [("cp1251", "cp1251"), ("rr_koi8", "koi8-r")])
def test_the_cases(name: str, charset: str) -> None:
    image = CASES / f"{name}.iso"
    assert run("ls", image, "-o", f"iocharset={charset}").stdout == "Привет.txt\n"
    assert f"-o iocharset={charset}\n" in run("info", image).stdout
    assert "iocharset=NAME" in run("ls", image).stderr
