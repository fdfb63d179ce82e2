"""isomount.open and the image that it returns: keywords, file objects, closing, extracting."""

import errno
import gc
import inspect
import io
import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import isomount
from isomount.cli.options.parse import parse_options
from isomount.cli.options.table import TABLE, Target
from isomount.options import view_options
from tests.authoring import genisoimage, write_tree
from tests.conftest import MakeImage
from tests.formats.iso_builder import IsoImage, record


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_the_keywords_are_the_commands_options() -> None:
    keywords = list(inspect.signature(isomount.open).parameters)[1:]
    assert keywords == [name for name, each in TABLE.items() if each.target is Target.VIEW]


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({}, ""),
        ({"view": "udf", "norock": True, "hide": False}, "view=udf,norock"),
        ({"map": "acorn", "check": "relaxed", "iocharset": "cp437"}, None),
        ({"mode": 0o640, "dmode": "750", "umask": 0o22}, "mode=640,dmode=750,umask=22"),
        ({"uid": 7, "gid": "root"}, "uid=7,gid=root"),
        ({"session": "last", "sbsector": 5}, "session=last,sbsector=5"),
        ({"session": 2, "bs": 2048, "novrs": True}, "session=2,bs=2048,novrs"),
        ({"iocharset": "cp437", "utf8": True}, "iocharset=cp437,utf8"),
    ],
)
def test_keywords_mean_what_the_options_mean(
    keywords: dict[str, object], words: str | None
) -> None:
    if words is None:
        words = ",".join(f"{name}={value}" for name, value in keywords.items())
    assert view_options(keywords) == parse_options([words]).view


def test_the_defaults_are_the_commands() -> None:
    parameters = list(inspect.signature(isomount.open).parameters.values())[1:]
    defaults = {each.name: each.default for each in parameters}
    assert view_options(defaults) == parse_options([]).view


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("view", "hfs", 'option view: "hfs" is not allowed; it takes auto, iso9660 or udf'),
        ("map", True, "option map:"),
        ("mode", 0o10000, 'option mode: "10000" is not allowed; it takes an octal'),
        ("mode", -1, 'option mode: "-1"'),
        ("mode", "9", "option mode:"),
        ("session", 0, "option session:"),
        ("bs", 1000, "option bs:"),
        ("norock", "yes", 'option norock: "yes" is not allowed; it takes True or False'),
        ("iocharset", "utf-16", "option iocharset:"),
        ("uid", 1.5, "option uid:"),
    ],
)
def test_a_bad_value_is_refused_with_its_option(
    small_image: Path, name: str, value: object, words: str
) -> None:
    before = open_files()
    with pytest.raises(isomount.UsageError, match=words) as caught:
        isomount.open(small_image, **{name: value})  # type: ignore[arg-type]
    assert isinstance(caught.value, ValueError)
    assert open_files() == before


def test_keywords_choose_what_is_shown(small_image: Path) -> None:
    with isomount.open(small_image) as image:
        assert (image.view, image.label) == ("Rock Ridge", "SMALL")
        assert image.views == ["Rock Ridge", "Joliet", "ISO 9660"]
        assert (image.root / "link").is_symlink()
    with isomount.open(small_image, norock=True) as image:
        assert image.view == "Joliet"
    with isomount.open(small_image, norock=True, nojoliet=True, map="off") as image:
        assert (image.root / "README.TXT;1").read_bytes() == b"hello\n"
    with isomount.open(small_image, uid=7, mode=0o600, overriderockperm=True) as image:
        status = (image.root / "readme.txt").stat()
        assert (status.st_uid, status.st_mode & 0o777) == (7, 0o600)


@pytest.mark.parametrize("kind", ["text", "path", "file", "memory"])
def test_paths_and_file_objects(small_image: Path, kind: str) -> None:
    with small_image.open("rb") as file:
        what: Any = {
            "text": str(small_image),
            "path": small_image,
            "file": file,
            "memory": io.BytesIO(small_image.read_bytes()),
        }[kind]
        with isomount.open(what) as image:
            assert (image.root / "deep/er/data.bin").read_bytes() == bytes(range(256)) * 4096
            assert image.name == ("<BytesIO>" if kind == "memory" else str(small_image))
        assert kind != "file" or not file.closed


def test_what_is_no_image_leaves_nothing_open(tmp_path: Path) -> None:
    nothing, empty = tmp_path / "nothing", tmp_path / "empty"
    nothing.write_bytes(b"x" * 100_000)
    empty.touch()
    before = open_files()
    kept = []
    for path, kind in [
        (nothing, isomount.NotAnImageError),
        (empty, isomount.NotAnImageError),
        (tmp_path / "missing", isomount.MissingImageError),
        (tmp_path, isomount.DirectoryAsImageError),
    ]:
        with pytest.raises(kind) as caught:
            isomount.open(path)
        kept.append(caught)  # with its traceback
    assert open_files() == before
    with pytest.raises(isomount.NotAnImageError):
        isomount.open(io.BytesIO(b"x" * 100_000))


def test_errors_of_the_image_are_pythons_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        isomount.open(tmp_path / "missing")
    error = caught.value
    assert isinstance(error, isomount.ImageUnreadableError)
    assert (error.errno, error.filename) == (errno.ENOENT, str(tmp_path / "missing"))
    assert error.exit_code == 11
    with pytest.raises(IsADirectoryError, match="is a folder"):
        isomount.open(tmp_path)


def test_after_closing_everything_is_a_closed_error(small_image: Path) -> None:
    before = open_files()
    image = isomount.open(small_image)
    path = image.root / "readme.txt"
    link = image.root / "link"
    assert path.is_file()
    file, text, listing = image.open(path), path.open(), (image.root / "deep").iterdir()
    image.close()
    image.close()
    assert image.closed
    assert "closed" in repr(image)
    looks: list[Any] = [
        lambda: file.read(1),
        lambda: text.read(),
        lambda: path.read_bytes(),
        lambda: path.stat(),
        lambda: path.exists(),
        lambda: link.readlink(),
        lambda: image.root.iterdir(),
        lambda: list(image.root.walk()),
        lambda: list(image.root.glob("*")),
        lambda: image.open("readme.txt"),
        lambda: image.extract("/nonexistent/place"),
        lambda: next(listing),
    ]
    for look in looks:
        with pytest.raises(isomount.ClosedError, match="the image is closed") as caught:
            look()
        assert isinstance(caught.value, ValueError)
        assert not isinstance(caught.value, OSError)
    gc.collect()
    assert open_files() == before


def test_closing_while_others_read_is_safe(make_image: MakeImage, tmp_path: Path) -> None:
    """Each gets its own bytes or ClosedError, never another file's."""
    data = b"image" * 100_000
    path = make_image({"data": data}, "-R")
    other = tmp_path / "other"
    other.write_bytes(b"other" * 1_000_000)
    for _ in range(20):
        image = isomount.open(path)
        wrong: list[bytes] = []
        started = threading.Barrier(3)

        def read(image: isomount.Image = image, started: Any = started, wrong: Any = wrong) -> None:
            started.wait()
            try:
                while True:
                    found = (image.root / "data").read_bytes()
                    if found != data:
                        wrong.append(found)
            except isomount.ClosedError:
                pass

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        started.wait()
        image.close()
        with other.open("rb"), other.open("rb"):
            for reader in readers:
                reader.join()
        assert not wrong


def test_the_library_says_nothing_unless_asked() -> None:
    log = logging.getLogger("isomount")
    assert any(isinstance(each, logging.NullHandler) for each in log.handlers)


def test_extract(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"a/b.txt": b"b", "c.txt": b"c", "a/link": "../c.txt"}
    source = genisoimage(tmp_path / "x.iso", write_tree(tmp_path / "tree", files), "-R")
    with isomount.open(source) as image:
        totals = image.extract(tmp_path / "all", verify=True)
        assert (totals.files, totals.links, totals.failed) == (2, 1, 0)
        assert (tmp_path / "all/a/b.txt").read_bytes() == b"b"
        assert os.readlink(tmp_path / "all/a/link") == "../c.txt"
        image.extract(str(tmp_path / "some"), ["c.txt", image.root / "a" / "b.txt"])
        assert sorted(p.name for p in (tmp_path / "some").rglob("*")) == ["a", "b.txt", "c.txt"]
        with pytest.raises(FileNotFoundError) as caught:
            image.extract(tmp_path / "never", ["c.txt", "none"])
        assert caught.value.filename == "none"
        assert not (tmp_path / "never").exists()
        with pytest.raises(isomount.PlaceError, match="is missing"):
            image.extract(tmp_path / "no" / "where")


class Told:
    def __init__(self) -> None:
        self.started_paths: list[bytes] = []
        self.bytes = 0
        self.problems: list[tuple[bytes, Exception]] = []

    def started(self, path: bytes, size: int) -> None:
        self.started_paths.append(path)

    def moved(self, count: int) -> None:
        self.bytes += count

    def problem(self, path: bytes, error: Exception) -> None:
        self.problems.append((path, error))


def test_what_cannot_be_extracted_is_told(tmp_path: Path) -> None:
    made = IsoImage()
    made.put(30, b"good")
    made.root(record(b"BAD;1", 5000, 10), record(b"GOOD;1", 30, 4), record(b"WORSE;1", 5000, 10))
    made.write(tmp_path / "x.iso")
    with isomount.open(tmp_path / "x.iso") as image:
        with pytest.raises(
            isomount.ExtractError, match=r"x\.iso: not all .*: bad: .* and 1 more"
        ) as e:
            image.extract(tmp_path / "out")
        assert [path for path, _ in e.value.problems] == ["bad", "worse"]
        assert (e.value.totals.files, e.value.totals.failed) == (1, 2)
        assert (tmp_path / "out/good").read_bytes() == b"good"
        told = Told()
        totals = image.extract(tmp_path / "again", report=told)
        assert totals.failed == len(told.problems) == 2
        assert (told.started_paths, told.bytes) == ([b"bad", b"good", b"worse"], 4)
