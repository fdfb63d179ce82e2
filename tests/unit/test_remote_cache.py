"""What is kept on the disk of images far away: never a wrong byte, whatever happens to it."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isomount.sources import FileRange, Keeping
from isomount.sources.remote import segments
from isomount.sources.remote.kept import KeptSource, kept
from isomount.sources.remote.segments import Segments
from isomount.sources.remote.shelves import clear, trim
from isomount.sources.remote.shelves import kept as shelves
from tests.command import environment

BLOCK = 4096
SIZE = 300 * BLOCK + 77
DATA = random.Random(7).randbytes(SIZE)


class Far:
    """An image far away, which remembers what was fetched."""

    def __init__(self, version: str = "one", data: bytes = DATA) -> None:
        self.name, self.version, self.data = "https://e.org/a.iso", version, data
        self.size, self.block_size = len(data), BLOCK
        self.fetched: list[tuple[int, int]] = []

    def measure(self) -> int:
        return self.size

    def read_at(self, offset: int, length: int) -> bytes:
        self.fetched.append((offset, length))
        return self.data[offset : offset + length]

    def pieces(self, offset: int, length: int) -> list[bytes]:
        data = self.read_at(offset, length)
        return [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]

    def read_resident(self, offset: int, length: int) -> None:
        return None

    def resident_range(self, offset: int, length: int) -> FileRange | None:
        return None

    def close(self) -> None:
        pass


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def opened(place: Path, far: Far, limit: int = 1 << 30) -> KeptSource:
    source = kept(far, Keeping(limit, str(place)))
    assert isinstance(source, KeptSource)
    return source


def files(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.name.isdigit())


def test_nothing_is_fetched_twice_by_anybody(place: Path) -> None:
    first, second = Far(), Far()
    assert opened(place, first).read_at(0, SIZE) == DATA
    assert opened(place, second).read_at(0, SIZE + 5) == DATA
    assert first.fetched == [(0, SIZE)]
    assert second.fetched == []
    assert len(files(place)) == 3


def test_blocks_are_kept_though_nobody_asks_whether_there_are_more(place: Path) -> None:
    far = Far()
    for _ in range(2):
        pieces = opened(place, far).pieces(BLOCK, 3 * BLOCK)
        assert [next(pieces) for _ in range(3)] == [
            DATA[at : at + BLOCK] for at in range(BLOCK, 4 * BLOCK, BLOCK)
        ]
    assert far.fetched == [(BLOCK, 3 * BLOCK)]


def test_what_is_missing_between_is_fetched_in_runs(place: Path) -> None:
    far = Far()
    source = opened(place, far)
    source.read_at(5 * BLOCK, BLOCK)
    far.fetched.clear()
    assert source.read_at(3 * BLOCK + 1, 4 * BLOCK) == DATA[3 * BLOCK + 1 : 7 * BLOCK + 1]
    assert far.fetched == [(3 * BLOCK, 2 * BLOCK), (6 * BLOCK, 2 * BLOCK)]
    assert source.read_at(SIZE - 5, 100) == DATA[-5:]
    assert source.read_at(SIZE, 1) == b""


def test_another_version_is_another_image(place: Path) -> None:
    opened(place, Far()).read_at(0, SIZE)
    other = Far("two", DATA[::-1])
    assert opened(place, other).read_at(0, SIZE) == DATA[::-1]
    assert len(shelves(str(place))) == 2


@pytest.mark.parametrize("limit", [0, -1])
def test_nothing_is_kept_without_room_or_certainty(place: Path, limit: int) -> None:
    far = Far()
    assert kept(far, Keeping(limit, str(place))) is far
    unsure = Far("")
    assert kept(unsure, Keeping(1 << 30, str(place))) is unsure


def test_a_full_disk_or_no_place_costs_nothing_but_the_cache(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write_bytes(b"a file where the directory belongs")
    far = Far()
    assert opened(place, far).read_at(0, 9 * BLOCK) == DATA[: 9 * BLOCK]
    place.unlink()
    monkeypatch.setattr(segments, "room_in", lambda _: 0)
    assert opened(place, far).read_at(0, 9 * BLOCK) == DATA[: 9 * BLOCK]
    assert not files(place)


def test_used_least_recently_goes_first(place: Path) -> None:
    opened(place, Far("old")).read_at(0, 256 * BLOCK)
    old = files(place)
    opened(place, Far("new")).read_at(0, 128 * BLOCK)
    for age, path in ((300, old[0]), (200, old[1])):
        os.utime(path, (time.time() - age,) * 2)
    opened(place, Far("old")).read_at(0, BLOCK)  # which makes its first file the latest
    total = sum(path.stat().st_blocks * 512 for path in files(place))
    trim(str(place), total - 1)
    assert old[0].exists()
    assert not old[1].exists()
    assert {each.address for each in shelves(str(place))} == {"https://e.org/a.iso"}
    assert clear(str(place)) > 0
    assert list(place.iterdir()) == []


def test_the_limit_holds_while_it_is_written(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_LOOK_EVERY", 32 * BLOCK)
    source = opened(place, Far(), limit=160 * BLOCK)
    assert b"".join(source.read_at(at, BLOCK) for at in range(0, SIZE, BLOCK)) == DATA
    taken = sum(path.stat().st_blocks * 512 for path in files(place))
    assert 0 < taken <= (160 + 32 + 128) * BLOCK


def test_a_reader_survives_what_is_removed_meanwhile(place: Path) -> None:
    source = opened(place, Far())
    source.read_at(0, SIZE)
    clear(str(place))
    assert source.read_at(0, SIZE) == DATA
    assert files(place)


def test_links_and_devices_are_not_followed(place: Path, tmp_path: Path) -> None:
    source = opened(place, Far())
    source.read_at(0, BLOCK)
    (path,) = files(place)
    path.unlink()
    (tmp_path / "precious").write_bytes(b"mine")
    path.symlink_to(tmp_path / "precious")
    assert source.read_at(0, BLOCK) == DATA[:BLOCK]
    path.unlink()
    os.mkfifo(path)
    assert source.read_at(0, BLOCK) == DATA[:BLOCK]
    assert (tmp_path / "precious").read_bytes() == b"mine"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["byte", "cut", "zeros", "swap", "table"]),
            st.integers(0, 1 << 62),
            st.integers(1, 255),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_becomes_of_the_files_no_byte_is_wrong(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[str, int, int]]
) -> None:
    place = tmp_path_factory.mktemp("cache")
    few = 20 * BLOCK + 5
    far = Far(data=DATA[:few])
    source = opened(place, far)
    source.read_at(0, few)
    (path,) = files(place)
    data = bytearray(path.read_bytes())
    for kind, where, value in damage:
        at = where % max(1, len(data))
        match kind:
            case "byte" if data:
                data[at] ^= value
            case "cut":
                del data[at:]
            case "zeros":
                data[at : at + value * 50] = bytes(len(data[at : at + value * 50]))
            case "swap":  # two blocks
                one, other = 4096 + at % 19 * BLOCK, 4096 + value % 19 * BLOCK
                piece = bytes(data[one : one + BLOCK])
                data[one : one + BLOCK] = data[other : other + BLOCK]
                data[other : other + BLOCK] = piece
            case "table":
                data[64 + at % 1024 : 64 + at % 1024] = bytes([value])
    path.write_bytes(data)
    assert source.read_at(0, few) == far.data
    far.fetched.clear()
    assert source.read_at(0, few) == far.data  # and it has healed
    assert far.fetched == []
    clear(str(place))


_READER = """
import random, sys
sys.path.insert(0, {root!r})
from tests.unit.test_remote_cache import BLOCK, DATA, SIZE, Far, Path, opened
chance = random.Random({seed})
source = opened(Path({place!r}), Far())
print("on", flush=True)
while True:
    at, length = chance.randrange(SIZE), chance.randrange(30 * BLOCK)
    if source.read_at(at, length) != DATA[at : at + length]:
        print("WRONG", flush=True)
        break
"""


def test_two_processes_killed_at_random_leave_nothing_wrong(place: Path) -> None:
    chance = random.Random(11)
    root = str(Path(__file__).parents[2])
    for round_ in range(4):
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", _READER.format(root=root, place=str(place), seed=seed)],
                stdout=subprocess.PIPE,
                text=True,
                env=environment(),
            )
            for seed in (round_, round_ + 100)
        ]
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "on\n"
        if round_ == 1:
            clear(str(place))
        time.sleep(chance.random() * 0.2)
        for reader in readers:
            reader.send_signal(signal.SIGKILL)
            assert reader.communicate()[0] == ""
    assert opened(place, Far()).read_at(0, SIZE) == DATA


def test_many_threads_at_once(place: Path) -> None:
    wrong: list[int] = []

    def read(seed: int) -> None:
        chance, source = random.Random(seed), opened(place, Far())
        for _ in range(60):
            at, length = chance.randrange(SIZE), chance.randrange(20 * BLOCK)
            if source.read_at(at, length) != DATA[at : at + length]:
                wrong.append(at)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    far = Far()
    opened(place, far).read_at(0, SIZE)
    assert len(far.fetched) < 100


def test_a_segment_of_another_block_size_is_begun_anew(place: Path) -> None:
    one = Segments(str(place), "key", "", BLOCK, SIZE, 1 << 30)
    one.put(range(1), [DATA[:BLOCK]])
    other = Segments(str(place), "key", "", 2 * BLOCK, SIZE, 1 << 30)
    assert other.get(range(1)) == [None]
    other.put(range(1), [DATA[: 2 * BLOCK]])
    assert other.get(range(2)) == [DATA[: 2 * BLOCK], None]
    assert one.get(range(1)) == [None]
