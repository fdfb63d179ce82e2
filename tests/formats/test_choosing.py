"""What is shown of images that say less, or more, than they should; see docs/choosing.md."""

from pathlib import Path
from typing import Literal

import pytest

import isomount
from isomount.errors import DamagedImageError, NotAnImageError
from isomount.formats.options import Family
from isomount.survey import survey
from tests.authoring import genisoimage, mkudffs, write_tree
from tests.conftest import MakeImage
from tests.corpus import CASES, needs_cases
from tests.formats.iso_builder import SECTOR, IsoImage, nm, px, record, sl, sp
from tests.formats.udf_builder import Builder

RECOGNITION = 16 * SECTOR

# ---------------------------------------------------------------- UDF without its announcement


@pytest.mark.parametrize("size", [512, 2048, 4096])
def test_udf_is_found_by_its_anchors_alone(size: int, tmp_path: Path) -> None:
    image = mkudffs(tmp_path / "u.img", "-m", "hd", "--label", "disk", blocks=2000, size=size)
    with image.open("r+b") as file:
        file.seek(RECOGNITION)
        file.write(bytes(16 * SECTOR))
    with isomount.open(image) as disc:
        assert disc.label == "disk"
        assert (RECOGNITION, "the volume recognition sequence of UDF is missing") in (
            survey(disc).damage
        )
    with isomount.open(image, view="udf") as disc:
        assert disc.label == "disk"


def test_anchors_beside_a_whole_iso_tree_are_not_looked_for(make_image: MakeImage) -> None:
    """A tail of an older disc's UDF, say: what announces itself is shown."""
    data = bytearray(make_image({"a": b"a"}, "-udf").read_bytes())
    at = data.index(b"\0BEA01")
    data[at : at + 3 * SECTOR] = bytes(3 * SECTOR)
    image = make_image({}, name="again.iso")
    image.write_bytes(data)
    with isomount.open(image) as disc:
        assert disc.views == ["ISO 9660"]
        assert disc.damage.count == 0


def test_an_anchor_that_leads_nowhere_is_no_image(tmp_path: Path) -> None:
    image = Builder().write(tmp_path / "u.img")
    data = bytearray(image.read_bytes())
    data[RECOGNITION : RECOGNITION + 3 * SECTOR] = bytes(3 * SECTOR)
    data[128 * SECTOR : 180 * SECTOR] = bytes(52 * SECTOR)
    image.write_bytes(data)
    with pytest.raises(NotAnImageError):
        isomount.open(image)


@needs_cases
def test_udf_of_a_bug_report_by_its_anchors() -> None:
    with isomount.open(CASES / "u_novrs.udf") as disc:
        assert {str(path) for path in disc.root.iterdir()} == {"big.bin", "small.txt"}


# ---------------------------------------------------------------- cut off


@pytest.mark.parametrize("view", ["auto", "iso9660"])
@pytest.mark.parametrize("options", [("-udf", "-R", "-J"), ("-R",), ()], ids=str)
def test_what_is_cut_off_before_its_files_says_so(
    options: tuple[str, ...], view: Literal["auto", "iso9660"], make_image: MakeImage
) -> None:
    image = make_image({"a": b"x" * 100_000}, *options)
    data = image.read_bytes()
    image.write_bytes(data[:47_000])
    volume = int.from_bytes(data[RECOGNITION + 80 : RECOGNITION + 84], "little") * SECTOR
    words = f"is cut off at byte 47000, {volume - 47_000} bytes are missing"
    with pytest.raises(DamagedImageError, match=words):
        isomount.open(image, view=view)


def test_the_side_that_a_cut_leaves_is_shown(make_image: MakeImage) -> None:
    """genisoimage writes the directories of UDF before those of ISO 9660."""
    image = make_image({"a": b"x" * 100_000}, "-udf", "-R")
    data = image.read_bytes()
    at = RECOGNITION + 156 + 2
    image.write_bytes(data[: int.from_bytes(data[at : at + 4], "little") * SECTOR])
    with isomount.open(image) as disc:
        assert disc.view == "UDF 1.02"
        assert [str(path) for path in disc.root.iterdir()] == ["a"]
        assert survey(disc).missing > 0


def test_udf_that_is_cut_off_says_so(tmp_path: Path) -> None:
    image = mkudffs(tmp_path / "u.img", "-m", "dvdrw", blocks=2000)
    data = image.read_bytes()
    image.write_bytes(data[: 258 * SECTOR])
    with pytest.raises(DamagedImageError, match=f"is cut off at byte {258 * SECTOR}, "):
        isomount.open(image)


def test_a_bridge_cut_off_behind_its_tree_is_shown(make_image: MakeImage) -> None:
    image = make_image({"a": b"x" * 1_000_000, "b": b"y" * 1_000_000}, "-udf", "-R", "-J")
    image.write_bytes(image.read_bytes()[:1_800_000])
    with isomount.open(image) as disc:
        assert {str(path) for path in disc.root.iterdir()} == {"a", "b"}
        assert disc.volume.read(disc.volume.lookup("a")) == b"x" * 1_000_000
        assert survey(disc).missing > 0


@needs_cases
def test_a_bridge_of_a_bug_report_says_cut_off() -> None:
    with pytest.raises(DamagedImageError, match="is cut off at byte 100000, 799072 bytes"):
        isomount.open(CASES / "truncb.iso")


# ---------------------------------------------------------------- one side of two


def test_a_udf_side_that_is_lost_is_noted(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"a": b"a"})
    image = genisoimage(tmp_path / "x.iso", tree, "-udf", "-J")
    data = bytearray(image.read_bytes())
    for sector in range(len(data) // SECTOR):
        if data[sector * SECTOR : sector * SECTOR + 2] == b"\2\0":
            data[sector * SECTOR : sector * SECTOR + 16] = bytes(16)
    image.write_bytes(data)
    with isomount.open(image) as disc:
        assert disc.view == "Joliet"
        assert "the UDF side cannot be read" in disc.damage.findings[0][1]


def with_sp(joliet_label: bytes = b"") -> IsoImage:
    """Rock Ridge with SP but no ER, beside Joliet."""
    made = IsoImage()
    link = nm(b"link") + px(0o120777) + sl((0, b"rock"))
    made.root(
        record(b"A;1", use=nm(b"rock") + px(0o100755)),
        record(b"L;1", use=link),
        use=sp() + px(0o40755, 2),
    )
    made.joliet(record("joliet".encode("utf-16-be")), label=joliet_label)
    return made


def test_rock_ridge_with_sp_alone_beats_joliet() -> None:
    found = with_sp().open()
    assert found.views == ["Rock Ridge", "Joliet", "ISO 9660"]
    assert found.names() == ["rock", "link"]
    assert found.tree()["link"].target == b"rock"
    assert with_sp().open(norock=True).names() == ["joliet"]


@pytest.mark.parametrize("blank", [b" " * 32, b"\0" * 32, b"\0 " * 16, b"\0\0" + b" " * 30])
def test_a_label_of_blanks_is_no_label(blank: bytes) -> None:
    """Joliet's blanks of one byte are no daggers; the primary descriptor's label is one."""
    found = with_sp(joliet_label=blank).open(norock=True, view=Family.ISO9660)
    assert found.view.name == "Joliet"
    assert found.view.label == "LABEL"


@needs_cases
def test_the_label_of_a_bug_report() -> None:
    with isomount.open(CASES / "noer_joliet.iso") as disc:
        assert disc.view == "Rock Ridge"
        assert disc.label == "LABEL"
        assert [each.label for each in survey(disc).volumes] == ["LABEL", ""]
