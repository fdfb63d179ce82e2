"""isomount umount."""

from pathlib import Path

from tests.cli.words import assert_failed
from tests.command import check_log, daemon_pid, is_mounted, run, wait_for_end


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
