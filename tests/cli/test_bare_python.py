"""A Python with no package at all: the library is whole, the command says what mounting lacks."""

import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.authoring import genisoimage, write_tree
from tests.command import CHECKOUT, PATIENCE

# Without site-packages, and without whatever the environment says.
_BARE = [sys.executable, "-I", "-S", "-W", "error", "-c"]
_BEGIN = f"""
import importlib.util, sys
sys.path.insert(0, {str(CHECKOUT)!r})
for name in ("pyfuse3", "trio", "pycdlib", "rich", "lz4", "zstandard"):
    assert importlib.util.find_spec(name) is None, name
"""
_COMMAND = f"""{_BEGIN}
from isomount.cli import main
sys.exit(main(sys.argv[1:]))
"""
PAGE = (CHECKOUT / "docs" / "library.md").read_text()


def bare(code: str, *words: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*_BARE, code, *map(str, words)],
        cwd=cwd,
        env={"XDG_STATE_HOME": "/dev/null", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("inside"))
    files: dict[str, bytes | str] = {
        "readme.txt": b"hello\n",
        "boot/grub.cfg": b"menuentry one\nmenuentry two\n",
        "latest": "boot/grub.cfg",
        "source.tar.gz": packed.getvalue(),
    }
    folder = tmp_path_factory.mktemp("bare")
    return genisoimage(folder / "disc.iso", write_tree(folder / "tree", files), "-R", "-J")


def test_the_pages_examples_work(disc: Path, tmp_path: Path) -> None:
    (tmp_path / "disc.iso").write_bytes(disc.read_bytes())
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    done = bare(_BEGIN + "\n".join(blocks), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "README.TXT;1" in done.stdout
    assert "missing.iso: there is no such file" in done.stdout
    assert (tmp_path / "everything/boot/grub.cfg").read_bytes().startswith(b"menuentry")
    assert (tmp_path / "some/readme.txt").read_bytes() == b"hello\n"


def test_the_page_names_every_public_error() -> None:
    import isomount

    errors = {name for name in isomount.__all__ if name.endswith("Error")}
    table = set(re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE))
    assert table == errors - {"IsomountError", "DamagedDataError"}


def test_everything_public_is_there(tmp_path: Path) -> None:
    code = f"""{_BEGIN}
import isomount
for name in isomount.__all__:
    assert getattr(isomount, name) is not None
    assert name in dir(isomount)
assert not {{"pyfuse3", "trio", "pycdlib", "rich"}} & set(sys.modules)
try:
    isomount.nothing
except AttributeError as error:
    assert "has no attribute 'nothing'" in str(error)
"""
    done = bare(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("info",), "Rock Ridge (shown)"),
        (("ls",), "boot\nlatest\nreadme.txt\nsource.tar.gz\n"),
        (("tree",), "grub.cfg"),
        (("cat", "readme.txt"), "hello\n"),
        (("extract", "readme.txt", "-C", "out"), "1 file"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_verbs_that_need_no_mount_work(
    disc: Path, tmp_path: Path, words: tuple[str, ...], shown: str
) -> None:
    verb, *rest = words
    done = bare(_COMMAND, verb, disc, *rest, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("list",), ("umount", "--help")])
def test_so_does_what_looks_at_no_image(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = bare(_COMMAND, *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_mounting_says_what_is_missing_and_how_to_get_it(disc: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    for words in ((), ("-f",)):
        done = bare(_COMMAND, disc, folder, *words, cwd=tmp_path)
        assert done.returncode == 12
        assert done.stderr.startswith("isomount: FUSE is not available: Python has no pyfuse3")
        assert "and no trio" in done.stderr
        for remedy in ("pip install isomount", "libfuse3", "python3-pyfuse3"):
            assert remedy in done.stderr
        assert not folder.exists()


def test_a_single_package_is_named_alone(disc: Path, tmp_path: Path) -> None:
    (tmp_path / "pyfuse3.py").touch()
    beside = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    code = beside + _COMMAND.replace('"pyfuse3", ', "")
    done = bare(code, disc, tmp_path / "mount", cwd=tmp_path)
    assert done.returncode == 12
    assert "Python has no trio;" in done.stderr
