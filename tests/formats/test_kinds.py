"""Every file of the collection of image kinds is opened, or refused in words, as its list says.

Those that open are mounted too. The collection is not part of the repository (see tests.corpus).
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import isomount
from isomount.errors import IsomountError
from tests.command import mounted_image
from tests.corpus import CORPUS

KINDS = CORPUS / "kinds"
# What most files hold, each in its own way, and what those of one project hold.
MINI, GAME = "made__mini.iso", "oxyromon__Test Game (USA, Europe).iso"

# By how a name begins or ends: what is said of the file, which is no image, or only a part of one.
REFUSED = {
    "made__clone.sub": "holds nothing but zeros",
    "made__mini.qcow2": "qemu-img convert",
    "made__mini.vhd": "qemu-img convert",
    "made__mini.vmdk": "qemu-img convert",
    "made__stream.vmdk": "qemu-img convert",
    "aff4__dream.aff4": "AFF4",
    "dfvfs__ext2.E01": "is an ext2, ext3 or ext4 file system",
    "dfvfs__ext2.qcow2": "qemu-img convert",
    "dfvfs__ext2.vmdk": "qemu-img convert",
    "dfvfs__hfsplus_zlib.dmg": "HFS",
    "file-tests__qcow2_v2.qcow2": "qemu-img convert",
    "igir__2048.chd": "is too short for a disc image",
    "igir__CD-ROM-large.chd": "no file system",
    "igir__UMD.cso": "is too short for a disc image",
    "plaso__plaso-image.E01": "is an ext2, ext3 or ext4 file system",
    "cuesheetnet__MinimalFoobarCue.cue": "line 3",
    "siegfried__skel/": "",
    "tika__test-documents.dmg": "",
    "igir__discs/": "",
    "cdrdao__testtocs/": "",
    "MANIFEST.tsv": "is not a disc image but text",
}
# Sheets whose files are not in the collection: what is missing is named, or there is nothing but
# audio in it.
SHEETS = (".cue", ".toc")
OF_SHEETS = ("is missing", "and missing", "is an audio disc", "names no file for track")


def files() -> list[str]:
    if not KINDS.is_dir():
        return []
    return sorted(str(path.relative_to(KINDS)) for path in KINDS.rglob("*") if path.is_file())


def refusal_of(name: str) -> tuple[str, ...]:
    """Words one of which says why the file ``name`` is refused; none if it is an image."""
    for beginning, words in REFUSED.items():
        if name.startswith(beginning):
            return (words,)
    made_whole = name.startswith("made__")
    return OF_SHEETS if name.endswith(SHEETS) and not made_whole else ()


def tree(image: isomount.Image) -> dict[str, str]:
    """Every path of the image with the digest of its bytes."""
    return dict(_below(image.root))


def _below(directory: isomount.ImagePath) -> Iterator[tuple[str, str]]:
    for path in directory.iterdir():
        if path.is_dir():
            yield str(path), "directory"
            yield from _below(path)
        else:
            yield str(path), hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, str]]:
    """What the plain images hold, by the beginning of the names of those that hold the same."""
    found = {}
    for name in (MINI, GAME):
        with isomount.open(KINDS / name) as image:
            found[name.partition("__")[0]] = tree(image)
    return found


@pytest.mark.parametrize("name", files())
def test_a_file_of_the_collection(name: str, expected: dict[str, dict[str, str]]) -> None:
    path = KINDS / name
    words = refusal_of(name)
    if words:
        said = _refusal(path)
        assert any(each in said for each in words)
        assert "\n" not in said
    else:
        with isomount.open(path) as image:
            assert tree(image) == expected.get(name.partition("__")[0], tree(image))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name in files() if name.startswith("made__") and not refusal_of(name)]
)
def test_a_file_of_the_collection_mounted(
    fuse: None, name: str, expected: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    with mounted_image(KINDS / name, at=tmp_path / "mnt", log=tmp_path / "log") as mount:
        found = {str(path.relative_to(mount)): _mounted(path) for path in sorted(mount.rglob("*"))}
    assert found == expected["made"]


def _mounted(path: Path) -> str:
    return "directory" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()


def _refusal(path: Path) -> str:
    with pytest.raises(IsomountError) as caught:
        isomount.open(path)
    return str(caught.value)
