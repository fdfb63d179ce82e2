"""Images on a web server, by the command."""

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.command import PATIENCE, is_mounted, mount_points, run, wait_for_end, wait_until
from tests.conftest import MakeImage
from tests.remote.server import Asked, Server, serving

pytest.importorskip("obstore")

CUE = 'FILE "a b.bin" BINARY\n  TRACK 01 MODE1/2048\n    INDEX 01 00:00:00\n'


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def image(make_image: MakeImage) -> bytes:
    return make_image({"a": b"alpha", "big": os.urandom(2_000_000)}, "-R").read_bytes()


@pytest.fixture
def folder(tmp_path: Path, fuse: None) -> Iterator[Path]:
    yield tmp_path / "m"
    for place in mount_points():
        if place.startswith(str(tmp_path)):
            run("umount", "--lazy", place)


def test_mounted_listed_and_unmounted_by_its_address(
    server: Server, image: bytes, folder: Path
) -> None:
    address = server.add("/d/disc%20one.iso", image)
    done = run(f"{address}?key=secret", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    place = folder.parent / "disc one"
    assert done.stdout == f"{address} is mounted on {place}\n"
    assert (place / "a").read_bytes() == b"alpha"
    assert Path("/proc/self/mountinfo").read_text().count(f" {address} ") == 1
    assert "secret" not in Path("/proc/self/mountinfo").read_text()
    (row,) = [
        each
        for each in json.loads(run("list", "--json").stdout)
        if each["mountpoint"] == str(place)
    ]
    assert (row["image"], row["size"], row["deleted"]) == (address, len(image), False)
    again = run(address, place)
    assert again.returncode == 10
    assert "this very image is mounted there already" in again.stderr
    assert run("umount", f"{address}?key=other").returncode == 0
    assert not place.exists()


def test_containers_find_what_is_beside_them(server: Server, image: bytes) -> None:
    server.add("/d/a%20b.bin", image)
    for address in (
        server.add("/d/disc.cue", CUE.encode()),
        server.add("/d/disc.iso.gz", gzip.compress(image, 1)),
    ):
        done = run("cat", address, "a")
        assert (done.stdout, done.stderr) == ("alpha", "")


def test_what_cannot_be_opened_leaves_nothing(server: Server, tmp_path: Path, fuse: None) -> None:
    done = run(f"{server.url}/none.iso?secret", tmp_path / "m")
    assert done.returncode == 11
    assert done.stderr == (
        f"isomount: {server.url}/none.iso: the server has no such file; look at the address\n"
    )
    assert not list(tmp_path.iterdir())


def test_a_stalled_server_holds_up_neither_unmounting_nor_the_end(
    server: Server, image: bytes, folder: Path
) -> None:
    address = server.add("/disc.iso", image)
    for end in ("umount", "signal"):
        server.rule = lambda *_: False
        assert run(address, folder).returncode == 0
        (pid,) = [
            each["pid"]
            for each in json.loads(run("list", "--json").stdout)
            if each["mountpoint"] == str(folder)
        ]

        def stall(handler: BaseHTTPRequestHandler, asked: Asked) -> bool:
            server.stall()
            return True

        server.rule = stall
        with subprocess.Popen(["cat", folder / "big"], stdout=subprocess.DEVNULL) as reader:
            time.sleep(0.3)
            began = time.monotonic()
            if end == "umount":
                assert run("umount", "--lazy", folder).returncode == 0
            else:
                os.kill(pid, signal.SIGTERM)
                wait_until("it is unmounted", lambda: not is_mounted(folder))
            reader.kill()
        wait_for_end(pid)
        assert time.monotonic() - began < 8


def test_what_travelled_once_is_kept_and_can_be_removed(
    server: Server, image: bytes, folder: Path, tmp_path: Path
) -> None:
    address = server.add("/disc.iso", image)
    keeping = ("-o", f"cachedir={tmp_path / 'kept'},cache=1G,log={tmp_path / 'log'}")
    sent = []
    for _ in range(2):
        assert run(address, folder, *keeping).returncode == 0
        assert len((folder / "big").read_bytes()) == 2_000_000
        assert run("umount", folder).returncode == 0
        sent.append(server.sent)
    assert sent[0] <= len(image) + 2 * 131_072
    assert sent[1] - sent[0] <= 131_072  # the first block tells whether it is the same image
    words = ("--dir", tmp_path / "kept")
    (row,) = json.loads(run("cache", "list", "--json", *words).stdout)
    assert row["image"] == address
    assert address in run("cache", "list", *words).stdout
    assert "removed" in run("cache", "clear", *words).stderr
    assert run("cache", "list", *words).stdout == ""
    assert run("cache").returncode == 2


def test_stalled_readers_do_not_stop_who_asks_for_what_is_there(
    server: Server, make_image: MakeImage, folder: Path, tmp_path: Path
) -> None:
    files: dict[str, bytes | str] = {f"far{i:02}": os.urandom(300_000) for i in range(20)}
    address = server.add("/disc.iso", make_image(files, "-R").read_bytes())
    keeping = f"cachedir={tmp_path / 'kept'},log={tmp_path / 'log'}"
    assert run("-o", keeping, address, folder).returncode == 0
    assert (folder / "far00").read_bytes() == files["far00"]
    time.sleep(0.5)  # what is read ahead

    def stall(handler: BaseHTTPRequestHandler, asked: Asked) -> bool:
        server.stall()
        return True

    server.rule = stall
    readers = [
        subprocess.Popen(["cat", folder / f"far{i:02}"], stdout=subprocess.DEVNULL)
        for i in range(3, 20)
    ]
    try:
        time.sleep(0.3)
        began = time.monotonic()
        done = subprocess.run(
            ["dd", f"if={folder / 'far00'}", "iflag=direct", "bs=4k"],
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )
        assert done.stdout == files["far00"]
        assert (folder / "far00").stat().st_size == 300_000
        assert time.monotonic() - began < 3
        assert all(reader.poll() is None for reader in readers)
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
