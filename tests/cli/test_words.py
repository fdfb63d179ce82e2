"""What is written on the command line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from isomount.cli import VERBS
from tests.cli.words import assert_failed
from tests.command import (
    COMMAND,
    PATIENCE,
    daemon_pid,
    end_mount,
    environment,
    is_mounted,
    run,
    wait_for_end,
)


def test_help_and_version_need_neither_fuse_nor_trio() -> None:
    code = (
        "import sys\n"
        "from isomount.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not {'pyfuse3', 'trio', 'pycdlib'} & set(sys.modules), 'imported too much'\n"
    )
    for words, said in ((["-h"], "examples:"), (["-V"], "isomount 0."), (["umount", "-h"], "lazy")):
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert said in done.stdout


def test_help_for_options() -> None:
    done = run("-o", "help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("What is shown (-o):\n  view=auto|iso9660|udf ")
    assert "\n  idle=MIN " in done.stdout
    done = run("ls", "-o", "norock", "-o", "help", "none.iso")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n  norock " in done.stdout
    assert "idle=" not in done.stdout  # a mount's
    assert "-o help lists them" in run("info", "--help").stdout


def test_options_in_any_position(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    done = run("-o", f"log={log}", small_image, "-r", folder, "-ouid=11", "-o", "gid=12,uid=13")
    try:
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        status = (folder / "readme.txt").stat()
        assert (status.st_uid, status.st_gid) == (13, 12)
    finally:
        end_mount(folder)
    wait_for_end(daemon_pid(log))


def test_image_named_like_a_verb(fuse: None, small_image: Path, tmp_path: Path) -> None:
    image = tmp_path / "umount"
    image.write_bytes(small_image.read_bytes())
    assert_failed(run("umount", "m", cwd=tmp_path), 20, "m: not mounted")
    assert run("./umount", "m", "-o", "log=log", cwd=tmp_path).returncode == 0
    assert (tmp_path / "m/readme.txt").read_bytes() == b"hello\n"
    assert run("umount", "./umount", cwd=tmp_path).returncode == 0
    assert run("--", "umount", "m", cwd=tmp_path).returncode == 0
    assert run("umount", "m", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "m").exists()


def test_output_closed_at_the_other_end(fuse: None, small_image: Path, tmp_path: Path) -> None:
    """``isomount x.iso | true`` mounts all the same."""
    image = tmp_path / "x.iso"
    image.write_bytes(small_image.read_bytes())
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, str(image)],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
        timeout=PATIENCE,
    )
    os.close(writer)
    assert is_mounted(tmp_path / "x")
    assert run("umount", image).returncode == 0
    assert b"Traceback" not in done.stderr


def test_writing_is_declined_in_a_word(fuse: None, small_image: Path, tmp_path: Path) -> None:
    done = run(small_image, tmp_path / "m", "-o", "rw,user,noauto,x-gvfs-show")
    assert run("umount", tmp_path / "m").returncode == 0
    assert done.returncode == 0
    assert "read-only" in done.stderr
    assert_failed(run(tmp_path / "none", tmp_path / "m", "-o", "rw"), 11, "no such file")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "name",
    ["with space", "a,b\\c", "new\nline", "tab\t#x", "ünï €", os.fsdecode(b"\xff\xfe"), "-o"],
)
def test_odd_paths(fuse: None, small_image: Path, tmp_path: Path, name: str) -> None:
    image, folder, log = (tmp_path / f"{name}{end}" for end in (".iso", ".dir", ".log"))
    image.write_bytes(small_image.read_bytes())
    escaped = str(log).replace("\\", "\\\\").replace(",", "\\,")
    words = ["-o", f"log={escaped}", "--", image.name, folder.name]
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert is_mounted(folder)
    assert (folder / "readme.txt").read_bytes() == b"hello\n"
    assert run("umount", "--", image.name, cwd=tmp_path).returncode == 0
    assert not folder.exists()
    wait_for_end(daemon_pid(log))
    assert_failed(run("umount", "--", folder.name, cwd=tmp_path), 20, "not mounted")


def test_help_names_every_verb() -> None:
    usage = run("--help").stdout.split("\n\n", 1)[0]
    assert set(VERBS) <= set(re.findall(r"\w+", usage))
