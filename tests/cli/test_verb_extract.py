"""isomount extract: what comes out, going on after an interruption, and staying in its folder."""

import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from isomount.extract.place import ObstacleError, Place, require_name
from tests.authoring import genisoimage, write_tree, xorriso
from tests.cli.words import assert_failed
from tests.command import COMMAND, PATIENCE, as_ordinary_user, environment, run, wait_until
from tests.conftest import MakeImage

MTIME = 1_000_000_000


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_tree(
        tmp_path_factory.mktemp("extract") / "tree",
        {
            "readme.txt": b"hello\n",
            "a/deep/data.bin": os.urandom(3_000_000),
            "a/link": "../readme.txt",
            "dangling": "/nowhere/at/all",
            "a/program": b"#!/bin/sh\n",
            "ünï": b"",
        },
    )
    (root / "a/other-name").hardlink_to(root / "readme.txt")
    (root / "a/program").chmod(0o751)
    (root / "a/deep").chmod(0o555)
    with (root / "sparse").open("wb") as file:
        file.truncate(20_000_000)
        os.pwrite(file.fileno(), b"end", 19_999_000)
    for path in [root, *root.rglob("*")]:
        os.utime(path, (MTIME, MTIME), follow_symlinks=False)
    return root


@pytest.fixture(scope="module")
def image(tree: Path) -> Path:
    return xorriso(tree.parent / "x.iso", tree, "-V", "EXTRACT", "--hardlinks", "-R")


def facts(root: Path) -> dict[str, tuple[object, ...]]:
    """What is to be kept of everything below ``root``."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [root, *sorted(root.rglob("*"))]:
        status = path.lstat()
        what: object = None
        if path.is_symlink():
            what = path.readlink()
        elif path.is_file():
            what = path.read_bytes()
        mode = 0 if path.is_symlink() else stat.S_IMODE(status.st_mode)
        found[str(path.relative_to(root))] = (
            stat.S_IFMT(status.st_mode),
            mode,
            status.st_mtime,
            what,
        )
    return found


def snapshot(root: Path) -> list[tuple[str, int, int]]:
    return [(str(path), path.lstat().st_ino, path.lstat().st_ctime_ns) for path in root.rglob("*")]


def test_everything_is_kept(image: Path, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("extract", image, "-C", out, "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert facts(out) == facts(tree)
    assert (out / "readme.txt").stat().st_ino == (out / "a/other-name").stat().st_ino
    assert (out / "sparse").stat().st_blocks * 512 < 1_000_000
    *lines, summary = done.stdout.splitlines()
    assert "a/deep/data.bin" in lines
    assert summary.endswith(f"extracted into {out}; compared with the image: no differences")


def test_some_paths_into_the_default_folder(image: Path, tmp_path: Path) -> None:
    done = run("extract", image, "a/link", "/a/deep/", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    root = tmp_path / "x"
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*")) == [
        "a",
        "a/deep",
        "a/deep/data.bin",
        "a/link",
    ]
    assert (root / "a/deep").stat().st_mtime == MTIME


def test_a_second_run_writes_nothing(image: Path, tmp_path: Path) -> None:
    assert run("extract", "-q", image, "-C", tmp_path / "out").returncode == 0
    before = {(path, number) for path, number, _ in snapshot(tmp_path / "out")}
    done = run("extract", image, "-C", tmp_path / "out")
    assert {(path, number) for path, number, _ in snapshot(tmp_path / "out")} == before
    assert done.stdout.splitlines()[-1].startswith("0 files (0 bytes), 2 folders")


def test_it_goes_on_where_it_stopped(image: Path, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("extract", "-q", image, "-C", out).returncode == 0
    kept = (out / "sparse").stat().st_ino
    (out / "readme.txt").unlink()
    (out / "a/deep").chmod(0o755)
    data = out / "a/deep/data.bin"
    data.write_bytes(data.read_bytes()[:1000])
    (out / "a/program").write_bytes(b"#!/bin/SH\n")  # the right size, another time
    (out / "a/.isomount-partial-4194305").write_bytes(b"half")  # no process has such a number
    assert run("extract", "-q", image, "-C", out).returncode == 0
    # Of a folder that was there before only the content is ours.
    assert {**facts(out), ".": None} == {**facts(tree), ".": None}
    assert (out / "sparse").stat().st_ino == kept


def test_an_interrupted_run_leaves_no_half_file(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", {"one": b"1", "two": b"2"})
    with (folder / "big").open("wb") as file:
        file.truncate(1 << 30)
    image = genisoimage(tmp_path / "x.iso", folder, "-R")
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*COMMAND, "extract", str(image), "-C", str(out), "--verify"],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    wait_until("it writes", lambda: (out / f".isomount-partial-{process.pid}").exists())
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert said == b"isomount: interrupted; the same command goes on where it stopped\n"
    assert {path.name for path in out.iterdir()} <= {"one", "two"}
    image.unlink()
    shutil.rmtree(folder)


def test_verify_finds_a_difference(image: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("extract", "-q", image, "-C", out).returncode == 0
    data = out / "a/deep/data.bin"
    with data.open("r+b") as file:
        file.seek(2_000_000)
        file.write(b"difference")
    os.utime(data, (MTIME, MTIME))
    done = run("extract", "-q", image, "-C", out, "--verify")
    assert done.returncode == 40
    assert "a/deep/data.bin: differs from the image; remove it" in done.stderr


def test_without_recorded_modes_files_are_as_new_ones(
    make_image: MakeImage, tmp_path: Path
) -> None:
    image = make_image({"a/b.txt": b"x"}, "-J")
    out = tmp_path / "out"
    assert (
        run(
            "extract", "-q", image, "-C", out, prefix=("sh", "-c", 'umask 027; exec "$@"', "sh")
        ).returncode
        == 0
    )
    assert stat.S_IMODE((out / "a").stat().st_mode) == 0o750
    assert stat.S_IMODE((out / "a/b.txt").stat().st_mode) == 0o640
    assert (
        run("extract", "-q", image, "-C", tmp_path / "2", "-o", "mode=600,dmode=700").returncode
        == 0
    )
    assert stat.S_IMODE((tmp_path / "2/a/b.txt").stat().st_mode) == 0o600


def test_an_ordinary_user_can_remove_it(as_root: None, user_folder: Path) -> None:
    """Folders that are read-only on the disc, the top one too."""
    tree = write_tree(user_folder / "tree", {"a/b/file": b"x"})
    for folder, mode in ((tree, 0o555), (tree / "a", 0o455), (tree / "a/b", 0o500)):
        folder.chmod(mode)
    image = genisoimage(user_folder / "x.iso", tree, "-R")
    image.chmod(0o644)
    out, exact = user_folder / "out", user_folder / "exact"
    assert run("extract", "-q", image, "-C", out, user=True).returncode == 0
    places = (".", "a", "a/b")
    assert [stat.S_IMODE((out / each).stat().st_mode) for each in places] == [0o755, 0o755, 0o700]
    remove = [*as_ordinary_user(), "rm", "-rf", str(out)]
    done = subprocess.run(remove, capture_output=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")
    words = ("extract", "-q", "--exact-modes", image, "-C", exact)
    for _ in range(2):
        assert run(*words, user=True).returncode == 0
        modes = [stat.S_IMODE((exact / each).stat().st_mode) for each in places]
        assert modes == [0o555, 0o455, 0o500]
    assert run("extract", "-q", image, "-C", user_folder / "root").returncode == 0
    assert stat.S_IMODE((user_folder / "root/a/b").stat().st_mode) == 0o500


def test_patterns(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = dict.fromkeys(
        ("a.txt", "b.md", "[1].txt", "1.txt", "d/c.txt", "d/e/f.txt", "d/g"), b"x"
    )
    image = genisoimage(
        tmp_path / "x.iso", write_tree(tmp_path / "tree", {**files, "link": "d"}), "-R"
    )

    def extracted(*patterns: str) -> set[str]:
        out = tmp_path / "out"
        done = run("extract", "-q", image, *patterns, "-C", out)
        assert (done.returncode, done.stderr) == (0, "")
        found = {str(path.relative_to(out)) for path in out.rglob("*") if not path.is_dir()}
        shutil.rmtree(out)
        return found

    assert extracted("*.txt") == {"a.txt", "[1].txt", "1.txt"}
    assert extracted("/?.md") == {"b.md"}
    assert extracted("*/*.txt") == {"d/c.txt"}  # through no link
    assert extracted("**/*.txt") == {name for name in files if name.endswith("txt")}
    assert extracted("d/*", "b.md") == {"d/c.txt", "d/e/f.txt", "d/g", "b.md"}
    assert extracted("[1].txt") == {"[1].txt"}
    assert extracted("[12].txt") == {"1.txt"}
    done = run("extract", image, "*.none", "-C", tmp_path / "none")
    assert_failed(
        done, 1, "*.none: nothing in the image matches; list what is there with: isomount"
    )
    assert not (tmp_path / "none").exists()


def test_owners_only_as_root(as_root: None, user_folder: Path) -> None:
    tree = write_tree(user_folder / "tree", {"tool": b"x"})
    os.mkfifo(tree / "pipe")
    os.mknod(tree / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.chown(tree / "tool", 1234, 4321)
    (tree / "tool").chmod(0o4755)
    image = genisoimage(user_folder / "x.iso", tree, "-R")
    image.chmod(0o644)
    assert run("extract", "-q", image, "-C", user_folder / "root").returncode == 0
    status = (user_folder / "root/tool").stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 4321, 0o4755)
    assert (user_folder / "root/null").stat().st_rdev == os.makedev(1, 3)
    done = run("extract", image, "-C", user_folder / "user", user=True)
    assert (done.returncode, done.stderr) == (0, "")
    status = (user_folder / "user/tool").stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (65534, 0o755)
    assert stat.S_ISFIFO((user_folder / "user/pipe").lstat().st_mode)
    assert not (user_folder / "user/null").exists()
    assert "1 device or socket left out" in done.stdout
    again = run("extract", "-q", image, "-C", user_folder / "user", user=True)
    assert (again.returncode, again.stderr) == (0, "")


# ---------------------------------------------------------------------- it stays in its folder


def test_links_of_the_image_are_not_followed(tmp_path: Path) -> None:
    """First a link that leads out, then, from another image, files below its name."""
    outside = tmp_path / "outside"
    outside.mkdir()
    first = write_tree(tmp_path / "1", {"way": str(outside), "file": str(outside / "victim")})
    second = write_tree(tmp_path / "2", {"way/evil.txt": b"evil", "file": b"evil"})
    out = tmp_path / "out"
    for number, tree in ((1, first), (2, second)):
        image = genisoimage(tmp_path / f"{number}.iso", tree, "-R")
        done = run("extract", image, "-C", out)
        if number == 1:
            assert done.returncode == 0
    assert done.returncode == 1
    assert "way is there already and is no folder; remove it" in done.stderr
    assert list(outside.iterdir()) == []
    assert (out / "way").is_symlink()
    assert not (out / "file").is_symlink()
    assert (out / "file").read_bytes() == b"evil"


def test_a_link_in_the_way_of_a_file_is_replaced_not_followed(image: Path, tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim"
    victim.write_bytes(b"mine")
    out.mkdir()
    (out / "readme.txt").symlink_to(victim)
    (out / "a").mkdir()
    (out / "a/program").hardlink_to(victim)
    assert run("extract", "-q", image, "-C", out).returncode == 0
    assert victim.read_bytes() == b"mine"
    assert (out / "readme.txt").read_bytes() == b"hello\n"


def test_names_that_lead_out_are_made_safe(tmp_path: Path) -> None:
    """Rock Ridge names with slashes and dots, patched into an image."""
    tree = write_tree(
        tmp_path / "tree", {"XXevil1": b"1", "YY": b"2", "ZZ/in": b"3", "QQevil2": b"4"}
    )
    image = genisoimage(tmp_path / "x.iso", tree, "-R")
    data = image.read_bytes()
    for old, new in (
        (b"XXevil1", b"../evil"),
        (b"YY", b".."),
        (b"ZZ", b".."),
        (b"QQevil2", b"/tmp/ev"),
    ):
        name = b"\1\0" + old  # after NM's length: version and flags
        assert name in data
        data = data.replace(name, b"\1\0" + new)
    image.write_bytes(data)
    above = tmp_path / "above"
    above.mkdir()
    assert run("extract", "-q", image, "-C", above / "out").returncode == 0
    assert [path.name for path in above.iterdir()] == ["out"]
    assert not Path("/tmp/ev").exists()
    assert sum(path.is_file() for path in (above / "out").rglob("*")) == 4


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/etc", b"a\0b"])
def test_even_if_the_tree_gave_unsafe_names(name: bytes, tmp_path: Path) -> None:
    with pytest.raises(ObstacleError):
        require_name(name)
    with Place(str(tmp_path / "out")) as place:
        with pytest.raises(ObstacleError):
            place.enter((name,))
        with pytest.raises(ObstacleError), place.directory((name, b"x")):
            pass
        with place.directory(()) as fd, pytest.raises(ObstacleError), place.partial(fd, name):
            pass


def test_paths_with_dots_are_refused(image: Path, tmp_path: Path) -> None:
    done = run("extract", image, "a/../readme.txt", "-C", tmp_path / "out")
    assert done.returncode == 1
    assert "a/../readme.txt: no such file in the image" in done.stderr


def test_a_folder_that_becomes_a_link_meanwhile(tmp_path: Path) -> None:
    with Place(str(tmp_path / "out")) as place:
        place.enter((b"a",))
        (tmp_path / "out/a").rmdir()
        (tmp_path / "out/a").symlink_to(tmp_path)
        with pytest.raises(ObstacleError, match="is no folder"), place.directory((b"a",)):
            pass


# ---------------------------------------------------------------------- bad input


def test_the_image_itself_is_never_overwritten(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"x.iso": b"not an image"})
    image = genisoimage(tmp_path / "x.iso", tree, "-R")
    done = run("extract", image, "-C", tmp_path)
    assert done.returncode == 1
    assert "x.iso: the image itself is there; name another folder with -C" in done.stderr
    assert image.stat().st_size > 12


def test_damage_costs_only_its_file(tmp_path: Path, make_image: MakeImage) -> None:
    image = make_image({"a": b"whole", "z": os.urandom(1 << 20)}, "-R")
    with image.open("r+b") as file:
        file.truncate(image.stat().st_size - (1 << 19))
    done = run("extract", "-q", image, "-C", tmp_path / "out")
    assert done.returncode == 1
    assert "z: byte " in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_words(image: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "out"
    assert_failed(run("extract"), 2, "name the image")
    assert_failed(run("extract", image, "none", "-C", out), 1, "none: no such file in the image")
    assert_failed(run("extract", image, "a/link/x", "-C", out), 1, "leads through a file or a")
    assert not out.exists()
    assert_failed(run("extract", image, "-C", tmp_path / "file"), 1, "is a file; name a folder")
    assert_failed(run("extract", image, "-C", tmp_path / "no/where"), 1, "make that first")


def test_a_full_disk_ends_it(as_root: None, tmp_path: Path, make_image: MakeImage) -> None:
    image = make_image({"a": b"a", "b": os.urandom(3 << 20), "c": b"c"}, "-R")
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
    try:
        done = run("extract", "-q", image, "-C", small)
        assert_failed(done, 1, "there is no room left; make some and run the same command again")
        assert [path.name for path in small.iterdir()] == ["a"]
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_bar_on_a_terminal(image: Path, tmp_path: Path) -> None:
    words = " ".join([*COMMAND, "extract", str(image), "-C", str(tmp_path / "out")])
    for more, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        done = subprocess.run(
            ["script", "-qec", words, "/dev/null"],
            env=environment({"TERM": "xterm-256color", "NO_COLOR": "", **more}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0
        assert b"\x1b[?25l" in done.stdout  # the cursor is hidden while the bar moves
        assert (b"\x1b[3" in done.stdout) is coloured
        assert b"extracted into" in done.stdout
        assert b"a/deep/data.bin\r\n" not in done.stdout


def test_rich_is_not_imported_in_a_pipe(image: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from isomount.cli import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "assert not {'rich', 'pyfuse3', 'trio', 'pycdlib'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [*COMMAND[:-2], "-c", code, "extract", str(image), "-C", str(tmp_path / "out")],
        env=environment(),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
