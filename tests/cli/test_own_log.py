"""The own log of a mount, where the system has none: it never keeps the mount waiting."""

import logging
import subprocess
import threading
from pathlib import Path

import isomount
from isomount.daemon import logs
from tests.command import COMMAND, PATIENCE, environment
from tests.conftest import MakeImage

NO_LOG = (
    "mkdir -p /mnt; mount -t tmpfs none /mnt; mknod -m 666 /mnt/null c 1 3; "
    "mknod -m 666 /mnt/fuse c 10 229; mount --move /mnt /dev"
)
# Processes of its own, which end with it: also a daemon that hangs.
ALONE = ("unshare", "-m", "--propagation=private", "--pid", "--fork", "--kill-child")


def warning() -> logging.LogRecord:
    return logging.LogRecord("isomount", logging.WARNING, "", 0, "%s: damaged", ("a.iso",), None)


class Waiting(logging.Handler):
    """Takes nothing until it is let go, as a file on a server that is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.go.wait(PATIENCE)
        self.said.append(self.format(record))


def test_what_is_queued_is_written_at_the_end() -> None:
    target = Waiting()
    aside = logs.Aside(target)
    aside.maker = 0
    aside.handle(warning())
    aside.handle(warning())
    assert target.said == []  # and yet it went on
    target.go.set()
    aside.close()
    assert target.said == ["a.iso: damaged"] * 2


def test_the_end_does_not_wait_for_ever() -> None:
    target = Waiting()
    aside = logs.Aside(target)
    aside.maker = 0
    aside.handle(warning())
    try:
        aside.close()
        assert target.said == []
    finally:
        target.go.set()


def test_before_the_fork_there_is_no_thread() -> None:
    target = Waiting()
    target.go.set()
    before = threading.active_count()
    aside = logs.Aside(target)
    aside.handle(warning())
    assert (target.said, threading.active_count()) == (["a.iso: damaged"], before)
    aside.close()


def test_a_home_within_the_mount(fuse: None, make_image: MakeImage, tmp_path: Path) -> None:
    """Its own log lies in what it serves: the warning is lost, and who looks gets an answer."""
    image = make_image({"a/b/d/file": b"x", "e/file": b"y"})
    with isomount.open(image) as disc:
        damaged = disc.volume.lookup("a/b/d").ino // 2048 * 2048
    with open(image, "r+b") as file:
        file.seek(damaged)
        file.write(b"\xff" * 2048)
    home = tmp_path / "home"
    home.mkdir()
    script = (
        f"{NO_LOG}; mount -t proc proc /proc; "
        f'"$@" {image} {home} -o nonempty; '
        f"timeout -s KILL 10 ls {home}/a/b/d >/dev/null 2>&1 || true; "
        f'timeout -s KILL 10 cat {home}/e/file; "$@" umount {home}; '
        # The daemon ends as well: then this shell, the first process, is alone.
        "while set -- /proc/[0-9]*; [ $# != 1 ]; do sleep 0.1; done"
    )
    env = {**environment({"HOME": str(home)}), "XDG_STATE_HOME": ""}
    done = subprocess.run(
        [*ALONE, "sh", "-ec", script, "sh", *COMMAND],
        cwd="/",
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("y", "")
