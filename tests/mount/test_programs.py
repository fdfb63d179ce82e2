"""What people do with a mounted image, by the programs they do it with."""

import errno
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.authoring import xorriso
from tests.command import PATIENCE, as_ordinary_user
from tests.conftest import Mounted

_STAMP = 1_600_000_000


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every kind of file, hard links, long and foreign names, all times set."""
    root = tmp_path_factory.mktemp("programs") / "source"
    for folder in (
        "plain",
        "deep/" + "/".join(f"level{i}" for i in range(12)),
        "empty",
        "žluťoučký",
    ):
        (root / folder).mkdir(parents=True)
    (root / "plain/small.txt").write_text("small\n")
    (root / "plain/empty").touch()
    (root / "plain/large.bin").write_bytes(os.urandom(3_000_001))
    (root / "plain/script.sh").write_text("#!/bin/sh\necho run\n")
    (root / "plain/script.sh").chmod(0o755)
    (root / "žluťoučký/日本語 🎉.txt").write_text("unicode\n")
    (root / "plain" / ("long" * 60)).write_text("long name\n")
    (root / "deep/level0/level1/note.txt").write_text("deep\n")
    (root / "plain/link").symlink_to("small.txt")
    (root / "dangling").symlink_to("no/such/file")
    for name in ("one", "two", "three"):
        os.link(root / "plain/large.bin", root / f"plain/hard-{name}")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, (_STAMP, _STAMP), follow_symlinks=False)
    os.utime(root, (_STAMP, _STAMP))
    return root


@pytest.fixture(scope="session")
def image(source: Path) -> Path:
    """The source as a Rock Ridge image, with its hard links."""
    file = source.parent / "programs.iso"
    return xorriso(file, source, "-R", "-J", "-joliet-long", "--hardlinks", "-V", "PROGRAMS")


class Mount(NamedTuple):
    """The image mounted on ``folder``; ``program`` runs a program as whoever mounted it."""

    program: Callable[..., str]
    folder: Path


@pytest.fixture(params=["root", "user"])
def mount(
    request: pytest.FixtureRequest, image: Path, mounted: Mounted, tmp_path: Path
) -> Iterator[Mount]:
    """By root, and by an ordinary user with a copy of the image."""
    if request.param == "root":
        request.getfixturevalue("as_root")
        with mounted(image, at=tmp_path / "mount") as folder:
            yield Mount(_program(()), folder)
        return
    home: Path = request.getfixturevalue("user_folder")
    shutil.copy(image, home / "mine.iso")
    with mounted(home / "mine.iso", at=home / "mount", user=True) as folder:
        yield Mount(_program(as_ordinary_user()), folder)


def _program(prefix: tuple[str, ...]) -> Callable[..., str]:
    def program(*words: str | Path, cwd: Path | None = None, ok: bool = True) -> str:
        # Root itself may not enter a user's mount.
        done = _run(*prefix, "env", "-C", cwd or "/", *words)
        assert (done.returncode == 0) is ok, done
        return done.stdout if ok else done.stderr

    return program


def _output(*words: str | Path, cwd: Path | None = None) -> str:
    done = _run(*words, cwd=cwd)
    assert done.returncode == 0, done
    return done.stdout


def _run(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, words)],
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=PATIENCE,
        check=False,
    )


def test_find_sees_what_the_source_has(mount: Mount, source: Path) -> None:
    program, folder = mount
    # Directory sizes and link counts are the disc's own.
    wanted = ("-printf", "%y %m %T@ %l %p\\n", "-type", "f", "-printf", "  %s %n\\n")
    shown = sorted(program("find", ".", *wanted, cwd=folder).splitlines())
    assert shown == sorted(_output("find", ".", *wanted, cwd=source).splitlines())
    assert len(shown) > 30


def test_ls_lists_all_of_it(mount: Mount, source: Path) -> None:
    program, folder = mount
    listed = program("ls", "-lAR", cwd=folder)
    for path in source.rglob("*"):
        assert path.name in listed
    assert "?" not in listed
    dots = program("ls", "-ai", folder).split()
    assert ".." in dots
    assert "." in dots


def test_copies_are_equal(mount: Mount, source: Path) -> None:
    program, folder = mount
    copies = folder.parent / "copies"
    program("mkdir", copies)
    program("cp", "-a", f"{folder}/.", copies / "whole")
    _output(
        "diff", "-r", "--no-dereference", "-x", "fifo", "-x", "socket", source, copies / "whole"
    )
    program("cp", "-a", f"{folder}/plain", copies / "cp")
    program("rsync", "-aH", f"{folder}/plain/", copies / "rsync")
    program(
        "tar", "-C", folder, "-cf", copies / "all.tar", "plain", "deep", "žluťoučký", "dangling"
    )
    program("mkdir", copies / "tar")
    program("tar", "-C", copies / "tar", "-xf", copies / "all.tar")
    for copy in ("cp", "rsync", "tar/plain"):
        _output("diff", "-r", "--no-dereference", source / "plain", copies / copy)
        linked = {(copies / copy / f"hard-{n}").stat().st_ino for n in ("one", "two", "three")}
        assert linked == {(copies / copy / "large.bin").stat().st_ino}, copy
        assert (copies / copy / "small.txt").stat().st_mtime == _STAMP


def test_checksums_agree(mount: Mount, source: Path) -> None:
    program, folder = mount
    files = [path for path in source.rglob("*") if path.is_file() and not path.is_symlink()]
    names = [str(path.relative_to(source)) for path in files]
    sums = folder.parent / "sums"
    sums.write_text(_output("sha256sum", *names, cwd=source))
    assert program("sha256sum", "-c", "--quiet", sums, cwd=folder) == ""


def test_df_knows_the_size(mount: Mount, image: Path) -> None:
    program, folder = mount
    size, used, free = program("df", "-B1", "--output=size,used,avail", folder).split()[-3:]
    # xorriso pads the image by 150 sectors, which it counts as the volume's.
    assert int(size) == int(used) <= image.stat().st_size
    assert int(size) > image.stat().st_size - 400 * 2048
    assert free == "0"


@pytest.mark.parametrize(
    "attempt",
    [
        ("touch", "new"),
        ("touch", "plain/small.txt"),
        ("mkdir", "folder"),
        ("rm", "-f", "plain/small.txt"),
        ("rmdir", "empty"),
        ("mv", "plain/small.txt", "moved"),
        ("ln", "plain/small.txt", "hard"),
        ("ln", "-s", "plain", "soft"),
        ("chmod", "600", "plain/small.txt"),
        ("chown", "1:1", "plain/small.txt"),
        ("truncate", "-s", "0", "plain/small.txt"),
        ("mkfifo", "pipe"),
        ("setfattr", "-n", "user.x", "-v", "y", "plain/small.txt"),
        ("dd", "if=/dev/zero", "of=plain/small.txt", "count=1"),
        ("cp", "/etc/hostname", "plain/copy"),
    ],
    ids=lambda attempt: attempt[0],
)
def test_nothing_can_be_written(mount: Mount, attempt: tuple[str, ...]) -> None:
    program, folder = mount
    assert os.strerror(errno.EROFS) in program(*attempt, cwd=folder, ok=False)
