"""Images that change or stall under a mount: what is gone is EIO, the rest goes on."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import isomount
from tests import command
from tests.authoring import genisoimage, write_tree
from tests.command import (
    PATIENCE,
    check_log,
    daemon_pid,
    end_mount,
    environment,
    foreground,
    take_down,
    wait_for_end,
    wait_until,
)
from tests.conftest import MakeImage, Mounted
from tests.formats.iso_builder import IsoImage, directory_record, nm, px, record

_LARGE = 300_000

# The command, with an image file that stands still for as long as a gate file exists.
_STALLING = """
import os, sys, time
import isomount.sources.open
from isomount.sources import LocalSource

class StallingSource(LocalSource):
    def read_at(self, offset, length):
        while os.path.exists(os.environ["GATE"]):
            time.sleep(0.01)
        return super().read_at(offset, length)

    def read_resident(self, offset, length):
        if os.path.exists(os.environ["GATE"]):
            return None
        return super().read_resident(offset, length)

    def resident_range(self, offset, length):
        if os.path.exists(os.environ["GATE"]):
            return None
        return super().resident_range(offset, length)

isomount.sources.open.LocalSource = StallingSource
from isomount.cli import main
sys.exit(main())
"""


@pytest.fixture
def stalling(tmp_path: Path, fuse: None) -> "tuple[Path, Path]":
    """A mounted image with 40 files, and its gate."""
    files: dict[str, bytes | str] = {f"f{n:02d}": bytes([n]) * _LARGE for n in range(40)}
    image = genisoimage(tmp_path / "i.iso", write_tree(tmp_path / "tree", files), "-R")
    return image, tmp_path / "gate"


def _mount(code: str, image: Path, folder: Path, options: str, gate: Path | None = None) -> None:
    """Mount by the command as ``code`` changes it."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(image), str(folder), *command.way, "-o", options],
        env=environment({"GATE": str(gate)}),
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0


def _mount_stalling(image: Path, folder: Path, log: Path, gate: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _STALLING,
            str(image),
            str(folder),
            *command.way,
            "-o",
            f"log={log}",
        ],
        env=environment({"GATE": str(gate)}),
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0


def test_a_stalled_disk_stops_only_who_reads_it(
    stalling: tuple[Path, Path], tmp_path: Path
) -> None:
    """With more readers waiting than there are workers, what is in memory is still answered."""
    image, gate = stalling
    folder, log = tmp_path / "mount", tmp_path / "log"
    _mount_stalling(image, folder, log, gate)
    try:
        names = sorted(os.listdir(folder))
        with ThreadPoolExecutor(len(names) + 1) as pool:
            gate.touch()
            reads = [pool.submit((folder / name).read_bytes) for name in names]
            try:
                # Both ask the daemon each time: neither can come from the kernel's caches.
                for number in range(10):
                    missing = folder / f"missing{number}"
                    assert not pool.submit(missing.exists).result(PATIENCE)
                    assert pool.submit(os.statvfs, folder).result(PATIENCE).f_blocks > 0
                assert not any(read.done() for read in reads)
            finally:
                gate.unlink()
            assert [read.result(PATIENCE) for read in reads] == [
                bytes([n]) * _LARGE for n in range(40)
            ]
    finally:
        gate.unlink(missing_ok=True)
        take_down(folder)
    wait_for_end(daemon_pid(log))
    check_log(log)


@pytest.mark.parametrize("program", [["ls", "-l"], ["head", "-c1"]], ids=["lists", "reads"])
def test_a_program_that_is_killed_while_the_disk_stalls_ends(
    program: list[str], stalling: tuple[Path, Path], tmp_path: Path
) -> None:
    """It waits in the kernel for an answer, and gets one although the disk still stalls."""
    image, gate = stalling
    folder, log = tmp_path / "mount", tmp_path / "log"
    _mount_stalling(image, folder, log, gate)
    gate.touch()
    try:
        place = folder if program[0] == "ls" else folder / "f07"
        with subprocess.Popen([*program, str(place)], stdout=subprocess.PIPE) as waiting:
            wait_until("it waits for the mount", lambda: _sleeps_in_fuse(waiting.pid))
            waiting.send_signal(signal.SIGINT)
            assert waiting.wait(PATIENCE) == -signal.SIGINT
        assert os.statvfs(folder).f_blocks > 0  # and the mount still answers others
    finally:
        gate.unlink(missing_ok=True)
        take_down(folder)
    wait_for_end(daemon_pid(log))
    check_log(log)


def _sleeps_in_fuse(pid: int) -> bool:
    """Whether the process waits in the kernel: in FUSE, where that can be seen."""
    try:
        return b"fuse" in Path(f"/proc/{pid}/stack").read_bytes()
    except OSError:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1]
        return state in b"DS"


# The command, with files that all have an attribute of the longest kind, on a slow disk.
_ATTRIBUTES = """
import sys, time
from isomount.blocks import NotResidentError
from isomount.tree import Volume

def xattrs(self, ino, reader):
    if reader is self.blocks.resident:
        raise NotResidentError
    time.sleep(0.02)
    return {b"user.long": bytes(65_000)}

Volume.xattrs = xattrs
from isomount.cli import main
sys.exit(main())
"""


def test_many_long_answers_at_once(make_image: MakeImage, tmp_path: Path, fuse: None) -> None:
    image = make_image({f"f{n:02d}": b"x" for n in range(40)}, "-R")
    folder, log = tmp_path / "mount", tmp_path / "log"
    _mount(_ATTRIBUTES, image, folder, f"xattr,log={log}")
    try:
        with ThreadPoolExecutor(16) as pool:
            asked = [
                pool.submit(os.getxattr, folder / f"f{n % 40:02d}", "user.long") for n in range(160)
            ]
            assert all(len(value.result(PATIENCE)) == 65_000 for value in asked)
    finally:
        take_down(folder)
    wait_for_end(daemon_pid(log))
    check_log(log)


def test_a_truncated_image_loses_what_is_gone(make_image: MakeImage, mounted: Mounted) -> None:
    image = make_image({"a/one": b"1" * 500_000, "z/two": b"2" * 500_000}, "-no-pad")
    kept, lost = _by_place(image, "a/one", "z/two")
    with mounted(image, allow=("damaged image",)) as folder:
        assert sorted(os.listdir(folder)) == ["a", "z"]
        assert (folder / lost).parent.stat().st_size == 2048
        os.truncate(image, image.stat().st_size - 400_000)
        with pytest.raises(OSError, match="Input/output") as failure:
            (folder / lost).read_bytes()
        assert failure.value.errno == errno.EIO
        whole = (folder / kept).read_bytes()
        assert len(whole) == 500_000
        assert len(set(whole)) == 1
        os.truncate(image, 0)
        for attempt in ((folder / kept).read_bytes, lambda: os.listdir(folder)):
            # The kernel may have it cached still; if not, it is gone.
            with contextlib.suppress(OSError):
                attempt()
        assert os.statvfs(folder).f_blocks > 0


def test_a_range_that_cannot_be_read_is_logged_once(
    make_image: MakeImage, tmp_path: Path, fuse: None
) -> None:
    image = make_image({"file": b"1" * 500_000}, "-no-pad")
    folder = tmp_path / "mount"
    with foreground(image, folder) as process:
        try:
            os.truncate(image, 100_000)
            with (folder / "file").open("rb") as file:
                for place in (400_000, 400_000, 300_000):
                    with pytest.raises(OSError, match="Input/output"):
                        os.pread(file.fileno(), 4096, place)
        finally:
            end_mount(folder)
        _, log = process.communicate(timeout=PATIENCE)
    assert log.count("cannot be read at its byte ") == 1
    assert f"{image}: has become shorter since it was opened (no data at byte " in log


@pytest.mark.parametrize("options", [(), ("nolane",)])
def test_a_growing_download(
    make_image: MakeImage, mounted: Mounted, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """What was beyond the end is looked for again by who asks, in files open meanwhile too."""
    files: dict[str, bytes | str] = {f"f{n}": os.urandom(300_000) for n in range(4)}
    files["small"] = os.urandom(5_000)
    whole = make_image(files, "-R", "-no-pad")
    data, image = whole.read_bytes(), tmp_path / "download.iso"
    with isomount.open(whole) as disc:
        ends = {name: disc.volume.lookup(name).content for name in files}
    reaches = {name: content.end for name, content in ends.items() if content}
    last = max(reaches, key=lambda name: reaches[name])
    image.write_bytes(data[:400_000])
    with mounted(image, *options, allow=("damaged image",)) as folder:
        with (folder / last).open("rb") as early, image.open("ab") as download:
            for size in (400_000, 700_000, len(data)):
                download.write(data[download.tell() : size])
                download.flush()
                for name, end in reaches.items():
                    if end <= size:
                        assert (folder / name).read_bytes() == files[name]
                    else:
                        with pytest.raises(OSError, match="Input/output"):
                            (folder / name).read_bytes()
            assert early.read() == files[last]
        # Read past the page cache while it was cut off; from now on it may stay there.
        assert (folder / last).read_bytes() == files[last]


@pytest.mark.parametrize("options", [(), ("nolane",)])
def test_folders_of_a_growing_download(
    mounted: Mounted, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """A folder that lies beyond the end is listed, lost, and there when the file has grown."""
    made = IsoImage()
    made.rock_ridge(
        record(b"A.TXT;1", 30, 5, use=nm(b"a.txt") + px(0o100444)),
        directory_record(b"D", 600, use=nm(b"d") + px(0o40555)),
    )
    made.put(30, b"hello")
    made.directory(600, record(b"B.TXT;1", 700, 5, use=nm(b"b.txt") + px(0o100444)))
    made.put(700, b"later")
    data, image = made.data(), tmp_path / "download.iso"
    image.write_bytes(data[: 100 * 2048])
    with mounted(image, *options, allow=("damaged image",)) as folder:
        assert sorted(os.listdir(folder)) == ["a.txt", "d"]
        for _ in range(2):
            with pytest.raises(OSError, match="Input/output"):
                os.listdir(folder / "d")
        with image.open("ab") as download:
            download.write(data[100 * 2048 : 650 * 2048])
            download.flush()
            assert os.listdir(folder / "d") == ["b.txt"]
            with pytest.raises(OSError, match="Input/output"):
                (folder / "d/b.txt").read_bytes()
            download.write(data[650 * 2048 :])
            download.flush()
            assert (folder / "d/b.txt").read_bytes() == b"later"


def test_a_replaced_image_stays_what_was_mounted(make_image: MakeImage, mounted: Mounted) -> None:
    image = make_image({"old": b"old" * 50_000})
    other = make_image({"new": b"new"}, name="other.iso")
    with mounted(image) as folder:
        os.replace(other, image)
        assert os.listdir(folder) == ["old"]
        assert (folder / "old").read_bytes() == b"old" * 50_000


def test_an_unlinked_image_can_be_read_to_the_end(make_image: MakeImage, mounted: Mounted) -> None:
    image = make_image({"file": b"data" * 50_000})
    with mounted(image) as folder:
        image.unlink()
        assert (folder / "file").read_bytes() == b"data" * 50_000


def test_an_unmounted_daemon_lets_go_of_the_image(make_image: MakeImage, mounted: Mounted) -> None:
    image = make_image({"file": b"data"})
    with mounted(image) as folder:
        (folder / "file").read_bytes()
    wait_until("nobody has the image open", lambda: not _has_open(image))


def _by_place(image: Path, *names: str) -> list[str]:
    """The files in the order of their data, which is genisoimage's choice."""
    with isomount.open(image) as disc:
        contents = {name: disc.volume.lookup(name).content for name in names}
    return sorted(names, key=lambda name: content.end if (content := contents[name]) else 0)


def _has_open(path: Path) -> bool:
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) == str(path):
                return True
        except OSError:
            continue
    return False
