"""Images of discs with a binary list of tracks, from files, and the same by other readers."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

import isomount
from isomount.containers import unpack
from isomount.errors import DamagedImageError, ImageUnreadableError, NotAnImageError
from tests.authoring import genisoimage, run_tool, write_tree
from tests.containers.blindwrite_builder import Block, BwTrack, b5t
from tests.containers.c2d_builder import C2dBlock, c2d
from tests.containers.cdi_builder import V2, V3, V4, CdiTrack, cdi
from tests.containers.mds_builder import MdsTrack, mds
from tests.containers.nrg_builder import DaoTrack, dao, nrg, tao
from tests.containers.tracks import audio, stored
from tests.corpus import SHARED

KINDS = SHARED / "corpus" / "kinds"
SKELETONS = KINDS / "siegfried__skel"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = {"a.txt": b"content of a\n", "dir/b.bin": bytes(range(256)) * 300}
    return write_tree(tmp_path_factory.mktemp("discs") / "tree", dict(content))


@pytest.fixture(scope="module")
def image(folder: Path) -> bytes:
    """A plain image, of whole sectors."""
    return genisoimage(folder.parent / "plain.iso", folder, "-R", "-J", "-V", "DISC").read_bytes()


@pytest.fixture(scope="module")
def later(folder: Path) -> bytes:
    """A later session by itself, whose extents count from LBA 0 of the disc."""
    path = genisoimage(folder.parent / "later.iso", folder, "-R", "-V", "DISC", "-C", "0,11702")
    return path.read_bytes()


def converted(program: str, file: Path) -> bytes:
    """What another reader makes of ``file``."""
    output = file.with_suffix(".out.iso")
    run_tool(program, str(file), str(output))
    return output.read_bytes()


def content(file: Path) -> bytes:
    """All data of an image, as it is read here."""
    source = unpack(file).source
    try:
        return source.read_at(0, source.size)
    finally:
        source.close()


def check_files(file: Path) -> None:
    with isomount.open(file) as opened:
        assert opened.label == "DISC"
        assert (opened.root / "a.txt").read_bytes() == b"content of a\n"
        assert (opened.root / "dir/b.bin").read_bytes() == bytes(range(256)) * 300


@pytest.mark.parametrize("subchannel", [0, 96])
def test_mds(tmp_path: Path, image: bytes, subchannel: int) -> None:
    sectors = len(image) // 2048
    track = MdsTrack(1, 0, sectors, stride=2352 + subchannel, has_subchannel=bool(subchannel))
    (tmp_path / "x.mds").write_bytes(mds([track]))
    (tmp_path / "x.mdf").write_bytes(stored(image, subchannel=subchannel))
    assert content(tmp_path / "x.mds") == image
    check_files(tmp_path / "x.mds")
    check_files(tmp_path / "x.mdf")
    program = "iat" if subchannel else "mdf2iso"  # which expects its own form of subchannel
    assert converted(program, tmp_path / "x.mdf") == image


def test_mds_of_a_dvd_in_parts(tmp_path: Path, image: bytes) -> None:
    track = MdsTrack(1, 0, len(image) // 2048, mode=2, stride=2048, names=("*.mdf", "*.md1"))
    (tmp_path / "x.mds").write_bytes(mds([track], medium=0x10, wide=True))
    (tmp_path / "x.mdf").write_bytes(image[:100000])
    (tmp_path / "x.md1").write_bytes(image[100000:])
    check_files(tmp_path / "x.mds")
    (tmp_path / "x.md1").unlink()
    with pytest.raises(ImageUnreadableError, match=r"x\.md1"):
        isomount.open(tmp_path / "x.mds")


@pytest.mark.parametrize("v1", [False, True])
def test_nrg_written_at_once(tmp_path: Path, image: bytes, v1: bool) -> None:
    data = bytes(150 * 2048) + image
    file = tmp_path / "x.nrg"
    file.write_bytes(nrg(data, dao([DaoTrack(1, 0, 0, 307200, len(data))], v1=v1), v1=v1))
    assert content(file) == image
    check_files(file)
    assert converted("nrg2iso", file)[: len(image)] == image


def test_nrg_of_raw_sectors(tmp_path: Path, image: bytes) -> None:
    at = 150 * 2352
    data = stored(bytes(150 * 2048), lba=-150) + stored(image)
    file = tmp_path / "x.nrg"
    file.write_bytes(nrg(data, dao([DaoTrack(1, 0, 0, at, len(data), 5, 2352)])))
    check_files(file)
    assert content(file) == image


def test_nrg_by_chdman(tmp_path: Path, image: bytes) -> None:
    data = bytes(150 * 2048) + image
    file, output = tmp_path / "x.nrg", tmp_path / "x.bin"
    file.write_bytes(nrg(data, dao([DaoTrack(1, 0, 0, 307200, len(data))])))
    run_tool("chdman", "createcd", "-i", str(file), "-o", str(tmp_path / "x.chd"))
    run_tool("chdman", "extractcd", "-i", str(tmp_path / "x.chd"),
             "-o", str(tmp_path / "x.cue"), "-ob", str(output))  # fmt: skip
    # It has the pregap as well, as that is in the file.
    assert output.read_bytes()[-len(image) :] == content(file) == image


@pytest.mark.parametrize("v1", [False, True])
def test_nrg_written_track_by_track(tmp_path: Path, image: bytes, v1: bool) -> None:
    """The image itself with chunks behind it: it is known by them, for its tracks."""
    chunks = tao([(0, len(image), 0, 0), (len(image), 23520, 7, len(image) // 2048 + 150)], v1=v1)
    file = tmp_path / "x.nrg"
    file.write_bytes(nrg(image + audio(10), chunks, v1=v1))
    check_files(file)
    found = unpack(file)
    assert found.disc is not None
    assert len(found.disc.tracks) == 2
    found.source.close()
    file.write_bytes(nrg(image, b"", v1=v1))  # the list is lost, the image is not
    check_files(file)


@pytest.mark.parametrize("version", [V2, V3, V4])
def test_cdi_of_a_dreamcast_disc(tmp_path: Path, later: bytes, version: int) -> None:
    data = bytes(150 * 2352) + audio(302) + bytes(150 * 2336) + stored(later, 2336, 2, 11702)
    sessions = [
        [CdiTrack(0, 150, 302, 0, control=0)],
        [CdiTrack(11702, 150, len(later) // 2048, 2, 2336)],
    ]
    file = tmp_path / "x.cdi"
    file.write_bytes(cdi(data, sessions, version))
    check_files(file)


def test_blindwrite(tmp_path: Path, image: bytes) -> None:
    sectors = len(image) // 2048
    (tmp_path / "x.b5t").write_bytes(
        b5t([Block(-150, sectors + 150)], [BwTrack(1, -150, sectors + 150)])
    )
    (tmp_path / "x.b5i").write_bytes(stored(bytes(150 * 2048), lba=-150) + stored(image))
    check_files(tmp_path / "x.b5t")
    check_files(tmp_path / "x.b5i")
    found = unpack(tmp_path / "x.b5i")
    assert found.disc is not None
    assert found.disc.kind == "BlindWrite image (B5T, B6T)"
    found.source.close()
    (tmp_path / "x.b5i").unlink()
    with pytest.raises(ImageUnreadableError, match=r"disc\.B5I"):
        isomount.open(tmp_path / "x.b5t")


@pytest.mark.parametrize("stride", [2048, 2336, 2352])
def test_c2d(tmp_path: Path, image: bytes, stride: int) -> None:
    block = C2dBlock(1, 0, len(image) // 2048 - 1, 0, stride, 1 if stride == 2048 else 2)
    (tmp_path / "x.c2d").write_bytes(c2d(stored(image, stride, block.mode), [block]))
    check_files(tmp_path / "x.c2d")


def test_pdi(tmp_path: Path, image: bytes) -> None:
    file = tmp_path / "x.pdi"
    file.write_bytes(b"TTAFMPVOBCDIMG\1\0".ljust(304, b"\0") + image)
    check_files(file)
    assert converted("iat", file) == image


def test_other_sheets_by_their_names(tmp_path: Path) -> None:
    refused: dict[str, tuple[bytes, str]] = {
        "x.mdx": (b"MEDIA DESCRIPTOR\2\1" + bytes(90), "is an encrypted image of Daemon Tools"),
        "x.bwt": (b"BLINDWRITE TOC FILE" + bytes(90), "BlindWrite 4"),
        "x.c2d": (c2d(b"", [C2dBlock(1, 0, 9, is_compressed=True)]), "compressed WinOnCD"),
    }
    for name, (data, words) in refused.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(NotAnImageError, match=words):
            isomount.open(tmp_path / name)


# ---------------------------------------------------------------- real ones

needs_kinds = pytest.mark.skipif(not KINDS.is_dir(), reason="the real images are not there")


@needs_kinds
@pytest.mark.parametrize(
    "name",
    [
        "made__alc.mds", "made__alc.mdf", "made__alcsub.mds", "made__alcsub.mdf",
        "made__v1tao2048.nrg", "made__v2tao2048.nrg", "made__v2dao2048.nrg",
        "made__v2dao2352.nrg", "made__inst.pdi",
    ],
)  # fmt: skip
def test_real_files_are_the_plain_image(name: str) -> None:
    plain = hashlib.sha256((KINDS / "made__mini.iso").read_bytes()).hexdigest()
    assert hashlib.sha256(content(KINDS / name)).hexdigest() == plain


@needs_kinds
@pytest.mark.parametrize("ending", ["mds", "nrg", "mdf", "cif"])
def test_signatures_alone_are_refused_in_words(ending: str) -> None:
    (file,) = SKELETONS.glob(f"*.{ending}")
    with pytest.raises((NotAnImageError, DamagedImageError), match=r" is .*"):
        isomount.open(file)


@needs_kinds
def test_a_real_video_cd_and_audio_disc() -> None:
    sheets = KINDS.parent / "sheets" / "libcdio"
    found = unpack(sheets / "videocd.nrg")
    assert found.disc is not None
    assert [track.start for track in found.disc.tracks] == [0, 676, 751, 826, 901]
    found.source.close()
    with isomount.open(sheets / "videocd.nrg") as opened:
        assert opened.label == "SVIDEOCD"
    refused: Callable[[], object] = functools.partial(isomount.open, sheets / "p1.nrg")
    with pytest.raises(NotAnImageError, match="is an audio disc without a data track"):
        refused()
