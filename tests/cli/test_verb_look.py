"""isomount ls, tree and cat."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.authoring import genisoimage, write_tree
from tests.cli.words import assert_failed
from tests.command import COMMAND, PATIENCE, environment, run
from tests.conftest import MakeImage
from tests.formats.iso_builder import IsoImage, directory_record, record


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("look")
    files: dict[str, bytes | str] = {
        "b.txt": b"hello\n",
        "a/deep/data.bin": bytes(range(256)) * 20_000,
        "link": "a/deep",
        "top": "/b.txt",
        "up": "../../b.txt",
        "loop": "loop",
        "new\nline": b"",
    }
    tree = write_tree(folder / "tree", files)
    os.utime(tree / "b.txt", (1_000_000_000, 1_000_000_000))
    (tree / "b.txt").chmod(0o640)
    return genisoimage(folder / "x.iso", tree, "-R", "-V", "LOOK")


def raw(*words: str | Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        env=environment({"TZ": "UTC"}),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )


def test_ls_names_are_sorted_and_whole(image: Path) -> None:
    done = raw("ls", image)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"a\nb.txt\nlink\nloop\nnew\nline\ntop\nup\n"
    assert raw("ls", image, "a/deep").stdout == b"data.bin\n"
    assert raw("ls", image, "link").stdout == b"data.bin\n"
    assert raw("ls", image, "-d", "a").stdout == b"a\n"
    for habit in ("-a", "-1", "-a1"):
        assert raw("ls", habit, image).stdout == done.stdout
    assert raw("ls", "-la", image).stdout == raw("ls", "-l", image).stdout


def test_ls_long(image: Path) -> None:
    lines = raw("ls", "-l", image).stdout.decode().splitlines()
    assert lines[1].split() == [
        *("-rw-r-----", "1", str(os.getuid()), str(os.getgid()), "6"),
        *("2001-09-09", "01:46", "b.txt"),
    ]
    assert lines[0].startswith("drwx")
    assert lines[2].endswith("link -> a/deep")
    (line,) = raw("ls", "-l", "--human", image, "a/deep/data.bin").stdout.decode().splitlines()
    assert line.split()[4] == "4.9M"


def test_ls_recursive(image: Path) -> None:
    assert raw("ls", "-R", image, "a").stdout == b"a:\ndeep\n\na/deep:\ndata.bin\n"


def test_ls_on_a_terminal_escapes_and_colours(image: Path) -> None:
    for more, folder in (({"NO_COLOR": ""}, b"\x1b[1;34ma\x1b[0m"), ({"NO_COLOR": "1"}, b"a")):
        ours, theirs = pty.openpty()
        done = subprocess.run(
            [*COMMAND, "ls", str(image)],
            env=environment({"TERM": "xterm", **more}),
            stdout=theirs,
            check=False,
            timeout=PATIENCE,
        )
        os.close(theirs)
        said = os.read(ours, 10_000)
        os.close(ours)
        assert done.returncode == 0
        assert said.split(b"\r\n")[0] == folder
        assert b"new\\nline\r\n" in said


def test_tree(image: Path) -> None:
    done = run("tree", image, "a")
    assert done.stdout.splitlines() == [
        "a",
        "└── deep",
        "    └── data.bin",
        "",
        "1 folder, 1 file",
    ]
    shallow = run("tree", image, "-L", "1").stdout
    assert "├── link -> a/deep\n" in shallow
    assert "data.bin" not in shallow
    assert_failed(run("tree", image, "-L", "0"), 2, "name at least one level")


def test_a_folder_that_holds_itself_is_shown_and_not_entered(tmp_path: Path) -> None:
    made = IsoImage()
    made.root(directory_record(b"SUB", 40))
    made.directory(40, directory_record(b"SELF", 40), record(b"Z;1"))
    path = made.write(tmp_path / "x.iso")
    wanted = {
        ("ls", "-R"): ".:\nsub\n\nsub:\nself\nz\n",
        ("tree",): ".\n└── sub\n    ├── self\n    └── z\n\n2 folders, 1 file\n",
        ("extract", "-q", "-C", str(tmp_path / "out")): "",
    }
    for words, output in wanted.items():
        done = run(words[0], path, *words[1:])
        assert (done.returncode, done.stdout) == (1, output)
        assert done.stderr == f"isomount: {path}: sub/self: it holds itself or nests without end\n"
    assert [each.name for each in (tmp_path / "out/sub").iterdir()] == ["z"]


def test_cat_is_binary_safe(image: Path) -> None:
    assert raw("cat", image, "a/deep/data.bin").stdout == bytes(range(256)) * 20_000
    assert raw("cat", image, "b.txt", "/b.txt").stdout == b"hello\nhello\n"


@pytest.mark.parametrize("path", ["top", "up", "link/../../b.txt", "../../b.txt", "a/../up"])
def test_links_are_followed_within_the_image(image: Path, path: str) -> None:
    assert raw("cat", image, path).stdout == b"hello\n"


def test_what_cannot_be_shown(image: Path) -> None:
    assert_failed(run("cat", image), 2, "name the file to print")
    assert_failed(run("cat", image, "none"), 1, "none: no such file in the image; list what is")
    assert_failed(run("cat", image, "a"), 1, "a: is a folder; list it with: isomount ls")
    assert_failed(run("cat", image, "loop"), 1, "loop: Too many levels of symbolic links")
    assert_failed(run("ls", image, "b.txt/x"), 1, "b.txt/x: Not a directory")
    done = raw("cat", image, "none", "b.txt")
    assert (done.returncode, done.stdout) == (1, b"hello\n")


def test_a_file_past_the_end_is_printed_as_far_as_it_goes(make_image: MakeImage) -> None:
    data = os.urandom(3 << 20)
    image = make_image({"data": data}, "-R")
    with image.open("r+b") as file:
        file.truncate(image.stat().st_size - (1 << 20))
    done = raw("cat", image, "data")
    assert done.returncode == 1
    assert len(done.stdout) > 1 << 20
    assert data.startswith(done.stdout)
    assert b"data: " in done.stderr


@pytest.mark.parametrize("words", [("cat", "a/deep/data.bin"), ("ls", "-lR"), ("tree",)])
def test_a_reader_that_goes_away_is_no_news(image: Path, words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, words[0], str(image), *words[1:]],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
        timeout=PATIENCE,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_full_disk_is_told(image: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "cat", str(image), "b.txt"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
            timeout=PATIENCE,
        )
    assert done.returncode == 1
    assert done.stderr == (
        b"isomount: standard output cannot be written: No space left on device; "
        b"make room there or send it elsewhere\n"
    )


def test_what_is_damaged_is_said_once_the_image_opens(make_image: MakeImage) -> None:
    image = make_image({"a/b": b"x"}, "-R", "-J")
    data = bytearray(image.read_bytes())

    def lose_root(kind: bytes) -> None:
        """Where that descriptor has its path tables, and its root directory."""
        at = data.index(kind + b"CD001")
        data[at + 140 : at + 156] = bytes(16)
        data[at + 158 : at + 166] = bytes(8)
        image.write_bytes(data)

    lose_root(b"\2")
    done = run("ls", image, "-o", "norock")
    assert (done.returncode, done.stdout) == (0, "a\n")
    assert "the Joliet tree cannot be read" in done.stderr
    lose_root(b"\1")
    for verb in ("ls", "tree", "info", "extract"):
        assert_failed(run(verb, image), 31, "the root directory at byte 0")
