"""What the command meets beside its own input: a machine that lacks things, images that go away.

Each lack is real, made in a mount namespace of the command's own.
"""

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import isomount
from tests.cli.words import assert_failed
from tests.command import (
    CHECKOUT,
    COMMAND,
    ORDINARY_USER,
    PATIENCE,
    as_ordinary_user,
    daemon_pid,
    environment,
    run,
    take_down,
    wait_for_end,
)
from tests.conftest import MakeImage, Mounted


def after(setup: str) -> list[str]:
    """The words before a command that runs once the shell has done ``setup`` for it alone."""
    return ["unshare", "-m", "--propagation=private", "sh", "-ec", f'{setup}; exec "$@"', "sh"]


def by(*, user: bool) -> str:
    """The command as a shell has it, for root or for the ordinary user."""
    return shlex.join([*(as_ordinary_user() if user else ()), *COMMAND])


def does(words: list[str], env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Another program, to its end."""
    return subprocess.run(
        words,
        cwd="/",
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def home(user_folder: Path) -> Path:
    home = user_folder / "home"
    home.mkdir()
    os.chown(home, ORDINARY_USER, ORDINARY_USER)
    return home


# ---------------------------------------------------------------- where nothing can be mounted


@pytest.fixture
def shelf(image: Path, home: Path) -> Path:
    """A folder with an image and an empty folder, to be made ``read_only``."""
    shelf = image.parent / "shelf"
    for folder in (shelf, shelf / "empty"):
        folder.mkdir()
        os.chown(folder, ORDINARY_USER, ORDINARY_USER)
    shutil.copy(image, shelf / "disc.iso")
    return shelf


def read_only(folder: Path) -> list[str]:
    return after(f"mount --bind {folder} {folder}; mount -o remount,bind,ro {folder}")


@pytest.mark.parametrize("user", [False, True])
def test_a_read_only_file_system(shelf: Path, home: Path, user: bool) -> None:
    env = {"HOME": str(home)}
    image = shelf / "disc.iso"
    beside = run(image, prefix=read_only(shelf), env=env, user=user)
    assert_failed(beside, 10, f"disc: cannot be made in {shelf}: Read-only file system")
    named = run(image, shelf / "new", prefix=read_only(shelf), env=env, user=user)
    assert_failed(named, 10, f"of your own, such as {home}/new\n")
    remedy = beside.stderr.rpartition("such as ")[2].strip()
    assert run(image, remedy, env=env, user=user).returncode == 0
    assert run("umount", remedy, env=env, user=user).returncode == 0
    assert sorted(os.listdir(shelf)) == ["disc.iso", "empty"]
    assert os.listdir(home) == []


def test_users_cannot_mount_on_what_is_read_only(shelf: Path, home: Path) -> None:
    words = (shelf / "disc.iso", shelf / "empty")
    done = run(*words, prefix=read_only(shelf), env={"HOME": str(home)}, user=True)
    assert_failed(done, 10, "its file system is read-only; name a mount point in a")


def test_within_another_mount(mounted: Mounted, image: Path, home: Path) -> None:
    with mounted(image, at=home / "m", user=True):
        done = run(image, home / "m/new", user=True)
        assert_failed(done, 10, f"new: cannot be made in {home}/m: Read-only file system; name")
        assert_failed(run(image, home / "m/deep", user=True), 10, "its file system is read-only")
        assert_failed(run(image, home / "m/readme.txt", user=True), 10, "is a file")


def test_folders_that_make_none(image: Path) -> None:
    """mkdir says there that something is missing."""
    assert_failed(run(image, "/proc/new"), 10, "/proc/new: cannot be made in /proc: ")


# ---------------------------------------------------------------- /etc/fuse.conf


@pytest.mark.parametrize("option", ["allow_other", "allow_root"])
@pytest.mark.parametrize("line", ["", "#user_allow_other", "user_allow_others"])
def test_allow_other_without_leave(image: Path, home: Path, line: str, option: str) -> None:
    conf = home / "fuse.conf"
    conf.write_text(f"{line}\n")
    prefix = after(f"mount --bind {conf} /etc/fuse.conf")
    done = run(image, home / "m", "-o", option, prefix=prefix, user=True)
    assert_failed(done, 12, 'the line "user_allow_other" in /etc/fuse.conf')
    assert os.listdir(home) == ["fuse.conf"]


def test_allow_other_with_leave(image: Path, home: Path) -> None:
    conf = home / "fuse.conf"
    conf.write_text("# for everybody\nuser_allow_other\n")
    command = by(user=True)
    script = (
        f"{command} {image} {home}/m -o allow_other && cat {home}/m/readme.txt && "
        f"{command} umount {home}/m"
    )
    done = does([*after(f"mount --bind {conf} /etc/fuse.conf"), "sh", "-c", script])
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


def test_a_configuration_that_only_fusermount3_reads(image: Path, home: Path) -> None:
    """Its own refusal, after the folder has been made: that goes again."""
    conf = home / "fuse.conf"
    conf.write_text("")
    conf.chmod(0)
    prefix = after(f"mount --bind {conf} /etc/fuse.conf")
    done = run(image, home / "m", "-o", "allow_other", prefix=prefix, user=True)
    assert_failed(done, 12, "user_allow_other")
    assert os.listdir(home) == ["fuse.conf"]


# ---------------------------------------------------------------- no systemd, no journal


NO_LOG = (
    "mkdir -p /mnt; mount -t tmpfs none /mnt; mknod -m 666 /mnt/null c 1 3; "
    "mknod -m 666 /mnt/fuse c 10 229; mount --move /mnt /dev"
)


@pytest.mark.parametrize("user", [False, True])
def test_without_a_system_log(make_image: MakeImage, home: Path, user: bool) -> None:
    """Warnings go to a file of the user's own then, made when there is one."""
    sound = make_image({"d/file": b"x"}, name="sound.iso").rename(home / "sound.iso")
    broken = home / "broken.iso"
    broken.write_bytes(sound.read_bytes())
    with isomount.open(sound) as disc, open(broken, "r+b") as file:
        file.seek(disc.volume.lookup("d").ino // 2048 * 2048)
        file.write(b"\xff" * 2048)
    state = home / "state"
    log = state / "isomount/log"
    command = by(user=user)
    script = (
        f"{command} {sound} {home}/m && {command} umount {home}/m && test ! -e {log} && "
        f"{command} {broken} {home}/m && ls {home}/m/d >/dev/null 2>&1; "
        f"{command} umount {home}/m"
    )
    env = {"XDG_STATE_HOME": str(state), "HOME": str(home)}
    done = does([*after(NO_LOG), "sh", "-c", script], env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert " WARNING: damaged image" in log.read_text()


def test_a_manager_that_does_not_listen(fuse: None, small_image: Path, tmp_path: Path) -> None:
    """Its queue is full: the mount is there all the same, and ends as ever."""
    address = str(tmp_path / "notify")
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        listener.bind(address)
        stack.enter_context(full(listener))
        process = subprocess.Popen(
            [*COMMAND, "-f", str(small_image), str(tmp_path / "m")],
            env=environment({"NOTIFY_SOCKET": address}),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr is not None
            assert " showing Rock Ridge on " in process.stderr.readline()
            assert (tmp_path / "m/readme.txt").read_bytes() == b"hello\n"
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            process.wait(PATIENCE)
            take_down(tmp_path / "m")
    assert (process.returncode, "WARNING" in said, "Traceback" in said) == (0, False, False)


@contextlib.contextmanager
def full(listener: socket.socket) -> Iterator[None]:
    """``listener`` takes no more, as long as nobody reads from it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                sender.sendto(b"x", listener.getsockname())
        yield


# ---------------------------------------------------------------- no session bus


# It listens without a file: its namespaces have nothing that would be left behind.
SCREEN = (
    "Xvfb :7 -screen 0 640x480x24 -nolisten tcp -nolisten unix -nolock >/dev/null 2>&1 & "
    "until grep -q X11-unix/X7 /proc/net/unix; do sleep 0.1; done"
)


def test_a_file_manager_without_a_session_bus(image: Path, home: Path) -> None:
    """It opens all the same. Everything runs in a process namespace, and ends with that."""
    (home / ".config").mkdir()
    (home / ".config/mimeapps.list").write_text(
        "[Default Applications]\ninode/directory=pcmanfm.desktop\n"
    )
    os.chown(home / ".config", ORDINARY_USER, ORDINARY_USER)
    variables = {"HOME": home, "DISPLAY": ":7", "PATH": os.environ["PATH"], "PYTHONPATH": CHECKOUT}
    clean = shlex.join(["env", "-i", *(f"{name}={value}" for name, value in variables.items())])
    look = "p=$(grep -lsx pcmanfm /proc/[0-9]*/comm); tr '\\0' ' ' <${p%comm}cmdline"
    script = f"{SCREEN}; {clean} {by(user=True)} open {image}; {look}"
    alone = ["unshare", "-m", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    done = does([*alone, "sh", "-ec", script])
    place = home / "Discs/SMALL"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{image} is mounted on {place}\n")
    assert done.stdout.endswith(f"pcmanfm {place} ")


# ---------------------------------------------------------------- images that go away


def test_an_image_deleted_under_its_mount(image: Path, home: Path) -> None:
    folder, log = home / "m", home / "log"
    link = home / "link.iso"
    link.symlink_to(image)
    env = {"XDG_RUNTIME_DIR": str(home)}
    assert run(link, folder, "-o", f"log={log}", user=True, env=env).returncode == 0
    try:
        image.write_bytes(image.read_bytes())
        moved = image.rename(home / "moved.iso")
        assert not listed(folder, env)["deleted"]  # as list --help says
        moved.rename(image)
        assert not listed(folder, env)["deleted"]
        image.unlink()
        mount = listed(folder, env)
        assert (mount["deleted"], mount["dead"]) == (True, False)
        (line,) = [
            x for x in run("list", user=True, env=env).stdout.splitlines() if str(folder) in x
        ]
        assert line.startswith(f"{link} (deleted)  ")
        assert user_reads(folder / "readme.txt") == "hello\n"
        assert_failed(run("info", image, user=True), 11, f"{image}: there is no such file")
        assert run("umount", link, user=True, env=env).returncode == 0
    finally:
        take_down(folder)
    wait_for_end(daemon_pid(log))
    assert not folder.exists()


def test_an_image_replaced_under_its_mount(image: Path, home: Path) -> None:
    """What is shown is the old one, which is said; to show the new one, it is unmounted first."""
    folder, log = home / "m", home / "log"
    env = {"XDG_RUNTIME_DIR": str(home)}
    words = (image, folder, "-o", f"log={log}")
    assert run(*words, user=True, env=env).returncode == 0
    try:
        shutil.copy(image, home / "new.iso")
        os.replace(home / "new.iso", image)
        assert listed(folder, env)["deleted"]
        done = run(image, folder, user=True, env=env)
        assert_failed(
            done,
            10,
            f"{folder}: an older file of that name is mounted there; to mount the new one, "
            f"unmount it first with: isomount umount {folder}",
        )
        assert run("umount", image, user=True, env=env).returncode == 0
    finally:
        take_down(folder)
    wait_for_end(daemon_pid(log))


def listed(folder: Path, env: dict[str, str]) -> dict[str, object]:
    found = json.loads(run("list", "--json", user=True, env=env).stdout)
    (mount,) = [each for each in found if each["mountpoint"] == str(folder)]
    assert isinstance(mount, dict)
    return mount


def user_reads(path: Path) -> str:
    return subprocess.check_output(
        [*as_ordinary_user(), "cat", str(path)], text=True, timeout=PATIENCE
    )
