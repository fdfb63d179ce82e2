"""Images by genisoimage and xorriso, held against the folders that they were made from."""

import os
import random
import stat
from pathlib import Path

import pytest

import isomount
from isomount.errors import UsageError
from isomount.formats.node import Node
from isomount.formats.options import ViewOptions
from isomount.image import Image, open_image
from tests.authoring import genisoimage, write_tree, xorriso, xorriso_session
from tests.conftest import MakeImage

DEEP = "/".join(f"level{number:02}" for number in range(1, 13))


def tree(path: Path, **options: object) -> dict[str, Node]:
    with open_image(path, ViewOptions(**options)) as image:  # type: ignore[arg-type]
        return dict(image.volume.walk())


def same_as(folder: Path, image: Image) -> None:
    """Every path of ``folder`` is in the image with its kind, content, target and times."""
    found = dict(image.volume.walk())
    expected = {"."}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        expected.add(name)
        node, info = found[name], path.lstat()
        assert stat.S_IFMT(node.mode) == stat.S_IFMT(info.st_mode), name
        assert abs(node.mtime_ns - info.st_mtime_ns) < 10**9, name
        if path.is_symlink():
            assert node.target == os.fsencode(os.readlink(path)), name
        elif path.is_file():
            assert image.volume.read(node) == path.read_bytes(), name
    assert found.keys() == expected


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what discs hold."""
    folder = write_tree(
        tmp_path_factory.mktemp("sample") / "tree",
        {
            "empty": b"",
            "one": b"1",
            "sector": bytes(range(256)) * 8,
            "more than a sector.bin": random.Random(1).randbytes(70_001),
            "UPPER.TXT": b"upper",
            ".hidden": b"h",
            "archive.tar.gz": b"tgz",
            "Ünïcode 日本.txt": b"u",
            "n" * 200 + ".txt": b"long",
            f"{DEEP}/leaf.txt": b"leaf",
            "dir/relative": "../one",
            "dir/absolute": "/etc/passwd",
            "dir/dots": "./.././../x",
            "dir/long": "/".join(["component"] * 20),
        },
    )
    os.mkfifo(folder / "fifo", 0o600)
    os.link(folder / "one", folder / "dir" / "one more")
    (folder / "dir").chmod(0o1711)
    return folder


@pytest.mark.parametrize(
    "options", [("-R",), ("-R", "-J"), ("-R", "-D"), ("-R", "-iso-level", "4")]
)
def test_genisoimage(options: tuple[str, ...], sample: Path, tmp_path: Path) -> None:
    image = genisoimage(tmp_path / "image.iso", sample, *options)
    with isomount.open(image) as disc:
        same_as(sample, disc)


@pytest.mark.parametrize(
    "options", [("-R",), ("-R", "-J"), ("-R", "-iso-level", "3", "-partition_offset", "16")]
)
def test_xorriso(options: tuple[str, ...], sample: Path, tmp_path: Path) -> None:
    image = xorriso(tmp_path / "image.iso", sample, *options)
    with isomount.open(image) as disc:
        same_as(sample, disc)


def test_joliet_names_and_content(sample: Path, tmp_path: Path) -> None:
    image = genisoimage(
        tmp_path / "image.iso", sample, "-J", "-joliet-long", "-input-charset", "utf-8"
    )
    with isomount.open(image) as disc:
        assert disc.views == ["Joliet", "ISO 9660"]
        assert disc.volume.read(disc.volume.lookup("Ünïcode 日本.txt")) == b"u"
        assert disc.volume.read(disc.volume.lookup("dir/ONE MORE.")) == b"1"


def test_surrogate_pairs_join(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", {"party 🎉.txt": b"p"})
    image = xorriso(
        tmp_path / "image.iso", folder, "-J", "-joliet-utf16", "-input-charset", "utf-8"
    )
    assert "party 🎉.txt" in tree(image, norock=True)


# ---------------------------------------------------------------- relocation


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    other = "other/" + "/".join("abcdefghijk")
    files: dict[str, bytes | str] = {f"{DEEP}/leaf.txt": b"leaf", f"{other}/tail.txt": b"tail"}
    return write_tree(tmp_path / "tree", files)


@pytest.mark.parametrize("options", [(), ("-hide-rr-moved",)])
def test_genisoimage_relocates_and_we_put_it_back(
    options: tuple[str, ...], deep: Path, tmp_path: Path
) -> None:
    image = genisoimage(tmp_path / "image.iso", deep, "-R", *options)
    moved = {"rr_moved", "_rr_move"}
    assert moved & {path.split("/")[0] for path in tree(image, norock=True)}
    with isomount.open(image) as disc:
        same_as(deep, disc)
        check_parents(disc)


def test_xorriso_relocates_and_we_put_it_back(deep: Path, tmp_path: Path) -> None:
    image = tmp_path / "image.iso"
    xorriso_session(
        image,
        *("-compliance", "clear:deep_paths_off:long_paths_off", "-rr_reloc_dir", "rr_moved"),
        *("-map", str(deep), "/"),
    )
    with isomount.open(image) as disc:
        same_as(deep, disc)
        check_parents(disc)


def check_parents(disc: Image) -> None:
    found = dict(disc.volume.walk())
    for path, node in found.items():
        if node.is_directory:
            above = found[str(Path(path).parent)]
            assert disc.volume.parent(node.ino) == above.ino, path


# ---------------------------------------------------------------- hard links


@pytest.mark.parametrize("tool", ["genisoimage", "xorriso"])
def test_hard_links(tool: str, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", {"a": b"linked", "d/x": b"x", "single": b"linked"})
    os.link(folder / "a", folder / "b")
    os.link(folder / "a", folder / "d" / "c")
    image = tmp_path / "image.iso"
    if tool == "genisoimage":
        genisoimage(image, folder, "-R", "-cache-inodes")
    else:
        xorriso_session(image, "-hardlinks", "on", "-map", str(folder), "/")
    found = tree(image)
    assert found["a"] == found["b"] == found["d/c"]
    assert found["a"].nlink == 3
    assert len({found[path].ino for path in ("a", "d/x", "single")}) == 3


# ---------------------------------------------------------------- sessions


def names(path: Path, session: int | None) -> list[str]:
    return sorted(tree(path, session=session))[1:]


def test_sessions_that_genisoimage_appends(tmp_path: Path) -> None:
    first = write_tree(tmp_path / "1", {"keep": b"1", "change": b"old"})
    second = write_tree(tmp_path / "2", {"new": b"2", "change": b"changed"})
    image = genisoimage(tmp_path / "image.iso", first, "-R")
    start = -(-image.stat().st_size // 2048 // 32) * 32
    position = ("-C", f"0,{start}", "-M", str(image))
    appended = genisoimage(tmp_path / "second.iso", second, "-R", *position)
    with image.open("r+b") as file:
        file.seek(start * 2048)
        file.write(appended.read_bytes())
    assert names(image, 1) == ["change", "keep"]
    assert names(image, None) == names(image, 2) == names(image, -1) == ["change", "keep", "new"]
    with isomount.open(image, sbsector=start) as disc:
        assert disc.volume.read(disc.volume.lookup("change")) == b"changed"
        assert disc.volume.read(disc.volume.lookup("keep")) == b"1"
    with pytest.raises(UsageError, match="has 2 sessions"):
        names(image, 3)


def test_sessions_that_xorriso_appends(tmp_path: Path) -> None:
    """It keeps the newest session's descriptors at the start, the first one's at sector 32."""
    image = tmp_path / "image.iso"
    for number in (1, 2, 3):
        folder = write_tree(tmp_path / str(number), {f"new{number}": b"", "change": b"%d" % number})
        xorriso_session(image, "-map", str(folder), "/")
    everything = ["change", "new1", "new2", "new3"]
    assert names(image, None) == names(image, 3) == names(image, -1) == everything
    assert names(image, 2) == everything[:3]
    assert names(image, 1) == everything[:2]
    for session in (1, 2, 3):
        with isomount.open(image, session=session) as disc:
            assert disc.volume.read(disc.volume.lookup("change")) == b"%d" % session
    with pytest.raises(UsageError, match="has 3 sessions"):
        names(image, 4)


# ---------------------------------------------------------------- compressed files


ZISOFS = {
    "version 1": "level=6:block_size=32k",
    "version 1, larger blocks": "level=6:block_size=128k",
    "version 2": "level=6:version_2=on:block_size_v2=128k",
    "version 2, Z2 fields": "level=6:version_2=on:block_size_v2=1m:susp_z2=on",
}


@pytest.mark.parametrize("form", list(ZISOFS.values()), ids=list(ZISOFS))
def test_files_that_xorriso_compresses(form: str, tmp_path: Path) -> None:
    words = random.Random(3).choices(["alpha ", "beta ", "gamma\n"], k=100_000)
    folder = write_tree(
        tmp_path / "tree",
        {
            "text": "".join(words).encode(),
            "zeros": bytes(1 << 20),
            "holes": bytes(200_000) + b"middle" + bytes(300_000),
            "random": random.Random(4).randbytes(100_000),
            "small": b"small",
            "sub/block": b"x" * 32768,
        },
    )
    image = tmp_path / "image.iso"
    xorriso_session(
        image,
        *("-zisofs", form),
        *("-map", str(folder), "/", "-set_filter_r", "--zisofs", "/", "--"),
    )
    assert image.stat().st_size < 1_000_000
    with isomount.open(image) as disc:
        same_as(folder, disc)


# ---------------------------------------------------------------- others


def test_links_that_genisoimage_cuts_are_not_made_up(tmp_path: Path) -> None:
    """It loses the end of targets over 300 bytes or so: Linux cannot read such links either."""
    folder = write_tree(tmp_path / "tree", {"long": "/".join(["component"] * 40), "a": "b"})
    found = tree(genisoimage(tmp_path / "image.iso", folder, "-R"))
    assert found["long"].target is None
    assert found["a"].target == b"b"


@pytest.mark.parametrize(
    ("zone", "stamps"),
    [
        ("Asia/Kolkata", (-1, 0, 1, 1_700_000_000)),
        ("America/New_York", (-1, 0, 1, 1_700_000_000, 2**31 - 1, 2**31, 4_102_444_800)),
        ("UTC", (-(2**31), -1, 0, 1, 1_700_000_000, 2**31, 4_102_444_800)),
    ],
)
def test_times_with_zones_and_far_away(
    zone: str, stamps: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    folder = write_tree(tmp_path / "tree", {})
    for stamp in stamps:
        path = folder / f"t{stamp}"
        path.touch()
        os.utime(path, (stamp, stamp))
    found = tree(genisoimage(tmp_path / "image.iso", folder, "-R"))
    shown = {path: node.mtime_ns // 10**9 for path, node in found.items() if path != "."}
    assert shown == {f"t{stamp}": stamp for stamp in stamps}


def test_hybrid_images_are_read_by_their_iso_side(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "tree", {"a": b"data"})
    image = genisoimage(tmp_path / "apple.iso", folder, "-R", "-hfs", "-part")
    with isomount.open(image) as disc:
        same_as(folder, disc)


def test_an_image_whose_start_belongs_to_something_else(make_image: MakeImage) -> None:
    image = make_image({"a": b"data"}, "-R")
    with image.open("r+b") as file:
        file.write(b"\x7fELF" + os.urandom(32 * 1024 - 4))
    assert list(tree(image)) == [".", "a"]


def test_a_folder_with_thousands_of_files(tmp_path: Path) -> None:
    many = [f"file number {number:05}.txt" for number in range(3000)]
    folder = write_tree(tmp_path / "tree", dict.fromkeys(many, b""))
    image = genisoimage(tmp_path / "image.iso", folder, "-R", "-J")
    assert sorted(tree(image))[1:] == many
    assert sorted(tree(image, norock=True))[1:] == many
