"""E01 images, made by ewfacquire: whole, in parts, with parts missing, damaged."""

import random
import shutil
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from isomount.containers import unpack
from isomount.errors import (
    DamagedDataError,
    DamagedImageError,
    IsomountError,
    MissingImageError,
    NotAnImageError,
)
from tests.command import PATIENCE

pytest.importorskip("pyewf", reason="the Python package for EWF is not installed")
needs_tool = pytest.mark.skipif(
    shutil.which("ewfacquire") is None, reason="ewfacquire is not installed"
)
SIZE = 3 << 20
DATA = random.Random(1).randbytes(SIZE)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """disc.E01 to disc.E03, of 1 MiB each."""
    place = tmp_path_factory.mktemp("ewf")
    (place / "data.iso").write_bytes(DATA)
    acquire(place, "-S", "1MiB", "-c", "fast")
    (place / "data.iso").unlink()
    return place


def acquire(place: Path, *options: str) -> None:
    subprocess.run(
        ["ewfacquire", "-u", "-q", *options, "-t", "disc", "data.iso"],
        check=True,
        capture_output=True,
        cwd=place,
        timeout=PATIENCE,
    )


def read(path: Path) -> bytes:
    source = unpack(path).source
    try:
        return bytes(source.read_at(0, source.size))
    finally:
        source.close()


@needs_tool
def test_any_part_may_be_named(parts: Path) -> None:
    names = sorted(each.name for each in parts.iterdir())
    assert len(names) >= 3
    for name in names:
        assert read(parts / name) == DATA


@needs_tool
def test_names_in_lower_case(parts: Path, tmp_path: Path) -> None:
    for each in parts.iterdir():
        shutil.copy(each, tmp_path / each.name.lower())
    assert read(tmp_path / "disc.e02") == DATA


@needs_tool
@pytest.mark.parametrize("missing", ["disc.E01", "disc.E02", "disc.E03"])
def test_a_missing_part_is_named(parts: Path, tmp_path: Path, missing: str) -> None:
    for each in parts.iterdir():
        shutil.copy(each, tmp_path)
    (tmp_path / missing).unlink()
    other = "disc.E01" if missing != "disc.E01" else "disc.E02"
    with pytest.raises(MissingImageError, match=f"{missing}: is a part of the forensic image"):
        unpack(tmp_path / other)


@needs_tool
def test_parts_that_were_exchanged(parts: Path, tmp_path: Path) -> None:
    for each in parts.iterdir():
        shutil.copy(each, tmp_path)
    shutil.copy(parts / "disc.E03", tmp_path / "disc.E02")
    with pytest.raises(DamagedImageError, match=r"is part 3 .* called as part 2"):
        unpack(tmp_path / "disc.E01")


@needs_tool
def test_several_threads_read_at_once(parts: Path) -> None:
    source = unpack(parts / "disc.E01").source
    wrong: list[int] = []

    def look(seed: int) -> None:
        random_ = random.Random(seed)
        for _ in range(40):
            at = random_.randrange(SIZE - 5000)
            if source.read_at(at, 5000) != DATA[at : at + 5000]:
                wrong.append(at)

    threads = [threading.Thread(target=look, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source.close()
    assert not wrong


@needs_tool
@pytest.mark.parametrize("seed", range(3))
def test_changed_bytes(parts: Path, tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)
    whole = (parts / "disc.E01").read_bytes()
    for each in parts.iterdir():
        shutil.copy(each, tmp_path)
    for _ in range(15):
        data = bytearray(whole)
        for _ in range(4):
            data[random_.randrange(random_.choice([100, 2000, len(data)]))] = random_.randrange(256)
        (tmp_path / "disc.E01").write_bytes(data)
        with suppress(IsomountError, OSError):
            read(tmp_path / "disc.E01")


@needs_tool
def test_a_damaged_chunk_costs_itself_alone(parts: Path, tmp_path: Path) -> None:
    """libewf itself would give zeros for it."""
    for each in parts.iterdir():
        shutil.copy(each, tmp_path)
    data = bytearray((tmp_path / "disc.E01").read_bytes())
    data[500_000] ^= 0x40
    (tmp_path / "disc.E01").write_bytes(data)
    source = unpack(tmp_path / "disc.E01").source
    lost = 0
    for at in [*range(0, SIZE, 1 << 15), *range(0, SIZE, 1 << 15)]:
        try:
            assert source.read_at(at, 1 << 15) == DATA[at : at + (1 << 15)]
        except DamagedDataError:
            lost += 1
    assert lost == 2  # each time
    source.close()


@needs_tool
def test_zeros_are_zeros(tmp_path: Path) -> None:
    (tmp_path / "data.iso").write_bytes(bytes(1 << 20) + DATA)
    acquire(tmp_path, "-c", "none")
    assert read(tmp_path / "disc.E01") == bytes(1 << 20) + DATA


def test_only_the_beginning_of_one(tmp_path: Path) -> None:
    path = tmp_path / "x.E01"
    path.write_bytes(b"EVF\t\r\n\xff\0")
    with pytest.raises(DamagedImageError, match="cut off"):
        unpack(path)
    path.write_bytes(b"EVF\t\r\n\xff\0\1\1\0\0\0" + bytes(100))
    with pytest.raises(DamagedImageError, match="libewf"):
        unpack(path)


@pytest.mark.parametrize("magic", [b"LVF\t\r\n\xff\0", b"LEF2\r\n\x81\0"])
def test_logical_evidence_is_refused(tmp_path: Path, magic: bytes) -> None:
    path = tmp_path / "x.L01"
    path.write_bytes(magic + bytes(5000))
    with pytest.raises(NotAnImageError, match="L01"):
        unpack(path)


def test_aff4_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "x.aff4"
    path.write_bytes(b"PK\3\4" + bytes(5000) + b"information.turtle" + bytes(40))
    with pytest.raises(NotAnImageError, match="AFF4"):
        unpack(path)
