"""Every refusal: its sentence, its exit code, nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.words import assert_failed
from tests.command import (
    COMMAND,
    ORDINARY_USER,
    PATIENCE,
    daemon_pid,
    environment,
    is_mounted,
    run,
    wait_for_end,
)
from tests.conftest import MakeImage, Mounted

CUE = 'FILE "disc.bin" BINARY\n  TRACK 01 MODE1/2352\n    INDEX 01 00:00:00\n'


def test_image_that_cannot_be_read(small_image: Path, tmp_path: Path) -> None:
    assert_failed(run(tmp_path / "none.iso", tmp_path / "m"), 11, "no such file")
    assert_failed(run(tmp_path, tmp_path / "m"), 11, "is a folder")
    (tmp_path / "dangling.iso").symlink_to("gone")
    done = run(tmp_path / "dangling.iso", tmp_path / "m")
    assert_failed(done, 11, "dangling.iso: is a link to gone, which is missing")
    (tmp_path / "loop.iso").symlink_to("loop.iso")
    assert_failed(run(tmp_path / "loop.iso", tmp_path / "m"), 11, "loop.iso")
    os.mkfifo(tmp_path / "fifo")
    assert_failed(run(tmp_path / "fifo", tmp_path / "m"), 11, "is a pipe, and an image is read in")
    assert_failed(run("/dev/null", tmp_path / "m"), 11, "neither a file nor a disc drive")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("words", [["info"], ["ls"], ["extract"], ["cat"], ["open"], []])
def test_no_address_and_no_standard_input(tmp_path: Path, words: list[str]) -> None:
    path = ["a"] if words == ["cat"] else []
    done = run(*words, "ftp://e.org/x.iso", *path, cwd=tmp_path)
    assert_failed(done, 11, "ftp://e.org/x.iso: is an address of a kind that is not read")
    assert_failed(run(*words, "-", *path, cwd=tmp_path), 11, "-: standard input cannot be an image")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 100_000])
def test_not_an_image(tmp_path: Path, content: bytes) -> None:
    image = tmp_path / "x.iso"
    image.write_bytes(content)
    assert_failed(run(image, tmp_path / "m"), 30, f"{image}: ")
    assert_failed(run(image, tmp_path / "m", "-f"), 30, f"{image}: ")
    assert not (tmp_path / "m").exists()


def test_what_is_taken_for_an_image(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"QFI\xfb" + bytes(4096))
    assert_failed(run("info", "file", cwd=tmp_path), 30, "with: qemu-img convert")


def test_a_sheet_without_its_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(CUE)
    done = run("info", "file", cwd=tmp_path)
    assert_failed(done, 11, "disc.bin: is named by file and missing, as are disc.img")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mount", "x.iso", "m"], "write: isomount IMAGE FOLDER"),
        (["unmount", "x.iso"], "write: isomount umount"),
        (["umonut", "x.iso"], "write: isomount umount"),
        (["extrat", "x.iso", "a", "b"], "write: isomount extract"),
        (["help"], "write: isomount --help"),
        (["m", "x.iso"], "the image comes first, then the folder"),
    ],
)
def test_words_that_are_meant_otherwise(
    small_image: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "x.iso").symlink_to(small_image)
    (tmp_path / "m").mkdir()
    assert_failed(run(*words, cwd=tmp_path), 2, said)


def test_an_image_named_like_a_mistake(fuse: None, small_image: Path, tmp_path: Path) -> None:
    (tmp_path / "help").symlink_to(small_image)
    assert run("help", "m", cwd=tmp_path).returncode == 0
    assert run("umount", "m", cwd=tmp_path).returncode == 0


def test_image_without_permission(as_root: None, small_image: Path, tmp_path: Path) -> None:
    """The rights are dropped in the process: elsewhere tests may let the user look up more."""
    code = (
        "import os, sys, isomount.cli.verbs.mount\n"
        "from isomount.cli import main\n"
        f"os.setgroups([]); os.setresgid(*[{ORDINARY_USER}] * 3)\n"
        f"os.setresuid(*[{ORDINARY_USER}] * 3)\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(small_image), str(tmp_path / "m")],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert_failed(done, 11, "no permission to read it")


def test_log_that_cannot_be_written(small_image: Path, tmp_path: Path) -> None:
    done = run(small_image, tmp_path / "m", "-o", f"log={tmp_path}/none/log")
    assert_failed(done, 2, "log=")
    assert "; name a file in a folder that is there" in done.stderr
    assert not (tmp_path / "m").exists()


def test_unusable_mount_points(fuse: None, small_image: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert_failed(run(small_image, tmp_path / "file"), 10, "is a file")
    assert_failed(run(small_image, tmp_path / "file/m"), 10, "Not a directory")
    assert_failed(run(small_image, tmp_path / "none/m"), 10, f"folder {tmp_path}/none is missing")
    assert_failed(run(small_image, tmp_path), 10, "is not empty")
    assert_failed(run(small_image, "/proc"), 10, "something else is mounted there already")
    assert_failed(run(small_image, "/proc/m"), 10, "cannot be made")


def test_mount_point_in_use(
    mounted: Mounted, make_image: MakeImage, small_image: Path, tmp_path: Path
) -> None:
    other = make_image({"other": b""}, "-R")
    (tmp_path / "link.iso").symlink_to(small_image)
    with mounted(small_image) as folder:
        assert_failed(run(small_image, folder), 10, "this very image is mounted there already")
        assert_failed(run(tmp_path / "link.iso", folder), 10, "this very image")
        assert_failed(run(other, folder), 10, f"another image, {small_image}, is mounted there")
        assert (folder / "readme.txt").exists()


def test_dead_mount_of_another_kind(fuse: None, small_image: Path, tmp_path: Path) -> None:
    """It is not cleared away: who knows what somebody wants with it."""
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"subtype=other,log={log}").returncode == 0
    os.kill(daemon_pid(log), 9)
    wait_for_end(daemon_pid(log))
    assert_failed(run(small_image, folder), 10, "is dead, its daemon crashed or was killed; clear")
    done = run(small_image, folder)
    remedy = done.stderr.partition("clear it with: ")[2].split()
    assert remedy == ["fusermount3", "-u", "-z", str(folder)]
    assert_failed(run(small_image, folder / "in"), 10, "is dead")
    assert subprocess.run(remedy, check=False, timeout=PATIENCE).returncode == 0
    assert not is_mounted(folder)


def test_hung_mount(fuse: None, small_image: Path, tmp_path: Path) -> None:
    """A mount whose daemon is stopped does not stop the command, and the remedy works."""
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"log={log}").returncode == 0
    pid = daemon_pid(log)
    os.kill(pid, 19)
    try:
        done = run(small_image, folder)
        assert_failed(done, 10, "does not answer, what is mounted there hangs; clear it with")
        assert run("umount", "--lazy", folder).returncode == 0
    finally:
        os.kill(pid, 18)
    wait_for_end(pid)


@pytest.mark.parametrize(
    "words", [("info",), ("info", "--json"), ("ls",), ("tree",), ("extract", "-q", "-C", "out")]
)
def test_output_on_a_full_disk(small_image: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """One sentence; -q has nothing to say."""
    done = into("/dev/full", *words, str(small_image), cwd=tmp_path)
    if "-q" in words:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert_failed(done, 1, "No space left on device; make room there or send it elsewhere")


def test_help_and_a_mount_on_a_full_disk(fuse: None, small_image: Path, tmp_path: Path) -> None:
    # Whether argparse notices depends on how Python buffers; a sentence or none, but no traceback.
    assert into("/dev/full", "--help", cwd=tmp_path).stderr.count("\n") <= 1
    (tmp_path / "x.iso").symlink_to(small_image)
    assert_failed(into("/dev/full", "x.iso", cwd=tmp_path), 1, "standard output cannot be")
    assert run("umount", tmp_path / "x").returncode == 0


def test_errors_on_a_full_disk(tmp_path: Path) -> None:
    """There is no other place to say it: the exit code remains."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "info", "none.iso"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
            timeout=PATIENCE,
        )
    assert (done.returncode, done.stdout) == (11, b"")


def test_extracting_goes_on_when_nobody_listens(make_image: MakeImage, tmp_path: Path) -> None:
    """Its lines are for people; the files are what was asked for."""
    image = make_image({f"{n:03}-{'x' * 100}": b"data" for n in range(1500)}, "-R")
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as nobody:
        done = subprocess.run(
            [*COMMAND, "extract", str(image), "-C", str(tmp_path / "out")],
            env=environment(),
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    assert (done.returncode, done.stderr) == (1, "")
    assert len(list((tmp_path / "out").iterdir())) == 1500


def test_a_home_that_is_not_there_is_not_made(
    fuse: None, small_image: Path, tmp_path: Path
) -> None:
    env = {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": ""}
    assert run(small_image, tmp_path / "m", env=env).returncode == 0
    assert run("umount", tmp_path / "m", env=env).returncode == 0
    assert not (tmp_path / "home").exists()


def test_names_cannot_control_the_terminal(small_image: Path, tmp_path: Path) -> None:
    name = "red\x1b[31m\n.iso"
    (tmp_path / name).symlink_to(small_image)
    done = run("extract", "-o", "norock", name, "-C", "out\x1b[2J", cwd=tmp_path)
    assert done.stdout.splitlines()[-1].endswith("extracted into out\\x1b[2J")
    done = run("ls", name, "gone\x1b", cwd=tmp_path)
    assert_failed(done, 1, "red\\x1b[31m\\n.iso: gone\\x1b: no such file in the image")


def into(file: str, *words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """The command with its output written into ``file``."""
    with open(file, "w") as output:
        done = subprocess.run(
            [*COMMAND, *words],
            env=environment(),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=PATIENCE,
            cwd=cwd,
        )
    done.stdout = ""
    return done
