"""What a mount is, and what is left of it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.words import assert_failed, mount_line
from tests.command import (
    COMMAND,
    PATIENCE,
    check_log,
    daemon_pid,
    end_mount,
    environment,
    is_mounted,
    run,
    take_down,
    wait_for_end,
    wait_until,
)
from tests.conftest import Mounted


def test_mount_answers_is_safe_and_goes_away(
    mounted: Mounted, small_image: Path, tmp_path: Path
) -> None:
    with mounted(small_image) as folder:
        assert sorted(os.listdir(folder)) == ["deep", "link", "readme.txt"]
        line = mount_line(folder)
        assert " ro,nosuid,nodev," in line
        assert f" - fuse.isomount {small_image} ro," in line
        assert "default_permissions" in line
        with pytest.raises(OSError, match="Read-only file system"):
            (folder / "new").write_text("x")
    assert not folder.exists(), "a mount point that was made is removed"


def test_log_names_image_and_views(mounted: Mounted, small_image: Path, tmp_path: Path) -> None:
    with mounted(small_image):
        log = (tmp_path / "mount1.log").read_text()
    assert f"{small_image}: has Rock Ridge, Joliet" in log
    assert f"showing Rock Ridge on {tmp_path}/mount1" in log


def test_existing_mount_point_stays(mounted: Mounted, small_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    with mounted(small_image, at=folder):
        assert (folder / "link").is_symlink()
    assert os.listdir(folder) == []


def test_nonempty_is_allowed_on_demand(mounted: Mounted, small_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "file").write_text("x")
    assert_failed(run(small_image, folder), 10, "is not empty")
    with mounted(small_image, "nonempty", at=folder):
        assert not (folder / "file").exists()
    assert (folder / "file").read_text() == "x"


@pytest.mark.parametrize(("name", "folder"), [("disc.iso", "disc"), ("disc", "disc.mnt")])
def test_mount_point_beside_the_image(
    fuse: None, small_image: Path, tmp_path: Path, name: str, folder: str
) -> None:
    (tmp_path / name).write_bytes(small_image.read_bytes())
    done = run(name, "-o", "log=log", cwd=tmp_path)
    place = tmp_path / folder
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path / name} is mounted on {place}\n"
    assert (place / "readme.txt").exists()
    assert run("umount", name, cwd=tmp_path).returncode == 0
    assert not place.exists(), "umount returns when the daemon has cleared away"
    wait_for_end(daemon_pid(tmp_path / "log"))
    check_log(tmp_path / "log")


def test_several_images_each_beside_itself(fuse: None, small_image: Path, tmp_path: Path) -> None:
    names = ("a.iso", "b.iso", "c.ISO")
    for name in names:
        (tmp_path / name).write_bytes(small_image.read_bytes())
    (tmp_path / "bad.iso").write_bytes(b"bad" * 100_000)
    (tmp_path / "notes.txt").write_text("x")
    places = [tmp_path / name[0] for name in names]
    done = run("a.iso", "bad.iso", *names[1:], "-o", "log=log", cwd=tmp_path)
    try:
        assert done.returncode == 30
        assert done.stderr.startswith(f"isomount: {tmp_path}/bad.iso: is not a disc image")
        assert done.stderr.count("\n") == 1
        assert done.stdout.splitlines() == [
            f"{tmp_path / name} is mounted on {place}"
            for name, place in zip(names, places, strict=True)
        ]
        assert [(place / "readme.txt").read_bytes() for place in places] == [b"hello\n"] * 3
        # Each daemon's log has each line once.
        assert (tmp_path / "log").read_text().count(f" on {tmp_path}/c\n") == 1
        assert run("umount", *names, cwd=tmp_path).returncode == 0
        assert run("b.iso", "c.ISO", cwd=tmp_path).returncode == 0
        assert run("umount", *places[1:], cwd=tmp_path).returncode == 0
    finally:
        for place in places:
            take_down(place)
    assert_failed(run("a.iso", "b.iso", "-f", cwd=tmp_path), 2, "only one image can be mounted in")
    assert_failed(run("a.iso", "notes.txt", cwd=tmp_path), 10, "notes.txt: is a file; the mount")
    done = run("a.iso", "b.iso", "none.iso", cwd=tmp_path)
    assert_failed(done, 2, "or several image files, each of which is shown beside itself")
    check_log(tmp_path / "log")


def test_options_reach_the_mount_table(mounted: Mounted, small_image: Path) -> None:
    with mounted(
        small_image, "noexec,noatime,nosymfollow,max_read=65536,allow_other", "fsname=my\\, disc"
    ) as folder:
        line = mount_line(folder)
        flags = line.split(" ")[5].split(",")
        assert {"ro", "nosuid", "nodev", "noexec", "noatime"} <= set(flags)
        assert "- fuse.isomount my,\\040disc " in line
        assert "max_read=65536" in line
        assert "allow_other" in line
        assert (folder / "deep/er/data.bin").read_bytes() == bytes(range(256)) * 4096
        with pytest.raises(OSError, match="symbolic links"):
            (folder / "link").read_bytes()


def test_auto_unmount_when_the_daemon_is_killed(
    fuse: None, small_image: Path, tmp_path: Path
) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    folder.mkdir()
    assert run(small_image, folder, "-o", f"auto_unmount,log={log}").returncode == 0
    os.kill(daemon_pid(log), 9)
    wait_until("it is unmounted", lambda: not is_mounted(folder))


def test_mounting_twice_at_once_and_again(mounted: Mounted, small_image: Path) -> None:
    with mounted(small_image) as one, mounted(small_image) as two:
        assert (one / "readme.txt").read_bytes() == (two / "readme.txt").read_bytes()
        done = run("umount", small_image)
        assert_failed(done, 2, "mounted more than once")
    for _ in range(3):
        with mounted(small_image, at=one):
            assert (one / "readme.txt").exists()


def test_daemon_keeps_nothing_of_its_caller(
    mounted: Mounted, small_image: Path, tmp_path: Path
) -> None:
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)
    place, log = tmp_path / "m", tmp_path / "log"
    words = [*COMMAND, str(small_image), str(place), "-o", f"log={log}"]
    subprocess.run(
        words, env=environment(), cwd=tmp_path, check=True, timeout=PATIENCE, pass_fds=[lock]
    )
    os.close(lock)
    try:
        process = Path(f"/proc/{daemon_pid(log)}")
        held = [os.readlink(descriptor) for descriptor in (process / "fd").iterdir()]
        assert str(tmp_path / "lock") not in held
        assert os.readlink(process / "cwd") == "/"
        assert {os.readlink(process / "fd" / n) for n in "012"} == {"/dev/null"}
    finally:
        end_mount(place)
    wait_for_end(daemon_pid(log))


def test_started_with_standard_files_closed(fuse: None, small_image: Path, tmp_path: Path) -> None:
    place, log = tmp_path / "m", tmp_path / "log"
    script = 'exec "$@" <&- >&- 2>&-'
    words = [*COMMAND, str(small_image), str(place), "-o", f"log={log}"]
    subprocess.run(
        ["sh", "-c", script, "sh", *words], env=environment(), check=True, timeout=PATIENCE
    )
    assert (place / "deep/er/data.bin").read_bytes() == bytes(range(256)) * 4096
    end_mount(place)
    wait_for_end(daemon_pid(log))
    check_log(log)
