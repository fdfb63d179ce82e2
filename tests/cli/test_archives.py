"""Images in archives and in pieces: every verb takes a path that leads into an archive."""

import json
import os
import shlex
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.cli.words import assert_failed
from tests.command import COMMAND, environment, is_mounted, run, wait_until


@pytest.fixture
def archive(small_image: Path, tmp_path: Path) -> Path:
    """a.zip with two images in it, and things beside them."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(small_image, "one.iso")
        file.write(small_image, "sub/two words.iso")
        file.writestr("readme.txt", "about them")
    return path


@pytest.fixture
def pieces(small_image: Path, tmp_path: Path) -> list[Path]:
    """disc.iso.001 and on."""
    data = small_image.read_bytes()
    length = len(data) // 3 + 1
    paths = [tmp_path / f"disc.iso.00{number}" for number in (1, 2, 3)]
    for number, path in enumerate(paths):
        path.write_bytes(data[number * length :][:length])
    return paths


def listed() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(run("list", "--json").stdout)
    return found


def test_verbs_that_read(archive: Path, small_image: Path, tmp_path: Path) -> None:
    plain = run("ls", "-lR", small_image).stdout
    assert run("ls", "-lR", "a.zip/one.iso", cwd=tmp_path).stdout == plain
    info = json.loads(run("info", "--json", "a.zip/one.iso", cwd=tmp_path).stdout)
    assert info["image"] == "a.zip/one.iso"
    assert info["size"] == small_image.stat().st_size
    done = run("extract", "a.zip/sub/two words.iso", cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "two words").is_dir()
    names = run("ls", "-R", small_image).stdout
    assert run("ls", "-R", archive / "sub").stdout == names


def test_which_image_is_meant_is_asked(archive: Path, tmp_path: Path) -> None:
    done = run("ls", "a.zip", cwd=tmp_path)
    listed = "a.zip/one.iso, 'a.zip/sub/two words.iso'"
    assert_failed(done, 30, f"a.zip: holds several images; name one of them: {listed}")
    assert_failed(run("ls", "a.zip/none", cwd=tmp_path), 11, "a.zip/none: there is no such file in")
    assert_failed(run("a.zip/none", "m", cwd=tmp_path), 11, "/a.zip/none: there is no such file in")
    assert not (tmp_path / "m").exists()


def test_a_path_into_an_image_is_none(small_image: Path) -> None:
    done = run("ls", f"{small_image}/dir/file")
    assert_failed(done, 11, "is a disc image and no archive; name it alone, and what is in it")


def test_mounted_listed_remembered_and_unmounted(fuse: None, archive: Path, tmp_path: Path) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}

    def remembered() -> list[str]:
        return [each["image"] for each in json.loads(run("recent", "--json", env=state).stdout)]

    name = f"{archive}/sub/two words.iso"
    done = run("a.zip/sub/two words.iso", cwd=tmp_path, env=state)
    assert done.returncode == 0, done.stderr
    assert f"{name} is mounted on {tmp_path}/two words" in done.stdout
    try:
        assert is_mounted(tmp_path / "two words")
        here = [each for each in listed() if each["mountpoint"].startswith(str(tmp_path))]
        assert [each["image"] for each in here] == [name]
        again = run("a.zip/sub/two words.iso", cwd=tmp_path)
        assert_failed(again, 10, "this very image is mounted there already")
        other = run("a.zip/one.iso", "two words", cwd=tmp_path)
        assert_failed(other, 10, "another image")
        assert_failed(run("umount", "a.zip/one.iso", cwd=tmp_path), 20, "not mounted")
        (tmp_path / "link").symlink_to(tmp_path)
    finally:
        done = run("umount", f"{tmp_path}/link/a.zip/sub/two words.iso")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "two words").exists()
    wait_until("it is remembered", lambda: remembered() == [name])
    archive.unlink()
    assert not remembered()


def test_an_archive_that_is_deleted_meanwhile(fuse: None, archive: Path, tmp_path: Path) -> None:
    assert run("a.zip/one.iso", cwd=tmp_path).returncode == 0
    archive.unlink()
    try:
        assert "one.iso (deleted)" in run("list").stdout
        assert (tmp_path / "one" / os.listdir(tmp_path / "one")[0]).exists()
    finally:
        assert run("umount", f"{archive}/one.iso").returncode == 0


def test_the_only_image_of_an_archive(fuse: None, small_image: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "games.zip", "w") as file:
        file.write(small_image, "disc.iso")
    done = run(tmp_path / "games.zip")
    assert done.returncode == 0, done.stderr
    try:
        assert is_mounted(tmp_path / "games")
        assert sorted(os.listdir(tmp_path / "games")) == run("ls", small_image).stdout.split()
    finally:
        assert run("umount", "games.zip/disc.iso", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "games").exists()


def test_several_at_once(fuse: None, archive: Path, tmp_path: Path) -> None:
    done = run("a.zip/one.iso", "a.zip/sub/two words.iso", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    try:
        assert is_mounted(tmp_path / "one")
        assert is_mounted(tmp_path / "two words")
    finally:
        run("umount", "one", "two words", cwd=tmp_path)


def test_pieces(fuse: None, pieces: list[Path], small_image: Path, tmp_path: Path) -> None:
    plain = run("ls", "-lR", small_image).stdout
    for path in pieces:
        assert run("ls", "-lR", path).stdout == plain
    assert run(pieces[1]).returncode == 0
    try:
        assert is_mounted(tmp_path / "disc")
    finally:
        assert run("umount", pieces[1]).returncode == 0
    pieces[1].unlink()
    done = run(pieces[2], "m", cwd=tmp_path)
    assert_failed(done, 11, "disc.iso.002: is missing, a piece of the image that disc.iso.003 is a")
    pieces[0].unlink()
    done = run("ls", pieces[2])
    assert_failed(done, 30, "is called like a piece of a split file, and no other is beside it")


def test_what_comes_through_a_pipe(small_image: Path, tmp_path: Path) -> None:
    command = shlex.join(COMMAND)
    for words in (
        f"info - <{small_image}",
        "info /dev/stdin",
        "ls /dev/fd/0",
        "ls <(cat /dev/null)",
    ):
        done = subprocess.run(
            ["bash", "-c", f"cat {small_image} | {command} {words}"],
            capture_output=True,
            text=True,
            env=environment(),
            check=False,
        )
        assert done.returncode == 11
        assert "save " in done.stderr
        assert "to a file first" in done.stderr
