"""isomount list and recent."""

import contextlib
import json
import os
import signal
import stat
from pathlib import Path
from typing import Any

from tests.command import daemon_pid, end_mount, run, take_down, wait_for_end
from tests.conftest import Mounted
from tests.formats.bridges import bridge
from tests.formats.multisession import Sessions

REGISTER = Path("/run/isomount")


def listed(*words: str, user: bool = False, env: dict[str, str] | None = None) -> list[Any]:
    done = run("list", "--json", *words, user=user, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    found: list[Any] = json.loads(done.stdout)
    return found


def registered(folder: Path) -> list[Path]:
    """The entries of a mount. Those of others come and go meanwhile."""
    found = []
    for entry in REGISTER.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if str(folder) in entry.read_text(errors="replace"):
                found.append(entry)
    return found


def about(folder: Path, found: list[Any]) -> Any:
    (mount,) = [each for each in found if each["mountpoint"] == str(folder)]
    return mount


def test_a_mount_is_listed(small_image: Path, mounted: Mounted) -> None:
    with mounted(small_image, "norock") as folder:
        mount = about(folder, listed())
        assert (mount["image"], mount["view"]) == (str(small_image), "Joliet")
        assert (mount["label"], mount["size"]) == ("SMALL", small_image.stat().st_size)
        assert (mount["user"], mount["dead"]) == (os.getuid(), False)
        os.kill(mount["pid"], 0)
        (line,) = [each for each in run("list").stdout.splitlines() if f"{folder} " in each]
        assert line.split()[:4] == [str(small_image), str(folder), "Joliet", "SMALL"]
        header = run("list").stdout.splitlines()[0]
        assert header.split("  ")[0] == "IMAGE"
        (entry,) = registered(folder)
        assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert not [each for each in listed() if each["mountpoint"] == str(folder)]
    assert registered(folder) == []


def test_which_session_and_what_it_lacks(tmp_path: Path, mounted: Mounted) -> None:
    with mounted(Sessions(tmp_path / "s", ("-R",)).joined()) as folder:
        mount = about(folder, listed())
        assert (mount["view"], mount["session"]) == ("Rock Ridge", "session 2 of 2")
        assert "Rock Ridge, session 2 of 2" in run("list").stdout
        log = (tmp_path / "mount1.log").read_text()
        assert f"showing Rock Ridge, session 2 of 2 on {folder}" in log
    image = bridge(tmp_path / "x.iso", both=1, udf_only=1, iso_only=2)
    with mounted(image) as folder:
        remark = about(folder, listed())["remark"]
        assert remark.startswith("Rock Ridge is shown, which lacks 1 file; -o view=udf shows UDF")
        lines = run("list").stdout.splitlines()
        (row,) = [number for number, line in enumerate(lines) if f"{folder} " in line]
        assert lines[row + 1].strip() == remark
        assert remark in (tmp_path / "mount2.log").read_text()


def test_other_names_in_the_mount_table(small_image: Path, mounted: Mounted) -> None:
    with mounted(small_image, "fsname=something,subtype=else") as folder:
        assert about(folder, listed())["image"] == str(small_image)
        assert run("umount", small_image).returncode == 0
    with mounted(small_image, "fsname=something,subtype=else") as folder:
        assert run("umount", folder).returncode == 0


def test_users_see_their_own(small_image: Path, mounted: Mounted, user_folder: Path) -> None:
    runtime = user_folder / "run"
    runtime.mkdir(0o700)
    os.chown(runtime, 65534, 65534)
    env = {"XDG_RUNTIME_DIR": str(runtime)}
    image = user_folder / "x.iso"
    image.write_bytes(small_image.read_bytes())
    theirs = user_folder / "m"
    done = run(image, theirs, "-o", f"log={user_folder}/log", user=True, env=env)
    assert done.returncode == 0, done.stderr
    try:
        with mounted(small_image) as ours:
            mount = about(theirs, listed(user=True, env=env))
            assert (mount["label"], mount["user"]) == ("SMALL", 65534)
            assert str(ours) not in [each["mountpoint"] for each in listed(user=True, env=env)]
            everybody = listed("--all", user=True, env=env)
            assert about(ours, everybody)["image"] == str(small_image)
            assert about(ours, everybody)["view"] is None  # root's own business
            assert str(theirs) not in [each["mountpoint"] for each in listed()]
            assert about(theirs, listed("--all"))["user"] == 65534
        assert len(list((runtime / "isomount").iterdir())) == 1
    finally:
        end_mount(theirs)
        wait_for_end(daemon_pid(user_folder / "log"))
    assert list((runtime / "isomount").iterdir()) == []


def test_without_a_place_for_the_register(small_image: Path, user_folder: Path) -> None:
    folder = user_folder / "m"
    env = {"XDG_RUNTIME_DIR": "/nonexistent"}
    words = ("-o", f"log={user_folder}/log")
    image = user_folder / "x.iso"
    image.write_bytes(small_image.read_bytes())
    assert run(image, folder, *words, user=True, env=env).returncode == 0
    try:
        mount = about(folder, listed(user=True, env=env))
        assert (mount["image"], mount["view"]) == (str(image), None)
    finally:
        end_mount(folder)
        wait_for_end(daemon_pid(user_folder / "log"))


def test_a_dead_mount_and_stale_entries(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"log={log}").returncode == 0
    pid = daemon_pid(log)
    try:
        os.kill(pid, signal.SIGKILL)
        wait_for_end(pid)
        assert about(folder, listed())["dead"]
        (line,) = [each for each in run("list").stdout.splitlines() if f"{folder} " in each]
        assert "dead; clear it with: isomount umount --lazy" in line
    finally:
        take_down(folder)
    assert not [each for each in listed() if each["mountpoint"] == str(folder)]
    for text in ("", "{", "[]", "{}", '{"device": 1}', "\udcff", "null"):
        stale = REGISTER / f"test-{os.getpid()}.json"
        stale.write_text(text, errors="surrogateescape")
        try:
            assert isinstance(listed(), list)
        finally:
            stale.unlink()
    again, log = tmp_path / "again", tmp_path / "again.log"
    assert run(small_image, again, "-o", f"log={log}").returncode == 0
    assert registered(folder) == []
    end_mount(again)
    wait_for_end(daemon_pid(log))


def test_recent(fuse: None, small_image: Path, tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert run("recent", env=env).stdout == ""
    images = [tmp_path / name for name in ("a.iso", "b\n.iso", "c.iso")]
    for image in [*images, images[0]]:
        image.write_bytes(small_image.read_bytes())
        folder, log = tmp_path / "m", tmp_path / "log"
        assert run(image, folder, "-o", f"log={log}", env=env).returncode == 0
        end_mount(folder)
        wait_for_end(daemon_pid(log))
    images[2].unlink()
    file = tmp_path / "state/isomount/recent.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    lines = run("recent", env=env).stdout.splitlines()
    assert [line[18:] for line in lines] == [f"{tmp_path}/a.iso", f"{tmp_path}/b\\n.iso"]
    assert [each["image"] for each in json.loads(run("recent", "--json", env=env).stdout)] == [
        f"{tmp_path}/a.iso",
        f"{tmp_path}/b\\n.iso",
    ]
    file.write_text("{broken")
    assert run("recent", env=env).stdout == ""


def test_mounting_works_without_a_home(fuse: None, small_image: Path, tmp_path: Path) -> None:
    for home in ("", "/dev/null"):
        env = {"HOME": home, "XDG_STATE_HOME": home}
        folder, log = tmp_path / "m", tmp_path / "log"
        assert run(small_image, folder, "-o", f"log={log}", env=env).returncode == 0
        end_mount(folder)
        wait_for_end(daemon_pid(log))
        assert "Traceback" not in log.read_text()
        done = run("recent", env=env)
        assert (done.returncode, done.stdout) == (0, "")


def test_words_after_the_verb(small_image: Path) -> None:
    assert run("list", small_image).returncode == 2
    assert run("recent", small_image).returncode == 2
    for verb in ("list", "recent", "info", "ls", "tree", "cat", "extract", "umount"):
        done = run(verb, "--help")
        assert done.returncode == 0
        assert f"examples:\n  isomount {verb} " in done.stdout
