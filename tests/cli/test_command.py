"""The command as a user runs it: words, exit codes, what it says, what it leaves behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import (
    COMMAND,
    ORDINARY_USER,
    PATIENCE,
    check_log,
    daemon_pid,
    end_mount,
    environment,
    is_mounted,
    run,
    wait_for_end,
    wait_until,
)
from tests.conftest import MakeImage, Mounted


def mount_line(path: Path) -> str:
    """The line of mountinfo for ``path``."""
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    return next(line for line in lines if line.split(" ")[4] == str(path))


def assert_failed(done: "subprocess.CompletedProcess[str]", code: int, said: str) -> None:
    """The command failed with ``code`` and one line that has ``said`` in it."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("isomount: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr


# Words


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


# The mount


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


def test_writing_is_declined_in_a_word(fuse: None, small_image: Path, tmp_path: Path) -> None:
    done = run(small_image, tmp_path / "m", "-o", "rw,user,noauto,x-gvfs-show")
    assert run("umount", tmp_path / "m").returncode == 0
    assert done.returncode == 0
    assert "read-only" in done.stderr
    assert done.stderr.count("\n") == 1


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


# In the foreground, and signals


def foreground(image: Path, folder: Path, *words: str) -> "subprocess.Popen[str]":
    """The command with -f, once it is mounted."""
    process = subprocess.Popen(
        [*COMMAND, str(image), str(folder), "-f", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    wait_until("it is mounted", lambda: is_mounted(folder) or process.poll() is not None)
    return process


@pytest.mark.parametrize("number", [15, 2, 1])
def test_signal_in_the_foreground(
    fuse: None, small_image: Path, tmp_path: Path, number: int
) -> None:
    folder = tmp_path / "m"
    with foreground(small_image, folder) as process:
        assert (folder / "readme.txt").exists()
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert out == ""
    assert "showing Rock Ridge" in err
    assert "WARNING" not in err
    assert not folder.exists()


def test_unmounting_from_outside_ends_it(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with foreground(small_image, folder) as process:
        end_mount(folder)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert not folder.exists()


def test_debug_logs_requests(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with foreground(small_image, folder, "-d") as process:
        (folder / "readme.txt").read_bytes()
        end_mount(folder)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "DEBUG: lookup" in err


def test_signal_while_busy_serves_open_files_to_their_end(
    fuse: None, make_image: MakeImage, tmp_path: Path
) -> None:
    content = os.urandom(4 << 20)
    image = make_image({"big.bin": content}, "-R")
    folder = tmp_path / "m"
    with foreground(image, folder) as process:
        with (folder / "big.bin").open("rb", buffering=0) as file:
            assert file.read(1000) == content[:1000]
            process.send_signal(15)
            wait_until("it is detached", lambda: not is_mounted(folder))
            wait_until("its folder is gone", lambda: not folder.exists())
            file.seek(3 << 20)
            assert file.read(1 << 20) == content[3 << 20 :]
            assert process.poll() is None
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err


def test_second_signal_ends_at_once(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with foreground(small_image, folder) as process:
        file = os.open(folder / "readme.txt", os.O_RDONLY)
        process.send_signal(15)
        wait_until("its folder is gone", lambda: not folder.exists())
        wait_until("it ends", lambda: _signalled(process))
        _, err = process.communicate(timeout=PATIENCE)
    with pytest.raises(OSError, match="not connected"):
        os.close(file)
    assert process.returncode == 1
    assert "ending with files open" in err


def _signalled(process: "subprocess.Popen[str]") -> bool:
    process.send_signal(15)
    return process.poll() is not None


def test_starter_gone_means_no_mount(fuse: None, small_image: Path, tmp_path: Path) -> None:
    """Killed while it waits for the daemon: the daemon notices and leaves nothing behind."""
    folder, log = tmp_path / "m", tmp_path / "log"
    process = subprocess.Popen(
        [*COMMAND, str(small_image), str(folder), "-o", f"log={log}"], env=environment()
    )
    wait_until("the daemon is forked", lambda: folder.exists() and _children(process.pid) != [])
    [daemon] = _children(process.pid)
    process.kill()
    process.wait()
    if "showing" in log.read_text():
        time.sleep(0)  # it was mounted just before: then it is an ordinary mount
    wait_for_end_or_unmount(daemon, folder)
    assert not is_mounted(folder)
    assert not folder.exists()


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def wait_for_end_or_unmount(daemon: int, folder: Path) -> None:
    if is_mounted(folder):
        end_mount(folder, lazy=True)
    wait_for_end(daemon)


# Bad input


def test_image_that_cannot_be_read(small_image: Path, tmp_path: Path) -> None:
    assert_failed(run(tmp_path / "none.iso", tmp_path / "m"), 11, "no such file")
    assert_failed(run(tmp_path, tmp_path / "m"), 11, "is a folder")
    (tmp_path / "loop.iso").symlink_to("loop.iso")
    assert_failed(run(tmp_path / "loop.iso", tmp_path / "m"), 11, "loop.iso")
    os.mkfifo(tmp_path / "fifo")
    assert_failed(run(tmp_path / "fifo", tmp_path / "m"), 11, "neither a file nor a disc drive")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 100_000, b"PK\3\4" * 30_000])
def test_not_an_image(tmp_path: Path, content: bytes) -> None:
    image = tmp_path / "x.iso"
    image.write_bytes(content)
    assert_failed(run(image, tmp_path / "m"), 30, f"{image}: ")
    assert_failed(run(image, tmp_path / "m", "-f"), 30, f"{image}: ")
    assert not (tmp_path / "m").exists()


def test_image_without_permission(as_root: None, small_image: Path, tmp_path: Path) -> None:
    """The rights are dropped in the process: elsewhere tests may let the user look up more."""
    code = (
        "import os, sys, isomount.cli.mount\n"
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


def test_dead_mount(fuse: None, small_image: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "m", tmp_path / "log"
    assert run(small_image, folder, "-o", f"log={log}").returncode == 0
    os.kill(daemon_pid(log), 9)
    wait_for_end(daemon_pid(log))
    assert_failed(run(small_image, folder), 10, "is dead, its daemon crashed or was killed; clear")
    done = run(small_image, folder)
    remedy = done.stderr.partition("clear it with: ")[2].split()
    assert remedy == ["fusermount3", "-u", "-z", str(folder)]
    assert_failed(run(small_image, folder / "in"), 10, "is dead")
    assert run("umount", folder).returncode == 0
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


# umount


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
        assert_failed(run("umount", folder), 1, "is in use; close the programs that use it")
        assert is_mounted(folder)
        assert run("umount", folder, "--lazy").returncode == 0
        assert not is_mounted(folder)
        assert file.read() == b"hello\n"
    wait_for_end(daemon_pid(log))
    assert not folder.exists()
    check_log(log)
