"""Split files: which pieces belong together, and reading over their ends."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.containers import unpack
from isomount.containers.archives.decode import Memory
from isomount.containers.archives.pieces import Joined, series_of
from isomount.errors import DamagedImageError, ImageUnreadableError, MissingImageError
from isomount.sources import LocalSource
from tests.containers.archives import image

SCHEMES = {
    "numbers": ["x.iso.001", "x.iso.002", "x.iso.003"],
    "from zero": ["x.000", "x.001", "x.002"],
    "letters": ["x.iso.aa", "x.iso.ab", "x.iso.ac"],
    "capitals": ["x.AA", "x.AB"],
    "parts": ["x.iso.part1", "x.iso.part2", "x.iso.part3"],
    "many parts": [f"x.part{number}" for number in range(1, 12)],
    "padded parts": [f"x.iso.part{number:02}" for number in range(1, 12)],
    "isobuster": ["x.i00", "x.i01"],
}


@pytest.mark.parametrize("names", SCHEMES.values(), ids=SCHEMES.keys())
def test_any_piece_names_all(names: list[str]) -> None:
    there = {*names, "other.iso", "x.txt", "y.001", "y.002"}
    for name in names:
        found = series_of(name, there)
        assert found is not None
        assert list(found.names) == names
        assert not found.missing


@pytest.mark.parametrize(
    ("name", "there", "missing"),
    [
        ("x.001", {"x.003"}, "x.002"),
        ("x.004", {"x.001", "x.002"}, "x.003"),
        ("x.002", {"x.003"}, "x.001"),
        ("x.iso.ac", {"x.iso.aa"}, "x.iso.ab"),
        ("x.iso.ab", {"x.iso.ac"}, "x.iso.aa"),
        ("x.part10", {"x.part1", "x.part2", "x.part4"}, "x.part3"),
    ],
)
def test_the_first_missing_piece_is_named(name: str, there: set[str], missing: str) -> None:
    found = series_of(name, {name, *there})
    assert found is not None
    assert found.missing == missing


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("x.001", set[str]()),
        ("x.002", {"y.001"}),
        ("x.iso", {"x.iso.001", "x.iso.002"}),
        ("x.iso.gz", {"x.iso", "x.iso.aa", "x.iso.xz"}),
        ("x.10", {"x.11", "x.12"}),
        ("x.1234", {"x.1235"}),
    ],
)
def test_what_is_no_piece(name: str, there: set[str]) -> None:
    found = series_of(name, {name, *there})
    assert found is None or name not in found.names


def cut(folder: Path, whole: bytes, length: int = 30_000) -> list[Path]:
    """``whole`` in pieces of ``length`` bytes."""
    paths = []
    for number, at in enumerate(range(0, len(whole), length), 1):
        path = folder / f"x.iso.{number:03}"
        path.write_bytes(whole[at : at + length])
        paths.append(path)
    return paths


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_all_pieces_are_read_as_one(tmp_path: Path) -> None:
    before = descriptors()
    whole = image()
    for path in cut(tmp_path, whole):
        found = unpack(path)
        assert isinstance(found.source, Joined)
        assert found.source.name == str(tmp_path / "x.iso.001")
        assert found.source.read_at(0, len(whole)) == whole
        found.source.close()
    assert descriptors() == before


def test_what_is_missing_and_what_was_not_copied_whole(tmp_path: Path) -> None:
    before = descriptors()
    paths = cut(tmp_path, image())
    paths[1].write_bytes(b"short")
    with pytest.raises(DamagedImageError, match=r"x\.iso\.002: has 5 bytes, and the other"):
        unpack(paths[2])
    paths[1].unlink()
    with pytest.raises(MissingImageError, match=r"x\.iso\.002: is missing, a piece of"):
        unpack(paths[0])
    paths[1].mkdir()
    with pytest.raises(ImageUnreadableError, match=r"x\.iso\.002"):
        unpack(paths[0])
    assert descriptors() == before


def test_images_that_are_numbered_stay_two(tmp_path: Path) -> None:
    before = descriptors()
    for number in (1, 2):
        (tmp_path / f"game.00{number}").write_bytes(image(seed=number))
    found = unpack(tmp_path / "game.002")
    assert found.source.read_at(0, 1 << 20) == image(seed=2)
    found.source.close()
    assert descriptors() == before


def test_a_whole_image_that_is_called_like_a_piece(tmp_path: Path) -> None:
    (tmp_path / "x.001").write_bytes(image())
    found = unpack(tmp_path / "x.001")
    assert isinstance(found.source, LocalSource)
    found.source.close()


@given(
    st.lists(st.binary(max_size=20), min_size=1, max_size=6),
    st.integers(0, 130),
    st.integers(0, 130),
)
def test_ranges_over_the_ends_of_pieces(parts: list[bytes], offset: int, length: int) -> None:
    whole = b"".join(parts)
    source = Joined("x", [Memory(str(number), part) for number, part in enumerate(parts)])
    assert source.size == source.measure() == len(whole)
    assert source.read_at(offset, length) == whole[offset : offset + length]
    resident = source.read_resident(offset, length)
    assert resident is not None
    assert bytes(resident) == whole[offset : offset + length]


def test_pages_of_local_pieces_pass_through(tmp_path: Path) -> None:
    whole = image()
    source = Joined("x", [LocalSource(path) for path in cut(tmp_path, whole)])
    for offset, length in ((0, 100), (29_990, 50), (99_990, 50), (100_000, 10)):
        assert bytes(source.read_resident(offset, length) or b"") == whole[offset:][:length]
    found = source.resident_range(40_000, 1000)
    if found is not None:  # where the file system tells what is in memory
        assert os.pread(found.descriptor, len(found), 0)
    assert source.resident_range(29_990, 50) is None
    assert source.resident_range(99_990, 50) is None
    source.close()
