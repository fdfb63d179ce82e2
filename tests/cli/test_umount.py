"""isomount umount."""

import mmap
import os
import shlex
import subprocess
from pathlib import Path

from tests.cli.words import assert_failed
from tests.command import (
    COMMAND,
    PATIENCE,
    check_log,
    daemon_pid,
    environment,
    is_mounted,
    run,
    take_down,
    wait_for_end,
    wait_until,
)


def test_umount_by_every_name(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    (tmp_path / "link").symlink_to("m")
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "x.iso").symlink_to(small_image)
    names: list[str | Path] = [
        "m",
        "./m/",
        str(folder),
        f"{folder}/",
        "link",
        "folder/m",
        small_image,
        "x.iso",
    ]
    for name in names:
        assert run(small_image, folder).returncode == 0
        done = run("umount", name, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), name
        assert not folder.exists()


def test_umount_of_what_is_not_mounted(small_image: Path, tmp_path: Path) -> None:
    assert_failed(run("umount", tmp_path), 20, f"{tmp_path}: not mounted")
    assert_failed(run("umount", tmp_path / "none"), 20, "not mounted")
    assert_failed(run("umount", small_image), 20, "not mounted")
    assert_failed(run("umount", "/proc"), 20, "not isomount's (proc, proc)")


def test_umount_of_a_busy_mount(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"log={log}").returncode == 0
    with (folder / "readme.txt").open("rb", buffering=0) as file:
        assert_failed(run("umount", folder), 1, "is in use by ")
        assert is_mounted(folder)
        assert run("umount", folder, "--lazy").returncode == 0
        assert not is_mounted(folder)
        assert file.read() == b"hello\n"
    wait_for_end(daemon_pid(log))
    assert not folder.exists()
    check_log(log)


def test_who_holds_a_mount_is_named(
    fuse: None, as_root: None, small_image: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    assert run(small_image, folder).returncode == 0
    program = ["sleep", "1000"]
    try:
        with subprocess.Popen(program, cwd=folder / "deep") as inside:
            wait_until("it runs", lambda: comm(inside.pid) == "sleep")
            done = run("umount", folder)
            inside.kill()
        assert_failed(done, 1, f"is in use by sleep ({inside.pid}); close that, or detach")
        with (
            (folder / "readme.txt").open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ),
        ):
            file.close()
            assert_failed(run("umount", folder), 1, f" ({os.getpid()}); close that")
        below = folder / "deep"
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", below], check=True)
        try:
            assert_failed(run("umount", folder), 1, f"is in use by the mount on {below};")
        finally:
            subprocess.run(["umount", below], check=True)
        assert run("umount", folder).returncode == 0
    finally:
        take_down(folder)


def test_umount_of_several_and_by_label(fuse: None, small_image: Path, tmp_path: Path) -> None:
    one, two, other = tmp_path / "one", tmp_path / "two", tmp_path / "other.iso"
    label = f"T{os.getpid() % 10000:04d}"  # as long as the image's own
    data = small_image.read_bytes()
    for encoding in ("ascii", "utf-16-be"):  # the primary descriptor's, and Joliet's
        data = data.replace("SMALL ".encode(encoding), f"{label} ".encode(encoding))
    other.write_bytes(data)
    assert run(other, one).returncode == 0
    done = run("umount", label)
    assert (done.returncode, done.stderr) == (0, "")
    assert not one.exists()
    for folder in (one, two):
        assert run(other, folder).returncode == 0
    assert_failed(run("umount", label), 2, f"{label}: is mounted more than once, on {one}, {two}")
    done = run("umount", one, tmp_path / "none", two)
    assert_failed(done, 20, f"{tmp_path}/none: not mounted")
    assert not one.exists()
    assert not two.exists()


def comm(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def test_umount_all(fuse: None, as_root: None, small_image: Path, tmp_path: Path) -> None:
    """In a mount namespace of its own: others' mounts are not to be ended by a test."""
    command = " ".join(map(shlex.quote, COMMAND))
    one, two, busy = (shlex.quote(str(tmp_path / name)) for name in ("one", "two", "busy"))
    image = shlex.quote(str(small_image))
    script = f"""
        for each in {one} {two} {busy}; do {command} {image} $each || exit 99; done
        exec 9< {busy}/readme.txt
        {command} umount --all
        echo "code $?"
        exec 9<&-
        {command} list --json | grep mountpoint
        {command} umount --all && {command} list --json
    """
    done = subprocess.run(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"{tmp_path}/busy: is in use by sh (" in done.stderr
    assert done.stdout.splitlines() == [
        "code 1",
        f'    "mountpoint": "{tmp_path}/busy",',
        "[]",
    ]
    assert_failed(run("umount", "--all", "x"), 2, "--all leaves nothing to name, but x was named")
