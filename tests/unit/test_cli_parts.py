"""Parts of the command that need no mount."""

import logging
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.cli import main
from isomount.daemon.logs import syslog_handler
from isomount.daemon.prepare import prepare
from isomount.errors import MountPointError
from isomount.mounting.mountpoint import await_farewell, default_for
from isomount.mounting.mounts import all_mounts, parse_line
from isomount.mounting.probe import stat_errno
from isomount.text import one_line


def test_mountinfo_line() -> None:
    mount = parse_line(
        rb"42 27 0:39 / /tmp/a\040b\134\012c ro,nosuid shared:1 master:2 - "
        rb"fuse.isomount /x\0111\043.iso ro,user_id=0"
    )
    assert mount.path == "/tmp/a b\\\nc"
    assert mount.source == "/x\t1#.iso"
    assert mount.device == "0:39"
    assert mount.is_isomount


def test_mountinfo_without_optional_fields_and_with_a_dash_as_source() -> None:
    mount = parse_line(rb"1 2 0:3 / /- rw - tmpfs - rw")
    assert (mount.path, mount.kind, mount.source) == ("/-", "tmpfs", "-")
    assert not mount.is_isomount


def test_mountinfo_of_this_machine_has_a_root() -> None:
    assert "/" in {mount.path for mount in all_mounts()}


@given(st.binary())
def test_a_message_is_one_printable_line(name: bytes) -> None:
    line = one_line(f"{os.fsdecode(name)}: not mounted")
    assert line.isprintable()


def test_a_message_keeps_what_is_readable() -> None:
    assert one_line("Ünï €\n\x1b[31m\udcff") == "Ünï €\\n\\x1b[31m\\xff"


@pytest.mark.parametrize(
    ("image", "folder"),
    [
        ("/a/disc.iso", "/a/disc"),
        ("/a/disc", "/a/disc.mnt"),
        ("/a.b/disc", "/a.b/disc.mnt"),
        ("/a/x.tar.iso", "/a/x.tar"),
        ("/a/.iso", "/a/.iso.mnt"),
        ("/a/disc.iso.gz", "/a/disc"),
        ("/a/disc.iso.002", "/a/disc"),
        ("/a/games.tar.xz", "/a/games"),
    ],
)
def test_default_mount_point(image: str, folder: str) -> None:
    assert default_for(image) == folder


def test_default_mount_point_of_an_image_in_an_archive(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"")
    assert default_for(f"{tmp_path}/a.zip") == f"{tmp_path}/a"
    assert default_for(f"{tmp_path}/a.zip/sub/disc.iso.xz") == f"{tmp_path}/disc"
    assert default_for(f"{tmp_path}/a.zip/bare") == f"{tmp_path}/bare.mnt"


def test_probe(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert stat_errno(str(tmp_path)) == 0
    assert os.strerror(stat_errno(str(tmp_path / "none")) or 0) == "No such file or directory"
    assert os.strerror(stat_errno(str(tmp_path / "file" / "x")) or 0) == "Not a directory"


def test_a_made_mount_point_is_removed_once_and_only_if_empty(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    point = prepare(str(folder), "/x.iso", nonempty=False)
    assert point.made
    assert folder.is_dir()
    point.remove()
    assert not folder.exists()
    folder.mkdir()
    point.remove()
    assert folder.is_dir(), "another's folder of the same name"


def test_a_made_mount_point_that_was_filled_stays(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    point = prepare(str(folder), "/x.iso", nonempty=False)
    (folder / "precious").write_text("x")
    point.remove()
    assert (folder / "precious").exists()


def test_a_made_mount_point_that_was_replaced_stays(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    point = prepare(str(folder), "/x.iso", nonempty=False)
    folder.rename(tmp_path / "old")
    folder.mkdir()
    point.remove()
    assert folder.is_dir()


def test_an_existing_mount_point_is_not_removed(tmp_path: Path) -> None:
    point = prepare(str(tmp_path), "/x.iso", nonempty=False)
    assert not point.made
    point.remove()
    assert tmp_path.is_dir()


def test_waiting_for_a_folder_to_go_ends_when_it_has_gone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    point = prepare(str(folder), "/x.iso", nonempty=False)
    child = os.fork()
    if child == 0:
        point.remove()
        os._exit(0)
    os.waitpid(child, 0)
    point.remove()
    await_farewell(str(folder))
    assert not folder.exists()


def test_mount_point_is_where_its_links_lead(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    point = prepare(str(tmp_path / "link"), "/x.iso", nonempty=False)
    assert point.path == str(tmp_path / "real")


def test_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(MountPointError, match="link that leads nowhere"):
        prepare(str(tmp_path / "link"), "/x.iso", nonempty=False)


def test_syslog_gets_warnings_only(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "log"))
        handler = syslog_handler(str(tmp_path / "log"), logging.NullHandler())
        logger = logging.Logger("isomount.test")
        logger.addHandler(handler)
        logger.info("not this")
        logger.warning("disc.iso: damaged")
        handler.close()
        listener.settimeout(5)
        # <28>: facility daemon (3) and severity warning (4), RFC 5424 6.2.1.
        assert listener.recv(1000).startswith(f"<28>isomount[{os.getpid()}]: disc.iso".encode())


def test_without_a_syslog_another_log_gets_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logger = logging.Logger("isomount.test")
    otherwise = logging.FileHandler(tmp_path / "otherwise")
    handler = syslog_handler(str(tmp_path / "there is none"), otherwise)
    logger.addHandler(handler)
    logger.warning("disc.iso: damaged")
    otherwise.close()
    handler.close()
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "otherwise").read_text() == "disc.iso: damaged\n"


def test_a_syslog_that_takes_nothing_is_not_waited_for(tmp_path: Path) -> None:
    logger = logging.Logger("isomount.test")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "log"))
        otherwise = logging.FileHandler(tmp_path / "otherwise", errors="backslashreplace")
        handler = syslog_handler(str(tmp_path / "log"), otherwise)
        logger.addHandler(handler)
        while not (tmp_path / "otherwise").read_text():
            logger.warning("disc.iso: \udcff")
        otherwise.close()
        handler.close()
        assert listener.recv(1000).endswith(b"disc.iso: \\udcff\0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name the image to mount"),
        ([""], "name the image to mount"),
        (["a.iso", ""], "mount point has no name"),
        (["a.iso", "b", "c"], "too many names: c"),
        (["--fore", "a.iso"], "unknown flag --fore"),
        (["a.iso", "-o"], "expected one argument"),
        (["a.iso", "-o", "nope"], 'unknown option "nope"'),
        (["umount"], "name the mount point, the image or the label"),
        (["umount", ""], "name the mount point, the image or the label"),
        (["info", "a", "b"], "too many names: b"),
    ],
)
def test_usage_errors(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("isomount: ")
    assert said in err
    assert err.count("\n") == 1
